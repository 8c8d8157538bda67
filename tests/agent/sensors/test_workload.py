"""The workload's sensors on real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from edgeprof_agent.sensors import workload
from edgeprof_agent.sensors.proc_tree import ProcTree
from edgeprof_agent.sensors.process_tree import ProcessTree
from edgeprof_agent.sensors.psutil_tree import PsutilTree
from edgeprof_agent.sensors.workload import WorkloadMemory, WorkloadUsage

MIB = 1024**2
# Obeys a word per line, and answers each when it has obeyed.
OBEDIENT = """
import subprocess, sys, time
kept, children = [], []
for line in sys.stdin:
    match line.split():
        case "take", size:
            kept.append(b"x" * int(size))
        case "burn", seconds:
            end = time.process_time() + float(seconds)
            while time.process_time() < end:
                pass
        case "bear", :
            children.append(subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[1]],
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        case "tell", *words:
            children[-1].stdin.write(" ".join(words) + "\\n")
            children[-1].stdin.flush()
            children[-1].stdout.readline()
        case "lose", :
            children.pop().communicate()
    print("done", flush=True)
"""

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


class Workload:
    """A process that does as it is told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.pid = process.pid

    def __call__(self, words: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def started() -> Iterator[Workload]:
    command = [sys.executable, "-c", OBEDIENT, OBEDIENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Workload(process)
        process.communicate()


@pytest.fixture(params=[pytest.param("proc", marks=linux), "psutil"])
def tree(request: pytest.FixtureRequest) -> Iterator[ProcessTree]:
    found: ProcessTree = ProcTree(Path("/proc")) if request.param == "proc" else PsutilTree()
    yield found
    found.follow(None)


def test_nothing_is_read_before_a_process_is_named(tree: ProcessTree) -> None:
    assert WorkloadUsage(tree).sample() == ()
    assert WorkloadMemory(tree).sample() == ()


def test_memory_and_time_of_descendants_are_counted(tree: ProcessTree) -> None:
    with started() as child:
        child("bear")
        tree.follow(child.pid)
        before = tree.usage()
        child(f"take {64 * MIB}")
        child(f"tell take {32 * MIB}")
        child("burn 0.1")
        child("tell burn 0.1")
        after = tree.usage()
        assert before is not None
        assert after is not None
        assert 95 * MIB < after.resident_bytes - before.resident_bytes < 130 * MIB
        assert 0.15 < after.cpu_seconds - before.cpu_seconds < 2


def test_children_born_later_are_found_by_a_refresh(tree: ProcessTree) -> None:
    with started() as child:
        tree.follow(child.pid)
        before = tree.usage()
        child("bear")
        child("tell bear")
        child(f"tell tell take {64 * MIB}")
        tree.refresh()
        after = tree.usage()
        assert before is not None
        assert after is not None
        assert after.resident_bytes - before.resident_bytes > 64 * MIB


def test_time_does_not_fall_when_a_child_ends(tree: ProcessTree) -> None:
    with started() as child:
        child("bear")
        tree.follow(child.pid)
        child("tell burn 0.2")
        before = tree.usage()
        child("lose")
        after = tree.usage()
        assert before is not None
        assert after is not None
        assert after.cpu_seconds >= before.cpu_seconds > 0.15
        assert after.resident_bytes < before.resident_bytes


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="this platform cannot wait without reaping")
def test_a_process_that_has_ended_gives_no_readings(tree: ProcessTree) -> None:
    with started() as child:
        tree.follow(child.pid)
        assert tree.usage() is not None
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays behind as a zombie
        assert tree.usage() is None
        assert tree.resident_kinds() is None
        child.process.wait()
        tree.refresh()
        assert tree.usage() is None
        assert tree.resident_kinds() is None


def test_a_process_that_never_was_gives_no_readings(tree: ProcessTree) -> None:
    tree.follow(2**22 + 1)  # above the kernel's highest
    assert tree.usage() is None
    assert tree.resident_kinds() is None


def test_strangers_are_not_counted(tree: ProcessTree) -> None:
    with started() as child, started() as stranger:
        stranger(f"take {64 * MIB}")
        tree.follow(child.pid)
        tree.refresh()
        usage = tree.usage()
        assert usage is not None
        assert usage.resident_bytes < 64 * MIB


@linux
def test_memory_by_kind_and_its_peak() -> None:
    tree = ProcTree(Path("/proc"))
    with started() as child:
        tree.follow(child.pid)
        before = tree.resident_kinds()
        child(f"take {64 * MIB}")
        kinds = tree.resident_kinds()
        assert before is not None
        assert kinds is not None
        assert 63 * MIB < kinds.anonymous_bytes - before.anonymous_bytes < 80 * MIB
        assert abs(kinds.file_bytes - before.file_bytes) < 16 * MIB
        assert kinds.peak_bytes >= psutil.Process(child.pid).memory_info().rss - 16 * MIB
    tree.follow(None)


@linux
def test_open_files_of_processes_are_closed() -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    tree = ProcTree(Path("/proc"))
    with started() as child:
        child("bear")
        tree.follow(child.pid)
        tree.usage()
        tree.resident_kinds()
        child("lose")
        tree.usage()
        tree.follow(None)
    assert len(list(Path("/dev/fd").iterdir())) == before


@linux
def test_following_the_same_process_again_changes_nothing() -> None:
    tree = ProcTree(Path("/proc"))
    with started() as child:
        tree.follow(child.pid)
        child("burn 0.05")
        first = tree.usage()
        tree.follow(child.pid)
        second = tree.usage()
        assert first is not None
        assert second is not None
        assert second.cpu_seconds >= first.cpu_seconds
    tree.follow(None)


def test_the_sensors_share_one_tree() -> None:
    usage, memory = workload.discover(Path("/"))
    assert isinstance(usage, WorkloadUsage)
    assert isinstance(memory, WorkloadMemory)
    with started() as child:
        usage.follow(child.pid)
        memory.follow(child.pid)
        readings = [*usage.sample(), *memory.sample()]
        assert len({channel.metric for channel, _ in readings}) == len(readings) >= 2
        usage.follow(None)
        assert memory.sample() == ()
        memory.close()


def stat(proc: Path, pid: int, parent: int, major_faults: int, waited_for: int) -> Path:
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    zeros = " 0" * 40
    (folder / "stat").write_text(f"{pid} (a) b) S {parent} 1 1 0 -1 0 7 8 {major_faults} {waited_for}{zeros}\n")
    return folder / "stat"


def test_major_faults_of_the_whole_tree_never_fall(tmp_path: Path) -> None:
    stat(tmp_path, 10, 1, 3, 1)
    child = stat(tmp_path, 11, 10, 5, 0)
    stat(tmp_path, 12, 1, 100, 100)  # somebody else's
    tree = ProcTree(tmp_path)
    tree.follow(10)
    told = {channel.metric: value for channel, value in WorkloadUsage(tree).sample()}
    assert told["edgeprof_workload_major_page_faults_total"] == 9
    child.unlink()
    tree.follow(None)
    tree.follow(10)
    stat(tmp_path, 10, 1, 4, 6)
    usage = tree.usage()
    assert usage is not None
    assert usage.major_faults == 10
    stat(tmp_path, 10, 1, 4, 0)  # its children's are gone, since nobody waited for them
    usage = tree.usage()
    assert usage is not None
    assert usage.major_faults == 10
    tree.follow(None)
