"""Control groups that hold a real engine back, on Linux as root, and interpreters that start in one."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def control_group(controller: str, settings: tuple[tuple[str, str, str], ...]) -> Iterator[Path]:
    """A group with these settings: the file's name in version 1, that in version 2, and what is written to it.

    The test is skipped where no group can be made.
    """
    version = 1 if (_ROOT / controller).is_dir() else 2
    parent = _ROOT / controller if version == 1 else _ROOT
    group = parent / f"edgeprof-trap-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group of {controller} can be made: {error.strerror}; run this test as root")
    try:
        for of_first, of_second, value in settings:
            (group / (of_first if version == 1 else of_second)).write_text(value, encoding="ascii")
        yield group
    except FileNotFoundError as error:
        pytest.skip(f"the control groups here have no {error.filename}")
    finally:
        group.rmdir()


def python_within(group: Path, folder: Path) -> str:
    """An interpreter that enters the group before anything else."""
    path = folder / "python-in-a-group"
    path.write_text(f"#!/bin/sh\necho $$ > '{group}/cgroup.procs'\nexec '{sys.executable}' \"$@\"\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@contextmanager
def swap_file(folder: Path, size_bytes: int) -> Iterator[None]:
    """Swap on a file of its own; the test is skipped where there can be none."""
    path = folder / "swap"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size_bytes)
    path.chmod(0o600)
    for command in (["mkswap", str(path)], ["swapon", str(path)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{command[0]} a file cannot be had: {done.stderr.strip()}; run this test as root")
    try:
        yield
    finally:
        subprocess.run(["swapoff", str(path)], check=True)
