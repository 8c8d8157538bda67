"""Every device tree against its golden files: what its sensors give, and what the device is said to be."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from edgeprof_agent.recording.golden import exposition
from edgeprof_agent.sensors.device_facts import gather_device_facts
from tests.agent.sensors.devices import NAMES, Device, close


def compare(golden: Path, text: str, update: bool) -> None:
    if update:
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@pytest.mark.skipif(os.sysconf("SC_PAGE_SIZE") != 4096, reason="the trees count resident memory in pages of 4096 bytes")
@pytest.mark.parametrize("name", NAMES)
def test_exposition(name: str, tmp_path: Path, update: bool) -> None:
    device = Device(name, tmp_path)
    sensors = device.discover()
    for sensor in sensors:
        sensor.sample()
    device.pass_time()
    text = exposition(reading for sensor in sensors for reading in sensor.sample())
    close(sensors)
    compare(device.folder / "exposition.txt", text, update)


@pytest.mark.parametrize("name", NAMES)
def test_facts(name: str, tmp_path: Path, update: bool) -> None:
    device = Device(name, tmp_path)
    facts = asdict(gather_device_facts(device.root, "device-1", {"rack": "3"}))
    del facts["agent_version"]
    if not (device.root / "proc/sys/kernel/arch").exists():
        assert facts.pop("architecture")  # kernels before 6.1 do not show it in a file: it is this machine's
    compare(device.folder / "facts.json", json.dumps(facts, indent=2) + "\n", update)
