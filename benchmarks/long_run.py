"""What the analysis and the report of a long run cost: one hour at 100 Hz with 60 channels, 21.6 million samples.

    python -m benchmarks.long_run [--seconds 3600] [--hertz 100]

The run is made first: a prefill and a decode step that take turns for the hour, and telemetry in frames of two seconds
as a collector has it stored. A process of its own then opens it, analyses it and renders the page, so that its highest
memory is theirs alone. Budget: 5 s and 500 MB for all together.
"""

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeprof.catalogue import channel
from edgeprof.device import DeviceFacts
from edgeprof.messages import run_event_from_message, run_event_to_message
from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import (
    EngineFacts,
    ModelFacts,
    Phase,
    PhaseKind,
    Request,
    RunEvent,
    RunFinished,
    RunRecord,
    RunStarted,
    RunState,
    StepRef,
)
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame, channel_to_message, encode_frame
from edgeprof.v1.run_pb2 import RunEvent as RunEventMessage
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.report.html import render

BUDGET_SECONDS = 5.0
BUDGET_BYTES = 500e6
RUN_ID = "20260214-101500-3f9c2a71"
BOOT_ID = bytes(range(16))
START_NS = 10**15
SECOND_NS = 10**9
FRAME_SECONDS = 2
PREFILL = Step(kind=StepKind.PREFILL, name="prefill 512", prompt_tokens=512)
DECODE = Step(kind=StepKind.DECODE, name="decode 128", decode_tokens=128)
PREFILL_SECONDS, TOKEN_SECONDS = 2.0, 0.05
_MEASURE = "import sys; from pathlib import Path; from benchmarks.long_run import measure; measure(Path(sys.argv[1]))"


def main() -> None:
    """Make the run, and measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--hertz", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_run(folder, arguments.seconds, arguments.hertz)
        subprocess.run([sys.executable, "-c", _MEASURE, str(folder)], check=True)


def measure(folder: Path) -> None:
    """Open, analyse and render the run in ``folder``, and print what each took."""
    record = _read_record(folder)
    before_cpu_seconds = time.process_time()
    marks = [time.perf_counter()]
    series = collect_series(RunTelemetry.FromString((folder / "telemetry").read_bytes()))
    marks.append(time.perf_counter())
    verdict = analyse(record, series)
    marks.append(time.perf_counter())
    page = render(record, series, verdict)
    marks.append(time.perf_counter())
    samples = sum(each.values.size for each in series)
    opening, analysis, report = (after - before for before, after in itertools.pairwise(marks))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    seconds = marks[-1] - marks[0]
    cpu_seconds = time.process_time() - before_cpu_seconds
    print(f"{samples / 1e6:.1f} million samples of {len(series)} channels, {len(record.requests)} requests")
    print(f"opening {opening:.2f} s, analysis {analysis:.2f} s, report {report:.2f} s ({len(page) / 1e6:.1f} MB)")
    print(f"together {seconds:.2f} s, {seconds / BUDGET_SECONDS:.0%} of the budget of {BUDGET_SECONDS:g} s")
    print(f"processor time {cpu_seconds:.2f} s, which other programs disturb less")
    print(f"highest memory {peak_bytes / 1e6:.0f} MB, {peak_bytes / BUDGET_BYTES:.0%} of {BUDGET_BYTES / 1e6:.0f} MB")


def write_run(folder: Path, seconds: int, hertz: int) -> None:
    """Write the run's events and its telemetry to ``folder``."""
    with (folder / "events").open("wb") as file:
        for event in _events(seconds):
            message = run_event_to_message(event).SerializeToString()
            file.write(len(message).to_bytes(4, "little") + message)
    telemetry = RunTelemetry(layouts=[Layout(layout=1, channels=[channel_to_message(each) for each in channels()])])
    telemetry.frames.extend(encode_frame(frame, BOOT_ID, lambda _: 1) for frame in _frames(channels(), seconds, hertz))
    (folder / "telemetry").write_bytes(telemetry.SerializeToString())


def channels() -> tuple[Channel, ...]:
    """60 channels: 32 cores, their clocks, heat, rails, a GPU and the workload."""
    return (
        *(channel("edgeprof_cpu_core_busy_ratio", "sim", core=str(core)) for core in range(32)),
        *(channel("edgeprof_cpu_frequency_hertz", "sim", core=str(core)) for core in range(12)),
        *(channel("edgeprof_temperature_celsius", "sim", chip="thermal", place=f"zone{n}") for n in range(6)),
        *(channel("edgeprof_power_watts", "sim", chip="ina3221", rail=rail) for rail in ("in", "cpu_gpu", "soc")),
        channel("edgeprof_cpu_busy_ratio", "sim"),
        channel("edgeprof_memory_available_bytes", "sim"),
        channel("edgeprof_workload_cpu_seconds_total", "sim"),
        channel("edgeprof_workload_resident_bytes", "sim"),
        channel("edgeprof_gpu_busy_ratio", "sim", gpu="gpu0"),
        channel("edgeprof_gpu_memory_used_bytes", "sim", gpu="gpu0"),
        channel("edgeprof_gpu_clock_hertz", "sim", gpu="gpu0", domain="graphics"),
    )


