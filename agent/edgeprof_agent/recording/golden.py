"""What the sensors give on a recorded tree, in the form that tests compare with."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from edgeprof.telemetry import Channel, Reading, dequantise, quantise
from edgeprof_agent.recording.tree import overlay
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.sensors.sensor import Closes, Sensor


def exposition_line(channel: Channel, value: float) -> str:
    """Return a reading as Prometheus writes it, rounded to the channel's resolution."""
    labels = ",".join(f'{name}="{label}"' for name, label in channel.labels)
    rounded = dequantise(quantise(value, channel.resolution), channel.resolution)
    return f"{channel.metric}{{{labels}}} {rounded:.15g}\n"


def exposition(readings: Iterable[Reading]) -> str:
    """Return the lines of readings in the order of their names."""
    return "".join(sorted(exposition_line(channel, value) for channel, value in readings))


def tree_readings(tree: Path, later: Path) -> list[Reading]:
    """Sample a tree, bring a copy of it to its later moment, and return the second sample."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        shutil.copytree(tree, root, symlinks=True)
        sensors = discover_sensors(root)
        for sensor in sensors:
            _sample(sensor)
        if later.exists():
            overlay(root, later)
        readings = [reading for sensor in sensors for reading in _sample(sensor)]
        for sensor in sensors:
            if isinstance(sensor, Closes):
                sensor.close()
        return readings


def _sample(sensor: Sensor) -> Sequence[Reading]:
    try:
        return sensor.sample()
    except Exception:  # noqa: BLE001  the recording lacks what this sensor needs: its channels count as not in the tree
        return ()


def tree_facts(tree: Path) -> str:
    """Return what the tree's device is said to be, as JSON without what is this machine's or this agent's."""
    facts = asdict(gather_device_facts(tree, "device-1", {}))
    del facts["agent_version"]
    if not (tree / "proc/sys/kernel/arch").exists():
        del facts["architecture"]
    return json.dumps(facts, indent=2) + "\n"
