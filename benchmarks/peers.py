"""What edgeprof's agent costs beside collectd, node_exporter and glances, all sampling this machine once a second.

    python -m benchmarks.peers [--rounds 10]

All run side by side, so that each round finds the same machine for each of them: the CPU time of its processes over
ten seconds. node_exporter samples when it is asked, once a second; its asker's time is not counted. The agent is
connected to a collector, whose time is not counted either, and sends it a frame every ten seconds. edgeprof reads no
process when it is idle, so collectd is shown with and without its plug-in for all processes, and the others with
comparable plug-ins as well as they come.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.pairs import ratio_text
from benchmarks.peer_programs import INSTALL, Running, installed, scrape
from benchmarks.process_clock import TreeClock
from edgeprof_collector.profile.companion import Companion

ROUND_SECONDS = 10
WARM_UP_SECONDS = 12
BUDGET_SHARE = 0.003


def main() -> None:
    """Start them all, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help=f"rounds of {ROUND_SECONDS} s")
    rounds = parser.parse_args().rounds
    peers, missing = installed()
    for program in missing:
        print(f"{program} is not installed, so it is not measured: {INSTALL}")
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        agent = stack.enter_context(agent_running(folder))
        others = [stack.enter_context(peer.running(folder / str(number))) for number, peer in enumerate(peers)]
        programs = [agent, *others]
        scrape_each_second(programs, WARM_UP_SECONDS)
        clocks = [TreeClock(program.pid) for program in programs]
        costs = [round_costs(programs, clocks) for _ in range(rounds)]
        memory = [clock.resident_bytes() for clock in clocks]
    print_costs([program.name for program in programs], list(zip(*costs, strict=True)), memory)


@contextmanager
def agent_running(folder: Path) -> Iterator[Running]:
    """The agent, idle and connected to a collector."""
    programs = Path(sys.executable).parent
    store = ("--store", str(folder / "store.sqlite"), "--grpc-port", "0", "--http-port", "0")
    with Companion.start("collector", [str(programs / "edgeprof"), "collector", *store], folder) as collector:
        folders = ("--state-folder", str(folder / "state"), "--cache-folder", str(folder / "cache"))
        command = [str(programs / "edgeprof-agent"), "run", "--collector", collector.ready["grpc"], *folders]
        with Companion.start("agent", command, folder) as agent:
            yield Running("edgeprof-agent", agent.pid)


def scrape_each_second(programs: Sequence[Running], seconds: int) -> None:
    """Scrape those that sample only when they are scraped, once in each of so many seconds."""
    start = time.monotonic()
    for second in range(1, seconds + 1):
        for program in programs:
            if program.metrics_port is not None:
                scrape(program.metrics_port)
        time.sleep(max(0.0, start + second - time.monotonic()))


def round_costs(programs: Sequence[Running], clocks: Sequence[TreeClock]) -> list[float]:
    """CPU seconds per second of each program over one round."""
    before = [(time.monotonic(), clock.cpu_seconds()) for clock in clocks]
    scrape_each_second(programs, ROUND_SECONDS)
    after = [(time.monotonic(), clock.cpu_seconds()) for clock in clocks]
    return [(cpu - cpu_before) / (now - then) for (then, cpu_before), (now, cpu) in zip(before, after, strict=True)]


def print_costs(names: Sequence[str], costs: Sequence[Sequence[float]], memory_bytes: Sequence[int]) -> None:
    """CPU time per sample and memory of each, and how many times the agent's cost it has."""
    print(f"{'at 1 Hz':<28} {'CPU ms per sample':>18} {'share of a core':>16} {'resident MB':>12}")
    for name, shares, resident in zip(names, costs, memory_bytes, strict=True):
        share = statistics.median(shares)
        print(f"{name:<28} {share * 1e3:18.2f} {share:16.2%} {resident / 1e6:12.1f}")
    agent_share = statistics.median(costs[0])
    print(f"agent: {agent_share / BUDGET_SHARE:.2f} of the budget of {BUDGET_SHARE:.1%} of a core at 1 Hz")
    for name, shares in zip(names[1:], costs[1:], strict=True):
        print(ratio_text(f"{name} / agent", [share / own for share, own in zip(shares, costs[0], strict=True)]))


if __name__ == "__main__":
    main()
