"""Verdicts of runs that never were."""

from collections.abc import Sequence

from edgeprof.device import DeviceFacts
from edgeprof.plan import StepKind
from edgeprof.run import EngineFacts, ModelFacts, RunState
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import (
    Figure,
    FigureName,
    Finding,
    MemoryVerdict,
    Sample,
    Severity,
    StepVerdict,
    VariantVerdict,
    Verdict,
)
from edgeprof_collector.store.records import RunSummary


def one_figure(name: FigureName, value: float, *, turn: int | None = None, scope: str = "") -> Figure:
    """A figure of one repetition."""
    return figure(name, [Sample(0, value)], turn=turn, scope=scope)


def step(name: str, *figures: Figure) -> StepVerdict:
    """A step of the default variant."""
    return StepVerdict(
        step=0,
        variant=0,
        name=name,
        variant_name="default",
        kind=StepKind.DECODE,
        prompt_tokens=0,
        depth_tokens=0,
        decode_tokens=8,
        turns=1,
        repetitions=(),
        figures=figures,
    )


def verdict(
    *steps: StepVerdict,
    loads: Sequence[Figure] = (),
    peak_resident_bytes: int | None = None,
    headroom_ratio: float | None = None,
    severities: Sequence[Severity] = (),
) -> Verdict:
    """A verdict with what is given and nothing else."""
    return Verdict(
        run_id="run",
        state=RunState.SUCCEEDED,
        cause="",
        headline="",
        plan_name="quick",
        repetition_count=1,
        wall_ns=0,
        duration_seconds=1.0,
        device=DeviceFacts(
            device_id="pi",
            hostname="pi",
            architecture="aarch64",
            logical_cores=4,
            memory_total_bytes=2**33,
            os="Debian",
            kernel="6.1",
            agent_version="0",
        ),
        model=ModelFacts(
            name="m",
            path="/m",
            format="gguf",
            synthetic=True,
            architecture="llama",
            quantisation="q4_0",
            parameter_count=1,
            file_bytes=1,
            sha256="",
            layer_count=1,
            embedding_length=1,
            vocabulary_size=1,
            context_length=1,
            kv_elements_per_token=1,
            weight_bytes_read_per_token=1,
        ),
        engine=EngineFacts(name="llama-cpp-python", version="0.3", build=""),
        variants=(VariantVerdict(variant=0, name="default", loads=tuple(loads)),),
        steps=steps,
        memory=MemoryVerdict(total_bytes=2**33, peak_resident_bytes=peak_resident_bytes, headroom_ratio=headroom_ratio),
        ceilings=(),
        energy_rails=(),
        findings=tuple(
            Finding(name=FindingName.IMPOSSIBLE_RATE, severity=one, title="", evidence="", advice="")
            for one in severities
        ),
    )


def summary(
    run_id: str = "run",
    *,
    started_wall_ns: int = 1,
    device_id: str = "pi",
    model: str = "synth:m@q4_0",
    state: RunState = RunState.SUCCEEDED,
) -> RunSummary:
    """A run in a list."""
    return RunSummary(
        run_id=run_id,
        device_id=device_id,
        job_id="",
        plan="quick",
        model=model,
        quantisation="q4_0",
        engine="llama-cpp-python",
        engine_version="0.3",
        state=state,
        cause="",
        started_wall_ns=started_wall_ns,
        duration_seconds=1.0,
    )
