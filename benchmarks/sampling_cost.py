"""What sampling this machine costs: CPU time per tick beside plain psutil, lateness, CPU share.

    python -m benchmarks.sampling_cost [--rounds N] [--root DIR]

The workload followed is a process with one child, both asleep. Each figure is the median of interleaved rounds. A tick
is measured right after the one before, and with the caches swept in between, as a model's weights do in a run.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.sample_time import swept_thread_time_us, thread_time_us
from edgeprof.telemetry import SampledFrame
from edgeprof_agent.sampling.cadence import IDLE, Cadence, Due, run_cadence
from edgeprof_agent.sampling.clock import MonotonicClock
from edgeprof_agent.sampling.recorder import Recorder
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.registry import discover_sensors

_TICKS_PER_ROUND = 200
_SWEPT_TICKS_PER_ROUND = 20
_SHARE_SECONDS = 10
_LATENESS_SECONDS = 10
_LATENESS_BUDGET_US = 2000.0

_SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help=f"rounds of {_TICKS_PER_ROUND} ticks each")
    parser.add_argument("--root", type=Path, default=Path("/"), help="the filesystem root that sensors read")
    arguments = parser.parse_args()
    with _workload() as pid:
        _print_tick_costs(arguments.root, pid, arguments.rounds)
        _print_lateness(arguments.root, pid)
        for name, cadence in (("idle, 1 Hz", IDLE), ("in a run, 10 Hz", run_cadence("run"))):
            share = _cpu_share(arguments.root, pid, cadence)
            print(f"CPU share of one core {name:<18} {share:8.3%}")


@contextmanager
def _workload() -> Iterator[int]:
    """A process that sleeps, with a child that sleeps."""
    command = [sys.executable, "-c", _SLEEPER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while not psutil.Process(process.pid).children():
            time.sleep(0.01)
        yield process.pid


def _print_tick_costs(root: Path, pid: int, rounds: int) -> None:
    """CPU time of the sampler's thread per tick, closing a frame every ten ticks included."""
    clock = MonotonicClock()
    recorder = Recorder(discover_sensors(root), lambda _: None, clock)
    recorder.start()
    recorder.begin("run")
    recorder.follow_process(pid)
    tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    ticks: dict[str, Callable[[int], object]] = {
        "fast": lambda tick: recorder.tick(Due(True, False, tick % 10 == 9, 0, 0), clock.monotonic_ns()),
        "full": lambda tick: recorder.tick(Due(True, True, tick % 10 == 9, 0, 0), clock.monotonic_ns()),
        "psutil, fast": lambda _: _psutil_fast(tree),
        "psutil, full": lambda _: (_psutil_fast(tree), _psutil_slow(tree)),
    }
    costs_us: dict[str, list[float]] = {name: [] for name in ticks}
    swept_us: dict[str, list[float]] = {name: [] for name in ticks}
    for _ in range(rounds):
        for name, tick in ticks.items():
            costs_us[name].append(thread_time_us(tick, _TICKS_PER_ROUND))
            swept_us[name].append(swept_thread_time_us(tick, _SWEPT_TICKS_PER_ROUND))
    recorder.stop()
    clock.close()
    _print_medians("in a row", costs_us, rounds * _TICKS_PER_ROUND)
    _print_medians("caches swept", swept_us, rounds * _SWEPT_TICKS_PER_ROUND)


def _print_medians(how: str, costs_us: Mapping[str, Sequence[float]], ticks: int) -> None:
    median_us = {name: statistics.median(costs) for name, costs in costs_us.items()}
    for name, cost_us in median_us.items():
        print(f"CPU per tick, {how:<12} {name:<13} {cost_us:8.1f} us  ({ticks} ticks)")
    for name in ("fast", "full"):
        print(f"ratio to psutil, {how:<12} {name:<10} {median_us[name] / median_us[f'psutil, {name}']:8.2f}")


def _psutil_fast(tree: list[psutil.Process]) -> list[object]:
    """The readings of a fast tick as psutil gives them."""
    return [
        psutil.cpu_percent(),
        psutil.cpu_percent(percpu=True),
        psutil.virtual_memory().available,
        *(process.cpu_times() for process in tree),
        *(process.memory_info().rss for process in tree),
    ]


def _psutil_slow(tree: list[psutil.Process]) -> list[object]:
    """The readings that a full tick adds, but for what is missing in psutil's favour: peak memory, new descendants."""
    own = psutil.Process()
    return [
        psutil.virtual_memory().total,
        psutil.swap_memory().used,
        psutil.disk_io_counters(perdisk=True),
        psutil.net_io_counters(pernic=True),
        *(process.memory_info().shared for process in tree),
        own.cpu_times(),
        own.memory_info().rss,
    ]


def _print_lateness(root: Path, pid: int) -> None:
    """Lateness of ticks at 100 Hz, as the frames' time axes have it."""
    times_ns: list[int] = []

    def keep(frame: SampledFrame) -> None:
        for block in frame.blocks:
            if any(channel.metric == "edgeprof_memory_available_bytes" for channel in block.channels):
                times_ns.extend(block.times_monotonic_ns)

    with _sampler(root, pid, run_cadence("run", fast_hertz=100), keep):
        time.sleep(_LATENESS_SECONDS)
    late_us = sorted(_lateness_us(times_ns, 10_000_000))
    p99_us = late_us[len(late_us) * 99 // 100]
    budget_share = p99_us / _LATENESS_BUDGET_US
    print(f"lateness at 100 Hz, p50                  {late_us[len(late_us) // 2]:8.1f} us  ({len(late_us)} ticks)")
    print(f"lateness at 100 Hz, p99                  {p99_us:8.1f} us  ({budget_share:.2f} of the budget of 2 ms)")
    print(f"lateness at 100 Hz, largest              {late_us[-1]:8.1f} us")


def _lateness_us(times_ns: Sequence[int], period_ns: int) -> Iterator[float]:
    """By how much each tick was later than the first that was due after the one before, left out or not."""
    start_ns = times_ns[0]
    for last_ns, time_ns in pairwise(times_ns):
        due_ns = start_ns + ((last_ns - start_ns) // period_ns + 1) * period_ns
        yield (time_ns - due_ns) / 1000


def _cpu_share(root: Path, pid: int, cadence: Cadence) -> float:
    """CPU time of all threads of this process while it samples and does nothing else."""
    with _sampler(root, pid, cadence, lambda _: None):
        start_ns = time.process_time_ns()
        time.sleep(_SHARE_SECONDS)
        return (time.process_time_ns() - start_ns) / 1e9 / _SHARE_SECONDS


@contextmanager
def _sampler(root: Path, pid: int, cadence: Cadence, on_frame: Callable[[SampledFrame], None]) -> Iterator[None]:
    sampler = Sampler(discover_sensors(root), on_frame, cadence)
    sampler.start()
    sampler.follow_process(pid)
    yield
    sampler.stop()


if __name__ == "__main__":
    main()
