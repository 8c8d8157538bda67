import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import registry
from edgeprof_agent.sensors.registry import FAMILIES, Family, discover_sensors


class Quiet:
    tier = Tier.FAST

    def __init__(self, name: str) -> None:
        self.name = name

    def sample(self) -> Sequence[Reading]:
        return ()


def fail(root: Path) -> None:
    raise OSError(f"{root} is on fire")


def test_every_family_has_a_name_of_its_own() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_sensors_come_in_the_order_of_their_families(tmp_path: Path) -> None:
    families = (
        Family("pair", lambda _: (Quiet("b"), Quiet("a"))),
        Family("none", lambda _: None),
        Family("one", lambda _: Quiet("c")),
    )
    assert [sensor.name for sensor in discover_sensors(tmp_path, families)] == ["b", "a", "c"]


def test_a_family_that_fails_is_reported_and_the_others_are_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    families = (Family("broken", fail), Family("sound", lambda _: Quiet("sound")))
    with caplog.at_level(logging.WARNING):
        assert [sensor.name for sensor in discover_sensors(tmp_path, families)] == ["sound"]
    assert [record.message for record in caplog.records] == [f"sensors of broken are left out: {tmp_path} is on fire"]


def test_a_family_that_hangs_is_left_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(registry, "_DISCOVERY_SECONDS", 0.01)

    def hang(_: Path) -> None:
        release.wait()

    families = (Family("hanging", hang), Family("sound", lambda _: Quiet("sound")))
    with caplog.at_level(logging.WARNING):
        assert [sensor.name for sensor in discover_sensors(tmp_path, families)] == ["sound"]
    release.set()
    assert caplog.records[0].message.startswith("sensors of hanging are left out: no answer")
