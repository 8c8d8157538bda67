"""From llama-bench's tests to runs: one for each model, build and machine.

Configurations become variants, tests steps, and each duration a repetition. llama-bench says how long a repetition took
and not when it began, so they are laid end to end, in the order of the file.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from edgeprof.device import Accelerator, DeviceFacts
from edgeprof.plan import Gates, Plan, Step, StepKind, Variant
from edgeprof.plan_rules import complete
from edgeprof.run import (
    EngineFacts,
    ModelFacts,
    OptionSet,
    Phase,
    PhaseKind,
    Request,
    RunFinished,
    RunRecord,
    RunStarted,
    RunState,
    StepRef,
)
from edgeprof.telemetry import Placement
from edgeprof_collector.imports.llama_bench_file import BenchSubject, BenchTest

ENGINE = "llama-bench"
_NAME_CHARACTERS = 128
_VARIANT_CHARACTERS = 64
_QUANTISATION = re.compile(r"(?: |^)((?:all )?(?:B?F16|F32|I?Q\d|TQ\d|MXFP4|NVFP4).*)$")
_ON_THE_CPU = {"", "CPU", "BLAS", "RPC"}


def runs_of(tests: Sequence[BenchTest], device: str = "") -> tuple[RunRecord, ...]:
    """The runs that these tests make up, without the combined ones. The same tests always make the same run.

    Args:
        tests: as read.
        device: the name of the machine; empty, it is named by its processor.
    """
    separate = sorted((test for test in tests if not test.is_combined), key=_subject_key)
    return tuple(_run(list(found), device) for _, found in groupby(separate, _subject_key))


def _subject_key(test: BenchTest) -> bytes:
    return msgspec.json.encode(test.subject)


def _run(tests: Sequence[BenchTest], device: str) -> RunRecord:
    subject = tests[0].subject
    facts = _device(subject, device)
    digest = hashlib.sha256(msgspec.json.encode((facts.device_id, tests)))
    run_id = f"{ENGINE}-{digest.hexdigest()[:12]}"
    plan = _plan(tests)
    phases, requests, end_ns = _repetitions(run_id, plan, tests)
    return RunRecord(
        started=RunStarted(
            run_id=run_id,
            plan=plan,
            model=_model(subject),
            engine=EngineFacts(
                name=ENGINE,
                version=str(subject.build_number),
                build=", ".join(part for part in (subject.build_commit, subject.backends) if part),
                options=tuple(OptionSet(options=variant.options) for variant in plan.variants),
            ),
            device=facts,
            boot_id=digest.digest()[:16],
            monotonic_ns=0,
            wall_ns=min(*(test.start_wall_ns for test in tests), time.time_ns()),
        ),
        phases=phases,
        requests=requests,
        finished=RunFinished(run_id=run_id, state=RunState.SUCCEEDED, monotonic_ns=end_ns),
        placement=Placement.ESTIMATED,  # by the machine's own clock
    )


def _plan(tests: Sequence[BenchTest]) -> Plan:
    steps = tuple(dict.fromkeys(_step(test) for test in tests))
    counts: dict[tuple[Step, object], int] = {}
    for test in tests:
        key = (_step(test), test.options)
        counts[key] = counts.get(key, 0) + len(test.durations_ns)
    plan = Plan(
        name=ENGINE,
        steps=steps,
        repetitions=max(counts.values()),
        variants=_variants([dict(options) for options in dict.fromkeys(test.options for test in tests)]),
        gates=Gates(idle_cpu_ratio=None, wait_seconds=0),
        rest_seconds=0,
    )
    return complete(plan)


def _step(test: BenchTest) -> Step:
    return Step(
        kind=StepKind.PREFILL if test.prompt_tokens else StepKind.DECODE,
        prompt_tokens=test.prompt_tokens,
        decode_tokens=test.decode_tokens,
        depth_tokens=test.depth_tokens,
    )


def _variants(options: Sequence[dict[str, str]]) -> tuple[Variant, ...]:
    """Variants named by the options in which they differ."""
    if len(options) == 1:
        return (Variant(name="default", options=options[0]),)
    differing = sorted(
        name for name in {name for each in options for name in each} if len({each.get(name) for each in options}) > 1
    )
    names = [", ".join(f"{name}={each[name]}" for name in differing if name in each) for each in options]
    if any(not 0 < len(name) <= _VARIANT_CHARACTERS for name in names):
        names = [f"configuration {number}" for number in range(1, len(options) + 1)]
    return tuple(Variant(name=name, options=each) for name, each in zip(names, options, strict=True))


def _repetitions(
    run_id: str, plan: Plan, tests: Sequence[BenchTest]
) -> tuple[tuple[Phase, ...], tuple[Request, ...], int]:
    """Phases and requests, end to end, and when the last one ends."""
    steps = {replace(step, name=""): index for index, step in enumerate(plan.steps)}
    variants = {tuple(sorted(variant.options.items())): index for index, variant in enumerate(plan.variants)}
    counts: dict[tuple[int, int], int] = {}
    phases, requests, now_ns = [], [], 0
    for test in tests:
        place = steps[_step(test)], variants[test.options]
        for duration_ns in test.durations_ns:
            reference = StepRef(step=place[0], variant=place[1], repetition=counts.get(place, 0))
            counts[place] = reference.repetition + 1
            start_ns, now_ns = now_ns, now_ns + duration_ns
            phases.append(
                Phase(
                    run_id=run_id,
                    kind=PhaseKind.STEP,
                    start_monotonic_ns=start_ns,
                    end_monotonic_ns=now_ns,
                    step=reference,
                )
            )
            requests.append(_request(run_id, reference, test, start_ns, now_ns))
    return tuple(phases), tuple(requests), now_ns


def _request(run_id: str, reference: StepRef, test: BenchTest, start_ns: int, end_ns: int) -> Request:
    """One of which only start and end are known: no token was there at the start, and all were at the end."""
    decodes = test.decode_tokens > 0
    return Request(
        run_id=run_id,
        step=reference,
        prompt_tokens=test.prompt_tokens,
        depth_tokens=test.depth_tokens,
        start_monotonic_ns=start_ns,
        prefill_end_monotonic_ns=0 if decodes else end_ns,
        token_gaps_ns=(0, end_ns - start_ns) if decodes else (),
        token_counts=(0, test.decode_tokens) if decodes else (),
        end_monotonic_ns=end_ns,
    )


def _device(subject: BenchSubject, name: str) -> DeviceFacts:
    """What llama-bench tells of the machine. Of cores, memory and system it tells nothing."""
    processor = " ".join((subject.gpu_info or subject.cpu_info).split())
    chosen = name or f"{ENGINE} on {processor or 'an unknown processor'}"[:_NAME_CHARACTERS]
    backends = [each for each in re.split(r"[ ,]+", subject.backends) if each not in _ON_THE_CPU]
    products = subject.gpu_info.split(", ") if subject.gpu_info else backends
    return DeviceFacts(
        device_id=chosen,
        hostname=chosen,
        architecture="",
        logical_cores=0,
        memory_total_bytes=0,
        os="",
        kernel="",
        agent_version="",
        cpu_model=subject.cpu_info or None,
        accelerators=tuple(
            Accelerator(name=f"gpu{index}", product=product, vendor="") for index, product in enumerate(products)
        ),
        imported_from=ENGINE,
    )


def _model(subject: BenchSubject) -> ModelFacts:
    """What llama-bench tells of the model; what a token reads, and the KV cache, cannot be known from that."""
    quantisation = _QUANTISATION.search(subject.model_type)
    return ModelFacts(
        name=re.split(r"[\\/]", subject.model_filename)[-1],
        path=subject.model_filename,
        format="gguf",
        synthetic=False,
        architecture=subject.model_type.partition(" ")[0],
        quantisation=quantisation[1] if quantisation else "",
        parameter_count=subject.model_n_params,
        file_bytes=subject.model_size,
        sha256="",
        layer_count=0,
        embedding_length=0,
        vocabulary_size=0,
        context_length=0,
        kv_elements_per_token=0,
        weight_bytes_read_per_token=0,
    )