def _frames(of: tuple[Channel, ...], seconds: int, hertz: int) -> Iterator[SampledFrame]:
    ticks = FRAME_SECONDS * hertz
    chooser = np.random.default_rng(1)
    steps = np.full(len(of), 500, np.int64)
    for second in range(0, seconds, FRAME_SECONDS):
        start_ns = START_NS + second * SECOND_NS
        late_ns = chooser.exponential(1e5, ticks).astype(np.int64)
        times: NDArray[np.int64] = start_ns + np.arange(ticks) * (SECOND_NS // hertz) + late_ns
        moves = chooser.integers(-2, 3, (len(of), ticks)) * (chooser.random((len(of), ticks)) < 0.3)
        values = np.maximum(steps[:, None] + np.cumsum(moves, axis=1), 1)
        steps = values[:, -1]
        block = SampledBlock(
            channels=of,
            times_monotonic_ns=tuple(times.tolist()),
            columns=tuple(tuple(column) for column in values.tolist()),
        )
        yield SampledFrame(
            run_id=RUN_ID,
            start_monotonic_ns=start_ns,
            end_monotonic_ns=start_ns + FRAME_SECONDS * SECOND_NS,
            blocks=(block,),
        )


def _events(seconds: int) -> Iterator[RunEvent]:
    chooser = np.random.default_rng(2)
    repetition_seconds = PREFILL_SECONDS + DECODE.decode_tokens * TOKEN_SECONDS
    repetitions = int(seconds / repetition_seconds)
    yield _started(repetitions)
    now_ns = START_NS
    for repetition in range(repetitions):
        for index, step in enumerate((PREFILL, DECODE)):
            reference = StepRef(step=index, variant=0, repetition=repetition)
            gaps_ns = (chooser.normal(TOKEN_SECONDS, TOKEN_SECONDS / 50, step.decode_tokens) * 1e9).astype(int).tolist()
            prefill_ns = round(chooser.normal(PREFILL_SECONDS, 0.01) * 1e9) if step.prompt_tokens else 0
            end_ns = now_ns + prefill_ns + sum(gaps_ns)
            yield Request(
                run_id=RUN_ID,
                step=reference,
                prompt_tokens=step.prompt_tokens,
                start_monotonic_ns=now_ns,
                prefill_end_monotonic_ns=now_ns + prefill_ns if prefill_ns else 0,
                token_gaps_ns=tuple(gaps_ns),
                end_monotonic_ns=end_ns,
            )
            yield Phase(
                run_id=RUN_ID,
                kind=PhaseKind.STEP,
                step=reference,
                start_monotonic_ns=now_ns,
                end_monotonic_ns=end_ns,
            )
            now_ns = end_ns
    yield RunFinished(run_id=RUN_ID, state=RunState.SUCCEEDED, monotonic_ns=now_ns)


def _started(repetitions: int) -> RunStarted:
    return RunStarted(
        run_id=RUN_ID,
        plan=Plan(name="hour", steps=(PREFILL, DECODE), repetitions=repetitions),
        model=ModelFacts(
            name="synth:llama-3.2-1b@q4_0",
            path="/models/model.gguf",
            format="gguf",
            synthetic=True,
            architecture="llama",
            quantisation="q4_0",
            parameter_count=1_235_814_400,
            file_bytes=770_000_000,
            sha256="0" * 64,
            layer_count=16,
            embedding_length=2048,
            vocabulary_size=128_256,
            context_length=131_072,
            kv_elements_per_token=16_384,
            weight_bytes_read_per_token=695_000_000,
        ),
        engine=EngineFacts(name="llama-cpp-python", version="0.3.36", build="CPU"),
        device=DeviceFacts(
            device_id="board",
            hostname="board",
            architecture="aarch64",
            physical_cores=32,
            logical_cores=32,
            memory_total_bytes=64 * 2**30,
            os="Linux",
            kernel="6.8",
            agent_version="0",
        ),
        boot_id=BOOT_ID,
        monotonic_ns=START_NS,
        wall_ns=1_770_000_000 * SECOND_NS,
    )


def _read_record(folder: Path) -> RunRecord:
    data = (folder / "events").read_bytes()
    events: list[RunEvent] = []
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "little")
        event = run_event_from_message(RunEventMessage.FromString(data[place + 4 : place + 4 + size]))
        assert event
        events.append(event)
        place += 4 + size
    [started] = [event for event in events if isinstance(event, RunStarted)]
    [finished] = [event for event in events if isinstance(event, RunFinished)]
    return RunRecord(
        started=started,
        phases=tuple(event for event in events if isinstance(event, Phase)),
        requests=tuple(event for event in events if isinstance(event, Request)),
        finished=finished,
    )


if __name__ == "__main__":
    main()
