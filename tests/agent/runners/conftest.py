"""The programs that `make runners` builds, and models for them. Where a program is not built its tests are skipped."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.agent.engines.tiny_model import write_tiny_model


def built(program: str, target: str) -> str:
    """The path of a program, where edgeprof looks for it."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not built: make {target}")
    return found


@pytest.fixture(scope="session")
def candle() -> str:
    """The path of Candle's program."""
    return built("edgeprof-candle", "runners")


@pytest.fixture(scope="session")
def kalosm() -> str:
    """The path of Kalosm's program."""
    return built("edgeprof-kalosm", "runners-kalosm")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic model of a few megabytes. Tests share it, so they must not change it."""
    return write_tiny_model(tmp_path_factory.mktemp("models"))
