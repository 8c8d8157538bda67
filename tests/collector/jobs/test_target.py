"""Which device is meant."""

from collections.abc import Sequence

import pytest

from edgeprof_collector.jobs.target import find_device
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import DeviceRecord
from tests.collector.store.samples import facts


def devices(*names: tuple[str, str]) -> Sequence[DeviceRecord]:
    return [
        DeviceRecord(facts=facts(device_id, hostname), first_seen_wall_ns=0, last_seen_wall_ns=0)
        for device_id, hostname in names
    ]


def test_a_device_is_found_by_its_id_or_its_hostname() -> None:
    known = devices(("a1", "jetson"), ("b2", "nuc"), ("nuc", "other"))
    assert find_device(known, "a1").facts.device_id == "a1"
    assert find_device(known, "jetson").facts.device_id == "a1"
    assert find_device(known, "nuc").facts.device_id == "nuc"


def test_a_hostname_of_several_devices_is_not_enough() -> None:
    with pytest.raises(NotFoundError, match="a1, b2"):
        find_device(devices(("a1", "jetson"), ("b2", "jetson")), "jetson")


def test_an_unknown_device_is_named_beside_the_known() -> None:
    with pytest.raises(NotFoundError, match="'nano'; known: a1"):
        find_device(devices(("a1", "jetson")), "nano")
    with pytest.raises(NotFoundError, match="no device has connected yet"):
        find_device([], "nano")
