"""Which devices are meant."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.target import find_device, find_devices
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


def ids(found: Sequence[DeviceRecord]) -> list[str]:
    return [device.facts.device_id for device in found]


def test_labels_all_and_names_together_name_each_device_once() -> None:
    known = [
        replace(device, facts=replace(device.facts, labels=labels))
        for device, labels in zip(
            devices(("a1", "x"), ("b2", "y"), ("c3", "z")),
            [{"family": "jetson", "site": "lab"}, {"family": "mac"}, {"family": "jetson"}],
            strict=True,
        )
    ]
    assert ids(find_devices(known, ["family=jetson"])) == ["a1", "c3"]
    assert ids(find_devices(known, ["all"])) == ["a1", "b2", "c3"]
    assert ids(find_devices(known, ["y", "site=lab", "family=jetson"])) == ["b2", "a1", "c3"]
    with pytest.raises(NotFoundError, match="'family=nano'; known: family=jetson, family=mac, site=lab"):
        find_devices(known, ["a1", "family=nano"])


def test_devices_of_imported_results_are_not_meant() -> None:
    (device,) = devices(("a1", "x"))
    imported = replace(device, facts=replace(device.facts, imported_from="llama-bench", labels={"family": "jetson"}))
    for target in ("all", "family=jetson"):
        with pytest.raises(NotFoundError):
            find_devices([imported], [target])
    with pytest.raises(EdgeprofError, match="imported from llama-bench"):
        find_devices([imported], ["a1"])
