"""The latest value of every channel of every connected device."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from edgeprof.catalogue import METRICS
from edgeprof.metric import Kind
from edgeprof.telemetry import MalformedFrameError, check_layout, last_steps
from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof_collector.exposition.family import Family, series_text
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.live import DeviceNow, LiveValue
from edgeprof_collector.exposition.names import series_labels

# A channel that a device's frames have not held for so long has no value any more. Several frames of an idle device.
STALE_AFTER_NS = 60_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Where the channels of one layout of one device go, channel by channel.

    A value of so many steps goes to ``values[series]``, times ``factor`` or else by ``divisor``; whole numbers stay
    whole, since they are written twice as fast. A channel that this version cannot expose has no ``values``.

    Four tuples and no object per channel: half a million objects would stop the process for a tenth of a second
    whenever Python looks for garbage.
    """

    values: tuple[dict[str, float] | None, ...]
    series: tuple[str, ...]
    factors: tuple[float, ...]
    divisors: tuple[int, ...]

    def write(self, steps: Sequence[int | None]) -> None:
        for values, series, factor, divisor, step in zip(
            self.values, self.series, self.factors, self.divisors, steps, strict=True
        ):
            if values is None:
                continue
            if step is None:
                values.pop(series, None)
            else:
                values[series] = step * factor if divisor == 1 else step / divisor

    def clear(self, but: AbstractSet[str] = frozenset()) -> None:
        for values, series in zip(self.values, self.series, strict=True):
            if values is not None and series not in but:
                values.pop(series, None)


@dataclass(slots=True, eq=False)
class _LiveLayout:
    """A set of channels that a device sends, and until when its last frame lasted."""

    description: Layout
    cells: _Cells
    end_monotonic_ns: int = 0


@dataclass(slots=True, eq=False)
class _Device:
    connected_series: str
    last_seen_series: str
    boot_id: bytes = b""
    layouts: dict[int, _LiveLayout] = field(default_factory=dict)

    def clear(self) -> None:
        for live in self.layouts.values():
            live.cells.clear()
        self.layouts.clear()


