"""What holds a Jetson back: heat, by the kernel's throttle alerts, and its supply, by over-current alarms."""

import re
from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.jetson_gpu import GPU
from edgeprof_agent.sensors.kernel_file import KernelFile, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_ALERT = "-throttle-alert"
_EVENT_FILE = re.compile(r"(oc\d+)_(?:event|irq)_cnt")  # event on Orin and later, irq on TX2 and Xavier


def discover(root: Path) -> Sensor | None:
    """Return the sensor of alerts and alarms if one of them gives a value now."""
    alerts = tuple(
        (_alert_channel(kind.removesuffix(_ALERT), folder / "cur_state", root), KernelFile(folder / "cur_state"))
        for folder in sorted(root.glob("sys/class/thermal/cooling_device[0-9]*"))
        if (kind := read_text(folder / "type")) and kind.endswith(_ALERT)
    )
    events = tuple(
        (channel("edgeprof_overcurrent_events_total", source_of(path, root), event=match[1]), KernelFile(path))
        for folder in sorted(root.glob("sys/class/hwmon/hwmon[0-9]*"))
        if read_text(folder / "name") == "soctherm_oc"
        for path in sorted(folder.iterdir())
        if (match := _EVENT_FILE.fullmatch(path.name))
    )
    sensor = JetsonThrottle(alerts, events)
    if sensor.read():
        return sensor
    sensor.close()
    return None


class JetsonThrottle:
    """``cur_state`` of the ``-throttle-alert`` cooling devices, and the counters of ``soctherm_oc``."""

    name = "jetson_throttle"
    tier = Tier.FAST
    worker = "bpmp"

    def __init__(
        self, alerts: tuple[tuple[Channel, KernelFile], ...], events: tuple[tuple[Channel, KernelFile], ...]
    ) -> None:
        self._alerts = alerts
        self._events = events

    def sample(self) -> Sequence[Reading]:
        """Return 1 for each alert that is raised and 0 for the others, and the counters since boot."""
        readings = self.read()
        if not readings:
            raise SensorLostError("neither throttle alerts nor over-current counters can be read")
        return readings

    def read(self) -> list[Reading]:
        """Return what can be read."""
        states = [(found, file.read_int()) for found, file in self._alerts]
        readings = [Reading(found, float(state > 0)) for found, state in states if state is not None]
        counts = [(found, file.read_int()) for found, file in self._events]
        return readings + [Reading(found, count) for found, count in counts if count is not None]

    def close(self) -> None:
        """Close the files."""
        for _, file in (*self._alerts, *self._events):
            file.close()


def _alert_channel(place: str, path: Path, root: Path) -> Channel:
    source = source_of(path, root)
    if place == "gpu":
        return channel("edgeprof_gpu_throttled_ratio", source, gpu=GPU, reason="thermal")
    return channel("edgeprof_throttled_ratio", source, place=place, reason="thermal")
