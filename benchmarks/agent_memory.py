"""How much memory the agent takes, idle and connected to a collector, and how much of it is the libraries' floor.

    python -m benchmarks.agent_memory [--seconds 20]

Resident memory as the kernel counts it (/proc/PID/smaps_rollup). Pages of files, such as the libraries, are shared
with other processes and can be read again; anonymous ones are the agent's own. The floor is this Python with
asyncio, gRPC and SQLite loaded, doing nothing.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgeprof_collector.profile.companion import Companion

BUDGET_BYTES = 50_000_000
FLOOR = "import asyncio, sqlite3, sys, grpc.aio; print(flush=True); sys.stdin.read()"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="how long the agent is idle before it is measured")
    seconds = parser.parse_args().seconds
    print(describe("agent", idle_agent(seconds)))
    print(describe("floor", floor()))


def describe(name: str, memory: dict[str, int]) -> str:
    """One line: resident memory beside the budget, and what it is made of."""
    resident = memory["Rss"]
    return (
        f"{name}: {resident / 1e6:.1f} MB resident, {resident / BUDGET_BYTES:.2f} of the budget; "
        f"{memory['Anonymous'] / 1e6:.1f} MB of it anonymous; {memory['Pss'] / 1e6:.1f} MB with shared pages divided"
    )


def idle_agent(seconds: float) -> dict[str, int]:
    """The memory of an agent that has been connected for so many seconds."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = ("--store", str(folder / "store.sqlite"), "--grpc-port", "0", "--http-port", "0")
        with Companion.start("collector", [str(programs / "edgeprof"), "collector", *store], folder) as collector:
            folders = ("--state-folder", str(folder / "state"), "--cache-folder", str(folder / "cache"))
            command = [str(programs / "edgeprof-agent"), "run", "--collector", collector.ready["grpc"], *folders]
            with Companion.start("agent", command, folder) as agent:
                time.sleep(seconds)
                return memory_bytes(agent.pid)


def floor() -> dict[str, int]:
    """The memory of a Python that has loaded what the agent cannot do without."""
    with subprocess.Popen([sys.executable, "-c", FLOOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        memory = memory_bytes(process.pid)
        process.stdin.close()
    return memory


def memory_bytes(pid: int) -> dict[str, int]:
    """The kernel's account of a process's memory, which is in units of 1024 bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    main()
