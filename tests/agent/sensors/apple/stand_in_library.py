"""The libraries of macOS under a root that is no Mac's: a stand-in for all of them, compiled here."""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from edgeprof_agent.sensors.apple.bindings import CORE_FOUNDATION, IO_KIT, IO_REPORT, METAL, OBJECTIVE_C, SYSTEM

SOURCES = Path(__file__).parent / "stand_in"
STATE = "mac.tsv"
_LIBRARY = "stand_in.so"
_PLACES = (CORE_FOUNDATION, IO_KIT, IO_REPORT, SYSTEM, METAL, OBJECTIVE_C)


def install(root: Path) -> None:
    """Put the stand-in under every library's name. It plays the Mac that ``mac.tsv`` beside it tells of."""
    shutil.copyfile(_compiled(), root / _LIBRARY)
    (root / _LIBRARY).chmod(0o755)
    for place in _PLACES:
        link = root / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(root / _LIBRARY)


def alive(root: Path) -> int:
    """Count the objects and handles that nobody has let go of."""
    return int(_library(root).stand_in_alive())


def misuses(root: Path) -> int:
    """Count what was done to objects that were gone, or of another kind."""
    return int(_library(root).stand_in_misuses())


def _library(root: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(root / _LIBRARY))
    for name in ("stand_in_alive", "stand_in_misuses"):
        getattr(library, name).restype = ctypes.c_long
    return library


@cache
def _compiled() -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    folder = Path(tempfile.mkdtemp(prefix="edgeprof-stand-in-"))
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-Wl,-Bsymbolic"]
    subprocess.run([*command, "-o", folder / _LIBRARY, *sorted(SOURCES.glob("*.c"))], check=True)
    return folder / _LIBRARY
