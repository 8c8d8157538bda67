"""Control groups for runs: on a tree of plain files everywhere, and on the kernel's own where this is root."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.run_group import DelegatedTree, RunGroup

from .runs import OBEDIENT_ENGINE

UNIT = "system.slice/edgeprof-agent.service"
# Where the kernel's tree of version 2 is, beside version 1 or alone.
KERNEL_TREES = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A device whose systemd has delegated the agent's unit, in plain files."""
    home = tmp_path / "sys/fs/cgroup" / UNIT
    home.mkdir(parents=True)
    (home / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (home / "cgroup.procs").write_text("4711\n")
    (home / "cgroup.subtree_control").write_text("")
    agent = home / "agent"
    agent.mkdir()
    (agent / "cpu.weight").write_text("100\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"1:name=systemd:/x\n0::/{UNIT}\n")
    if not os.geteuid():
        os.setxattr(home, "user.delegate", b"1")
    return tmp_path


def test_the_agent_becomes_a_leaf_and_shares_out_what_is_delegated(root: Path) -> None:
    home = root / "sys/fs/cgroup" / UNIT
    assert DelegatedTree.take_over(root) is not None
    assert (home / "agent/cgroup.procs").read_text() == "4711"
    assert (home / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (home / "agent/cpu.weight").read_text() == "1000"


@pytest.mark.parametrize("missing", ["proc/self/cgroup", f"sys/fs/cgroup/{UNIT}/cgroup.controllers"])
def test_without_version_2_there_are_no_groups(root: Path, missing: str) -> None:
    (root / missing).unlink()
    assert DelegatedTree.take_over(root) is None


def test_a_group_that_is_not_delegated_is_left_alone(root: Path) -> None:
    home = root / "sys/fs/cgroup" / UNIT
    if os.geteuid():
        (root / "proc/self/cgroup").write_text("0::/\n")  # the root group is nobody's
    else:
        os.removexattr(home, "user.delegate")
    assert DelegatedTree.take_over(root) is None
    assert (home / "cgroup.subtree_control").read_text() == ""


def test_a_run_has_a_group_with_its_limits(root: Path) -> None:
    tree = DelegatedTree.take_over(root)
    assert tree
    group = tree.group_for("run-1", 1 << 30)
    path = root / "sys/fs/cgroup" / UNIT / "run-run-1"
    assert path.is_dir()
    assert group.launcher[-1] == str(path / "cgroup.procs")
    group.end()
    assert not path.exists()
    group.end()  # it may have been removed already
    tree.group_for("run-2", None)
    with pytest.raises(EdgeprofError, match="there is no control group for the run"):
        tree.group_for("run-2", None)


@pytest.fixture
def kernel_group() -> Iterator[Path]:
    """A group of the kernel's own."""
    tree = next((tree for tree in KERNEL_TREES if (tree / "cgroup.controllers").exists()), None)
    if tree is None or not os.access(tree, os.W_OK):
        pytest.skip("there is no tree of control groups, version 2, that this user may write")
    path = tree / f"edgeprof-test-{uuid.uuid4().hex}"
    path.mkdir()
    try:
        yield path
    finally:
        for group in (*(each for each in path.iterdir() if each.is_dir()), path):
            RunGroup(group).end()


@pytest.mark.root
def test_the_kernel_keeps_a_run_together_and_ends_all_of_it(kernel_group: Path) -> None:
    """Without controllers, which version 1 holds on many machines: what is limited is not shown, only what is ended."""
    tree = DelegatedTree(kernel_group)
    tree.enter_leaf()
    group = tree.group_for("r", None)
    script = "sleep 600 & setsid sleep 600 & cat /proc/self/cgroup; echo ready; exec sleep 600"
    with subprocess.Popen([*group.launcher, "/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            lines = list(iter(process.stdout.readline, "ready\n"))
            assert any(line.startswith("0::") and line.endswith("/run-r\n") for line in lines)
            members = (kernel_group / "run-r/cgroup.procs").read_text().split()
        finally:
            group.end()
        assert str(process.pid) in members
        assert len(members) == 3
    assert not (kernel_group / "run-r").exists()
    assert not [pid for pid in members if Path(f"/proc/{pid}").exists() and _is_running(pid)]


@pytest.mark.root
def test_an_engine_runs_in_the_group_of_its_run(
    kernel_group: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEPROF_TEST_COMMANDS", str(tmp_path / "commands"))
    group = DelegatedTree(kernel_group).group_for("r", None)

    async def scenario() -> None:
        process = await EngineProcess.start(OBEDIENT_ENGINE, sys.executable, launcher=group.launcher)
        assert (kernel_group / "run-r/cgroup.procs").read_text().split() == [str(process.pid)]
        await process.close()

    asyncio.run(scenario())
    group.end()


def _is_running(pid: str) -> bool:
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
