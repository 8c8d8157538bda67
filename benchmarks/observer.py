"""What observing costs: agent, collector and display together, while a workload is sampled at 10 Hz.

    python -m benchmarks.observer [--model synth:smollm2-135m@q4_0] [--rounds 10]

CPU time is counted while steps run, as a share of the whole machine. Beside it stands the workload's rate observed
against alone, in interleaved rounds on one engine build and one model.
"""

import argparse
import asyncio
import io
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from rich.console import Console

from benchmarks.pairs import ratio_text
from edgeprof.plan import Gates, Plan, Step, StepKind
from edgeprof.run import PhaseKind, Progress
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_collector.profile.display import LiveDisplay
from edgeprof_collector.profile.session import Session, open_session, run_profile

STEP = Step(kind=StepKind.DECODE, name="decode", decode_tokens=400)
REPETITIONS = 10
PLAN = Plan(name="observer", steps=(STEP,), repetitions=REPETITIONS, rest_seconds=0, gates=Gates(idle_cpu_ratio=None))


class MeteredDisplay(LiveDisplay):
    """The live display, drawn to nowhere, that reads the observers' CPU time between the first step and the last."""

    def __init__(self, session: Session) -> None:
        super().__init__(Console(file=io.StringIO(), force_terminal=True, width=100))
        self._observers = [psutil.Process(pid) for pid in (os.getpid(), session.agent.pid, session.collector.pid)]
        self._readings: list[tuple[float, list[float]]] = []

    def show(self, progress: Progress) -> None:
        """Draw; then read the clocks if a step is on."""
        super().show(progress)
        if progress.phase is PhaseKind.STEP:
            spent = [sum(observer.cpu_times()[:2]) for observer in self._observers]
            self._readings.append((progress.elapsed_seconds, spent))

    @property
    def seconds(self) -> float:
        """How long the steps took, as far as they were metered."""
        return self._readings[-1][0] - self._readings[0][0]

    @property
    def cpu_seconds(self) -> list[float]:
        """CPU time of this process (the display), of the agent and of the collector."""
        return [last - first for first, last in zip(self._readings[0][1], self._readings[-1][1], strict=True)]


def observed_rate(session: Session, model: str) -> tuple[float, MeteredDisplay]:
    """Profile the model and return the median decode rate, and what it cost."""
    display = MeteredDisplay(session)
    with display:
        profiled = run_profile(session, display, plan=PLAN, model=model, engine="llama-cpp-python", python="")
    assert profiled.record is not None, profiled.status.reason
    return statistics.median(_rate(request.token_gaps_ns) for request in profiled.record.requests), display


async def lone_rate(engine: EngineProcess) -> float:
    """Run the same repetitions with nobody looking and return the median decode rate."""
    requests: list[RequestTimes] = []
    for _ in range(REPETITIONS):
        requests += await engine.run_step(STEP, lambda _: None)
    return statistics.median(_rate(request.token_gaps_ns) for request in requests)


def _rate(token_gaps_ns: tuple[int, ...]) -> float:
    return (len(token_gaps_ns) - 1) * 1e9 / sum(token_gaps_ns[1:])


@contextmanager
def _folders_of_our_own() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_DATA_HOME": f"{folder}/data", "XDG_STATE_HOME": f"{folder}/state"}
        yield


async def compare(model: str, rounds: int) -> None:
    """Print the observers' CPU share and the ratio of the workload's rates."""
    ratios: list[float] = []
    seconds, spent = 0.0, [0.0, 0.0, 0.0]
    with _folders_of_our_own(), open_session() as session:
        _, _ = await asyncio.to_thread(observed_rate, session, model)  # writes the model, warms everything up
        path = session.client.run("latest").started.model.path
        engine = await EngineProcess.start("llama-cpp-python")
        try:
            await engine.load(path, {}, STEP.context_tokens, 1)
            await engine.warm_up(STEP)
            for number in range(rounds):
                alone = await lone_rate(engine)
                observed, display = await asyncio.to_thread(observed_rate, session, model)
                ratios.append(observed / alone)
                seconds += display.seconds
                spent = [total + part for total, part in zip(spent, display.cpu_seconds, strict=True)]
                print(f"round {number + 1}: {observed:.1f} tokens/s observed, {alone:.1f} alone")
        finally:
            await engine.close()
    cores = os.cpu_count() or 1
    print(f"observers' CPU time over {seconds:.0f} s of steps at 10 Hz, as a share of {cores} cores:")
    for name, part in zip(("display", "agent", "collector"), spent, strict=True):
        print(f"  {name:<10} {part / seconds / cores:7.3%}")
    print(f"  {'together':<10} {sum(spent) / seconds / cores:7.3%}")
    print(ratio_text("decode rate, observed / alone", ratios))


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:smollm2-135m@q4_0")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    asyncio.run(compare(arguments.model, arguments.rounds))


if __name__ == "__main__":
    main()
