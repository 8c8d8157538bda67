"""The latest values: what a device's frames put there, and what goes again."""

from collections.abc import Iterator

import pytest

from edgeprof.telemetry import Channel
from edgeprof.v1.telemetry_pb2 import Integers
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from tests.collector.exposition.devices import BUSY, CORE_0, CORE_1, READ, TOTAL, frame, layout


class _Clock:
    """Seconds since 1970 that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def health() -> CollectorHealth:
    return CollectorHealth()


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def latest(health: CollectorHealth, clock: _Clock) -> LatestValues:
    return LatestValues(health, now=clock)


def _lines(latest: LatestValues) -> dict[str, float]:
    """All series but those of presence."""
    return {series.strip(): value for series, value in _values(latest) if "edgeprof_device_" not in series}


def _values(latest: LatestValues) -> Iterator[tuple[str, float]]:
    for family in latest.families():
        yield from family.values.items()


def _presence(latest: LatestValues, device: str) -> tuple[float, float]:
    values = dict(_values(latest))
    return (
        values[f'edgeprof_device_connected{{device="{device}"}} '],
        values[f'edgeprof_device_last_seen_timestamp_seconds{{device="{device}"}} '],
    )


def test_what_a_device_lost_is_counted_and_stays_when_it_goes(latest: LatestValues) -> None:
    series = 'edgeprof_device_lost_messages_total{device="pi"} '
    latest.on_lost("pi", 4)
    latest.on_connected("pi")
    latest.on_lost("pi", 3)
    latest.on_disconnected("pi")
    latest.on_connected("orin")
    assert dict(_values(latest))[series] == 7
    assert dict(_values(latest))[series.replace("pi", "orin")] == 0


def test_a_frame_gives_each_channel_its_last_value_in_base_units(latest: LatestValues) -> None:
    layouts = {1: layout(1, [BUSY, CORE_1, READ]), 2: layout(2, [TOTAL])}
    latest.on_connected("pi")

    latest.on_frame("pi", layouts, frame({1: [253, 1000, 7], 2: [3]}))

    assert _lines(latest) == {
        'edgeprof_cpu_busy_ratio{device="pi"}': 0.253,
        'edgeprof_cpu_core_busy_ratio{device="pi",core="1"}': 1.0,
        'edgeprof_disk_read_bytes_total{device="pi",disk="nvme0n1"}': 3584,
        'edgeprof_memory_total_bytes{device="pi"}': 12288,
    }


def test_devices_stand_side_by_side_in_a_family(latest: LatestValues) -> None:
    for device in ("pi", "orin"):
        latest.on_connected(device)
        latest.on_frame(device, {1: layout(1, [BUSY])}, frame({1: [500]}))

    (family,) = [family for family in latest.families() if family.name == "edgeprof_cpu_busy_ratio"]

    assert set(family.values) == {
        'edgeprof_cpu_busy_ratio{device="pi"} ',
        'edgeprof_cpu_busy_ratio{device="orin"} ',
    }


def test_a_channel_that_gave_nothing_has_no_value(latest: LatestValues) -> None:
    layouts = {1: layout(1, [CORE_0, CORE_1])}
    latest.on_connected("pi")
    latest.on_frame("pi", layouts, frame({1: [1, 2]}))

    latest.on_frame("pi", layouts, frame({1: [None, 3]}))

    assert _lines(latest) == {'edgeprof_cpu_core_busy_ratio{device="pi",core="1"}': 0.003}


def test_a_device_that_is_gone_has_no_values_but_is_remembered(latest: LatestValues, clock: _Clock) -> None:
    latest.on_connected("pi")
    latest.on_frame("pi", {1: layout(1, [BUSY])}, frame({1: [500]}))
    assert _presence(latest, "pi") == (1, 1000.0)

    clock.seconds = 1060.0
    latest.on_disconnected("pi")

    assert _lines(latest) == {}
    assert _presence(latest, "pi") == (0, 1060.0)


def test_a_frame_that_arrives_after_its_device_has_gone_is_left_out(latest: LatestValues) -> None:
    latest.on_connected("pi")
    latest.on_disconnected("pi")

    latest.on_frame("pi", {1: layout(1, [BUSY])}, frame({1: [500]}))

    assert _lines(latest) == {}
    assert _presence(latest, "pi")[0] == 0


def test_devices_of_an_earlier_process_are_remembered(health: CollectorHealth) -> None:
    latest = LatestValues(health, last_seen=[("pi", 900.0)])

    assert _presence(latest, "pi") == (0, 900.0)
    latest.on_connected("pi")
    assert _presence(latest, "pi")[0] == 1


def test_every_frame_moves_the_last_seen_time(latest: LatestValues, clock: _Clock) -> None:
    latest.on_connected("pi")
    clock.seconds = 1010.0

    latest.on_frame("pi", {}, frame({}))

    assert _presence(latest, "pi") == (1, 1010.0)


def test_a_channel_that_moves_to_another_layout_keeps_one_value(latest: LatestValues) -> None:
    layouts = {1: layout(1, [BUSY, TOTAL]), 2: layout(2, [BUSY])}
    latest.on_connected("pi")
    latest.on_frame("pi", layouts, frame({1: [100, 1]}, end_seconds=10))

    latest.on_frame("pi", layouts, frame({2: [200]}, end_seconds=69))

    assert _lines(latest) == {
        'edgeprof_cpu_busy_ratio{device="pi"}': 0.2,
        'edgeprof_memory_total_bytes{device="pi"}': 4096,
    }


def test_a_channel_that_is_no_longer_sent_loses_its_value(latest: LatestValues) -> None:
    layouts = {1: layout(1, [BUSY, TOTAL]), 2: layout(2, [BUSY])}
    latest.on_connected("pi")
    latest.on_frame("pi", layouts, frame({1: [100, 1]}, end_seconds=10))

    latest.on_frame("pi", layouts, frame({2: [200]}, end_seconds=71))

    assert _lines(latest) == {'edgeprof_cpu_busy_ratio{device="pi"}': 0.2}


def test_a_layout_number_of_a_new_spool_may_mean_other_channels(latest: LatestValues) -> None:
    latest.on_connected("pi")
    latest.on_frame("pi", {1: layout(1, [BUSY])}, frame({1: [100]}))

    latest.on_connected("pi")
    latest.on_frame("pi", {1: layout(1, [TOTAL])}, frame({1: [5]}))

    assert _lines(latest) == {'edgeprof_memory_total_bytes{device="pi"}': 20480}


def test_values_of_an_earlier_boot_go(latest: LatestValues) -> None:
    layouts = {1: layout(1, [BUSY]), 2: layout(2, [TOTAL])}
    latest.on_connected("pi")
    latest.on_frame("pi", layouts, frame({1: [100]}, end_seconds=100_000))

    latest.on_frame("pi", layouts, frame({2: [1]}, end_seconds=5, boot_id=b"2" * 16))

    assert _lines(latest) == {'edgeprof_memory_total_bytes{device="pi"}': 4096}


@pytest.mark.parametrize(
    "unknown",
    [
        Channel("edgeprof_of_tomorrow_ratio", (), "test", 0.1),
        Channel("edgeprof_cpu_busy_ratio", (("core", "1"),), "test", 0.001),
    ],
    ids=["metric", "label"],
)
def test_what_this_version_does_not_know_is_left_out(latest: LatestValues, unknown: Channel) -> None:
    latest.on_connected("pi")

    latest.on_frame("pi", {1: layout(1, [unknown, TOTAL])}, frame({1: [1, 2]}))

    assert _lines(latest) == {'edgeprof_memory_total_bytes{device="pi"}': 8192}


def test_a_malformed_frame_is_counted_and_changes_nothing(latest: LatestValues, health: CollectorHealth) -> None:
    layouts = {1: layout(1, [BUSY])}
    latest.on_connected("pi")
    latest.on_frame("pi", layouts, frame({1: [100]}))
    bad = frame({1: [200]})
    bad.blocks[0].last_values = Integers(values=[1, 2, 3]).SerializeToString()

    latest.on_frame("pi", layouts, bad)
    latest.on_frame("pi", layouts, frame({7: [200]}))

    assert _lines(latest) == {'edgeprof_cpu_busy_ratio{device="pi"}': 0.1}
    assert "edgeprof_collector_bad_frames_total 2.0\n" in health.text()


def test_connected_devices_are_counted_once_each(latest: LatestValues, health: CollectorHealth) -> None:
    for device in ("pi", "orin", "pi"):
        latest.on_connected(device)
    latest.on_disconnected("orin")
    latest.on_disconnected("orin")

    assert "edgeprof_collector_connected_devices 1.0\n" in health.text()
