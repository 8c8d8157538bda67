"""Check the sensors of RAPL and of thermal zones against recorded trees, by hand.

    python -m tests.tools.check_host_recordings FOLDER

Each ``*.txt`` holds files of a device, each behind a line ``==> PATH <==``. They are laid out as a tree, which the
sensors read; every zone with an energy or a temperature must be among the readings, with the value that its file holds.
A temperature outside of what silicon bears must not be there.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgeprof_agent.sensors import rapl, thermal_zone
from edgeprof_agent.sensors.sensor import Closes

# Per file that holds a value: how many of its units make one of the metric's, and which values can be true.
_FILES = {"energy_uj": (1e6, 0.0, 1e15), "temp": (1e3, -39.9, 124.9)}


def main(folder: Path) -> int:
    """Check every recording in the folder; return how many values are missing or wrong."""
    faults = 0
    for recording in sorted(folder.glob("*.txt")):
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            expected = dict(_lay_out(recording, root))
            found = _readings(root)
        wrong = {path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)}
        faults += len(wrong)
        text = "".join(f"; WRONG {path}" for path in sorted(wrong))
        print(f"{recording.name}: {len(found)} readings{text}")  # noqa: T201  it is a command
    return faults


def _lay_out(recording: Path, root: Path) -> Iterator[tuple[str, float]]:
    """Write the recorded files under ``root``, and yield the paths and values of those that a sensor must read."""
    for part in recording.read_text(encoding="utf-8").split("==> ")[1:]:
        name, _, content = part.partition(" <==\n")
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if path.name in _FILES and content.strip():
            scale, low, high = _FILES[path.name]
            if low <= (value := int(content) / scale) <= high:
                yield name, value


def _readings(root: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for sensor in (rapl.discover(root), thermal_zone.discover(root)):
        if sensor is not None:
            found |= {channel.source: value for channel, value in sensor.sample()}
            if isinstance(sensor, Closes):
                sensor.close()
    return found


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)
