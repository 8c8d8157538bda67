"""What a run looks up among the sampler's latest values."""

from collections.abc import Mapping

from edgeprof.telemetry import Channel

_TEMPERATURES = ("edgeprof_temperature_celsius", "edgeprof_gpu_temperature_celsius")
_RESIDENT = "edgeprof_workload_resident_bytes"


def hottest_celsius(latest: Mapping[Channel, float]) -> float | None:
    """Temperature of the hottest place on the device; ``None`` where nothing tells a temperature."""
    return max((value for channel, value in latest.items() if channel.metric in _TEMPERATURES), default=None)


def workload_resident_bytes(latest: Mapping[Channel, float]) -> int | None:
    """Resident memory of the engine's processes; ``None`` while there are none."""
    return next((int(value) for channel, value in latest.items() if channel.metric == _RESIDENT), None)
