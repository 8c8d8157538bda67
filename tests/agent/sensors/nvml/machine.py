"""A machine with GPUs of the stand-in: a process of its own that has it loaded."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[3]
TODAY = 595  # the driver's generation, unless a test says another

Start = Callable[..., "Machine"]


class Machine:
    """Sends a command to the process and returns its answer."""

    def __init__(self, library_folder: Path, gpus: str, scratch: Path, *, mig: bool) -> None:
        self._trouble = scratch / "trouble"
        self._processes = scratch / "processes"
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(library_folder),
            "STAND_IN_GPUS": gpus,
            "STAND_IN_TROUBLE": str(self._trouble),
            "STAND_IN_PROCESSES": str(self._processes),
            "STAND_IN_PCI": str(scratch / "pci"),
            **({"STAND_IN_MIG": "1"} if mig else {}),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.agent.sensors.nvml.child"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid

    def __call__(self, word: str, *numbers: int) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{' '.join((word, *map(str, numbers)))}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def trouble(self, words: str) -> None:
        """Replaced at one go: the stand-in reads it at any time."""
        new = self._trouble.with_suffix(".new")
        new.write_text(words)
        new.replace(self._trouble)

    def processes(self, *lines: str) -> None:
        self._processes.write_text("\n".join(lines))

    def end(self) -> int:
        self._process.communicate()
        return self._process.returncode


def compile_stand_in(folder: Path, driver: int, *options: str) -> Path:
    """Build the stand-in as a driver of this generation, and return the folder of its library."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", f"-DDRIVER={driver}", *options]
    subprocess.run([*command, "-o", folder / "libnvidia-ml.so.1", HERE / "stand_in.c"], check=True)
    return folder