class LatestValues:
    """Families of the catalogue's metrics, kept up by the intake's news. For one event loop."""

    def __init__(
        self,
        health: CollectorHealth,
        last_seen: Iterable[tuple[str, float]] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Begin with no device connected.

        Args:
            health: counts what is malformed, and the devices.
            last_seen: devices that were connected before this process began, and when, in seconds since 1970.
            now: the wall clock, in seconds since 1970.
        """
        self._health = health
        self._now = now
        self._devices: dict[str, _Device] = {}
        self._metrics = {
            metric.name: Family(metric.name, metric.kind.value, metric.help) for metric in METRICS.values()
        }
        self._connected = Family(
            "edgeprof_device_connected", Kind.GAUGE.value, "1 while a device has an open stream, else 0"
        )
        self._last_seen = Family(
            "edgeprof_device_last_seen_timestamp_seconds",
            Kind.GAUGE.value,
            "When a device was last heard of, in seconds since 1970",
        )
        self._lost = Family(
            "edgeprof_device_lost_messages_total",
            Kind.COUNTER.value,
            "Messages of a device that never arrived, as far as it knows of them, since the collector started",
        )
        for device_id, seconds in last_seen:
            self._note_presence(self._device(device_id), connected=False, seconds=seconds)

    def families(self) -> Iterator[Family]:
        """All families that there may be values of."""
        yield self._connected
        yield self._last_seen
        yield self._lost
        yield from self._metrics.values()

    def now_of(self, device_id: str) -> DeviceNow:
        """Return what is known of one device now."""
        device = self._devices.get(device_id)
        if device is None:
            return DeviceNow(device_id=device_id, connected=False)
        values = tuple(value for live in device.layouts.values() for value in _values_of(device_id, live))
        return DeviceNow(device_id=device_id, connected=True, values=values)

    def on_connected(self, device_id: str) -> None:
        """Take values of the device from now on."""
        if device_id not in self._devices:
            self._health.connected_devices.inc()
            self._devices[device_id] = self._device(device_id)
        self._note_presence(self._devices[device_id], connected=True, seconds=self._now())
        self.on_lost(device_id, 0)

    def on_disconnected(self, device_id: str) -> None:
        """Drop the device's values; that it is gone, and since when, stays."""
        device = self._devices.pop(device_id, None)
        if device is None:
            return
        self._health.connected_devices.dec()
        device.clear()
        self._note_presence(device, connected=False, seconds=self._now())

    def on_lost(self, device_id: str, messages: int) -> None:
        """Count what never arrives. The series stays when the device goes."""
        series = series_text(self._lost.name, (("device", device_id),))
        self._lost.values[series] = self._lost.values.get(series, 0) + messages

    def on_frame(self, device_id: str, layouts: Mapping[int, Layout], frame: Frame) -> None:
        """Take the frame's last values. A frame of a device that is gone is left out."""
        device = self._devices.get(device_id)
        if device is None:
            return
        self._last_seen.values[device.last_seen_series] = self._now()
        if device.boot_id != frame.boot_id:
            device.clear()
            device.boot_id = frame.boot_id
        try:
            for block in frame.blocks:
                live = self._live_layout(device_id, device, layouts[block.layout])
                live.cells.write(last_steps(block, len(live.cells.series)))
                live.end_monotonic_ns = frame.end_monotonic_ns
        except (MalformedFrameError, KeyError):  # wrong counts, or a layout that was never described
            self._health.bad_frames.inc()
        _forget_stale(device, frame.end_monotonic_ns)

    def _device(self, device_id: str) -> _Device:
        labels = (("device", device_id),)
        return _Device(series_text(self._connected.name, labels), series_text(self._last_seen.name, labels))

    def _note_presence(self, device: _Device, *, connected: bool, seconds: float) -> None:
        self._connected.values[device.connected_series] = int(connected)
        self._last_seen.values[device.last_seen_series] = seconds

    def _live_layout(self, device_id: str, device: _Device, layout: Layout) -> _LiveLayout:
        live = device.layouts.get(layout.layout)
        if live is None or (live.description is not layout and live.description != layout):
            check_layout(layout)
            if live is not None:
                live.cells.clear()
            live = device.layouts[layout.layout] = _LiveLayout(layout, self._cells(device_id, layout))
        return live

    def _cells(self, device_id: str, layout: Layout) -> _Cells:
        labels = [series_labels(device_id, channel) for channel in layout.channels]
        values = tuple(
            None if found is None else self._metrics[channel.metric].values
            for channel, found in zip(layout.channels, labels, strict=True)
        )
        series = tuple(
            series_text(channel.metric, found or ()) for channel, found in zip(layout.channels, labels, strict=True)
        )
        resolutions = [channel.resolution for channel in layout.channels]
        factors = tuple(int(one) if one.is_integer() else max(one, 1) for one in resolutions)
        divisors = tuple(1 if one >= 1 else round(1 / one) for one in resolutions)
        return _Cells(values, series, factors, divisors)


def _values_of(device_id: str, live: _LiveLayout) -> Iterator[LiveValue]:
    for channel, values, series in zip(live.description.channels, live.cells.values, live.cells.series, strict=True):
        value = None if values is None else values.get(series)
        if value is not None:
            labels = dict(series_labels(device_id, channel) or ())
            labels.pop("device", None)
            yield LiveValue(metric=channel.metric, labels=labels, value=value)


def _forget_stale(device: _Device, now_monotonic_ns: int) -> None:
    """Drop the channels of layouts that are no longer sent, unless another layout has them."""
    stale = [
        number for number, live in device.layouts.items() if now_monotonic_ns - live.end_monotonic_ns > STALE_AFTER_NS
    ]
    if not stale:
        return
    gone = [device.layouts.pop(number) for number in stale]
    kept = {series for live in device.layouts.values() for series in live.cells.series}
    for live in gone:
        live.cells.clear(but=kept)
