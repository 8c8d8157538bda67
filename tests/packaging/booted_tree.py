"""A Debian of its own: a tree made by debootstrap, booted by systemd-nspawn, with a real systemd in it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

PATIENCE_SECONDS = 180.0
# Made once: it takes half a minute.
PRISTINE = Path(__file__).parents[2] / "build/debian-tree"

_SUITE = "bookworm"
_PACKAGES = "systemd,systemd-sysv,dbus,python3,ca-certificates"


class BootedTree:
    """A system that runs, with a network of its own that leads nowhere. Commands run inside."""

    def __init__(self, root: Path, leader: int) -> None:
        self.root = root
        self._leader = leader
        self._enter = ("nsenter", f"--target={leader}", "-m", "-u", "-i", "-n", "-p", "--root", "--wd=/")

    def try_to_run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command inside."""
        return subprocess.run(
            [*self._enter, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def run(self, *command: str) -> str:
        """Run a command inside that succeeds, and return what it says."""
        done = self.try_to_run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what}:\n{self.journal('*')}"
            time.sleep(0.2)

    def unit(self, name: str, prop: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={prop}", name).strip()

    def until_status(self, unit: str, words: str) -> None:
        """Wait until a service says of itself that it is so."""
        self.until(lambda: self.unit(unit, "StatusText").startswith(words), f"{unit} never said '{words}'")

    def journal(self, unit: str) -> str:
        """What a unit has logged."""
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def host_pid(self, pid: str) -> int:
        """What a process inside is called outside."""
        for process in psutil.Process(self._leader).children(recursive=True):
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except FileNotFoundError:
                continue  # it has ended
            if status.split("NSpid:")[1].split("\n")[0].split()[-1] == pid:
                return process.pid
        raise AssertionError(f"no process is {pid} inside")


@contextmanager
def booted(root: Path) -> Iterator[BootedTree]:
    """Copy the pristine tree to ``root`` and boot it; power it off in the end."""
    _make_pristine()
    subprocess.run(["cp", "--archive", PRISTINE, root], check=True)
    command = ["systemd-nspawn", "--keep-unit", "--register=no", "--private-network", f"--directory={root}", "--boot"]
    with (root.parent / "console").open("wb") as console:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    with process:
        try:
            tree = BootedTree(root, _leader(process))
            tree.until(lambda: tree.try_to_run("systemctl", "is-system-running").stdout == "running\n", "it never ran")
            yield tree
        finally:
            process.terminate()  # nspawn powers it off
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _leader(process: "subprocess.Popen[bytes]") -> int:
    """The first process inside."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "systemd-nspawn has ended"
        for child in psutil.Process(process.pid).children():
            if child.name() == "systemd":
                return child.pid
        time.sleep(0.1)
    raise AssertionError("systemd-nspawn has started nothing")


def _make_pristine() -> None:
    missing = [name for name in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'} (make system-packages, as root)")
    if PRISTINE.exists():
        return
    new = PRISTINE.with_name("debian-tree.new")
    shutil.rmtree(new, ignore_errors=True)
    PRISTINE.parent.mkdir(exist_ok=True)
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, new],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr
    new.rename(PRISTINE)
