"""A device as it is now, for people who watch it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveValue:
    """The latest value of a channel, in the unit that ends the metric's name."""

    metric: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """The latest values of a device; none while it is away."""

    device_id: str
    connected: bool
    values: tuple[LiveValue, ...] = ()
