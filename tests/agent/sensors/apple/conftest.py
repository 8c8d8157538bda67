"""Macs of the stand-in, which must not have been misused in the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.sensors.apple.played_mac import PlayedMac


@pytest.fixture
def mac(tmp_path: Path) -> Iterator[PlayedMac]:
    root = tmp_path / "mac"
    root.mkdir()
    played = PlayedMac(root)
    yield played
    assert played.misuses == 0
