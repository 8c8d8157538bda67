from pathlib import Path

import pytest

from .runs import Device, write_tiny_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a synthetic model of a few megabytes. Tests share it, so they must not change it."""
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    """A device whose runs are recorded."""
    device = Device(tmp_path)
    monkeypatch.setenv("EDGEPROF_TEST_COMMANDS", str(device.commands_file))
    return device
