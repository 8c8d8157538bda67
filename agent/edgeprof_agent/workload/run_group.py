"""Control groups for runs, within the part of the tree that systemd has delegated to the agent.

The agent moves itself into a leaf, and each run gets one beside it: a run that takes all memory ends as a whole and
alone, one that takes every core does not keep the agent from its stream, and nothing of it outlives it.
https://systemd.io/CGROUP_DELEGATION/ and https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

import errno
import logging
import os
import signal
import sys
import time
from pathlib import Path

from edgeprof.errors import EdgeprofError

_log = logging.getLogger(__name__)

_TREE = Path("sys/fs/cgroup")
_AGENT = "agent"
_RUN = "run-"
_CONTROLLERS = ("cpu", "memory", "pids")
# The agent needs little, and what it needs at once: the default weight is 100.
_AGENT_CPU_WEIGHT = "1000"
_EMPTY_SECONDS = 2.0
_LOOK_SECONDS = 0.01

# The shell moves itself before it becomes the command, so that not even the command's first child is outside.
_ENTER = 'echo 0 > "$0" && exec "$@"'


class DelegatedTree:
    """The agent's part of the tree of control groups.

    Args:
        home: the group of the agent's unit, which it may write.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    @classmethod
    def take_over(cls, root: Path) -> "DelegatedTree | None":
        """Make this process a leaf of its unit's group; ``None`` if that is not delegated to it, or not of version 2.

        A unit is delegated with ``Delegate=yes``: its group belongs to the service's user, or says so if that is root.
        """
        home = _own_group(root)
        if home is None or not _is_delegated(home):
            return None
        tree = cls(home)
        try:
            tree.enter_leaf()
        except OSError as error:
            _log.warning("%s: no control groups for runs: %s", home, error.strerror)
            return None
        return tree

    def group_for(self, run_id: str, memory_bytes: int | None) -> "RunGroup":
        """Make the group of a run, which may take ``memory_bytes`` at most.

        Raises:
            EdgeprofError: the kernel refuses it.
        """
        path = self._home / f"{_RUN}{run_id}"
        try:
            path.mkdir()
            _set(path / "memory.oom.group", "1")
            if memory_bytes is not None:
                _set(path / "memory.max", str(memory_bytes))
        except OSError as error:
            raise EdgeprofError(f"there is no control group for the run: {path}: {error.strerror}") from error
        return RunGroup(path)

    def enter_leaf(self) -> None:
        """Leave the inner node to its leaves: only what has no processes of its own may share controllers out.

        What runs of an agent that was killed have left behind is ended.
        """
        leaf = self._home / _AGENT
        leaf.mkdir(exist_ok=True)
        for pid in _processes(self._home):
            (leaf / "cgroup.procs").write_text(str(pid), encoding="ascii")
        there = (self._home / "cgroup.controllers").read_text(encoding="ascii").split()
        wanted = " ".join(f"+{controller}" for controller in _CONTROLLERS if controller in there)
        if wanted:
            (self._home / "cgroup.subtree_control").write_text(wanted, encoding="ascii")
        _set(leaf / "cpu.weight", _AGENT_CPU_WEIGHT)
        for left in self._home.glob(f"{_RUN}*"):
            RunGroup(left).end()


class RunGroup:
    """The control group of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def launcher(self) -> tuple[str, ...]:
        """What goes before a command that is to run within the group."""
        return ("/bin/sh", "-c", _ENTER, str(self._path / "cgroup.procs"))

    def end(self) -> None:
        """End whatever is left in the group, and remove it."""
        deadline = time.monotonic() + _EMPTY_SECONDS
        while True:
            for pid in _processes(self._path):
                _kill(pid)
            try:
                self._path.rmdir()
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ENOTEMPTY) or time.monotonic() > deadline:
                    _log.warning("%s cannot be removed: %s", self._path, error.strerror)
                    return
                time.sleep(_LOOK_SECONDS)  # the kernel takes a moment to bury what was killed
                continue
            return


def _own_group(root: Path) -> Path | None:
    """The group of this process in the tree of version 2: proc(5), /proc/[pid]/cgroup."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    home = root / _TREE / path
    return home if path and (home / "cgroup.controllers").exists() else None


def _is_delegated(home: Path) -> bool:
    if os.geteuid():
        return home.stat().st_uid == os.geteuid()
    if sys.platform != "linux":
        return False
    try:
        return os.getxattr(home, "user.delegate") == b"1"
    except OSError:  # not said
        return False


def _processes(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _set(file: Path, value: str) -> None:
    """Write a setting, where the kernel has the controller that it belongs to."""
    if file.exists():
        file.write_text(value, encoding="ascii")
