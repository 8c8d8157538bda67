"""The latest value of every channel of every connected device."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edgeprof.catalogue import METRICS, Kind
from edgeprof.telemetry import MalformedFrameError, check_layout, last_steps
from edgeprof.v1.telemetry_pb2 import Channel, Frame, Layout
from edgeprof_collector.exposition.family import Family, series_text
from edgeprof_collector.exposition.health import CollectorHealth

# A channel that a device's frames have not held for so long has no value any more. Several frames of an idle device.
STALE_AFTER_NS = 60_000_000_000


class _Cell(NamedTuple):
    """Where a channel's value goes: ``values[series]``, as steps times ``factor`` or else by ``divisor``.

    Whole numbers stay whole: they are written twice as fast.
    """

    values: dict[str, float]
    series: str
    factor: float
    divisor: int


@dataclass(slots=True, eq=False)
class _LiveLayout:
    """A set of channels that a device sends. ``None`` stands for a channel that this version cannot expose."""

    description: Layout
    cells: tuple[_Cell | None, ...]
    end_monotonic_ns: int

    def series(self) -> Iterator[_Cell]:
        return (cell for cell in self.cells if cell is not None)


@dataclass(slots=True, eq=False)
class _Device:
    connected_series: str
    last_seen_series: str
    boot_id: bytes = b""
    layouts: dict[int, _LiveLayout] = field(default_factory=dict)


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
        for device_id, seconds in last_seen:
            self._note_presence(self._device(device_id), connected=False, seconds=seconds)

    def families(self) -> Iterator[Family]:
        """All families that there may be values of."""
        yield self._connected
        yield self._last_seen
        yield from self._metrics.values()

    def on_connected(self, device_id: str) -> None:
        """Take values of the device from now on."""
        if device_id not in self._devices:
            self._health.connected_devices.inc()
            self._devices[device_id] = self._device(device_id)
        self._note_presence(self._devices[device_id], connected=True, seconds=self._now())

    def on_disconnected(self, device_id: str) -> None:
        """Drop the device's values; that it is gone, and since when, stays."""
        device = self._devices.pop(device_id, None)
        if device is None:
            return
        self._health.connected_devices.dec()
        _forget(device.layouts.values())
        self._note_presence(device, connected=False, seconds=self._now())

    def on_frame(self, device_id: str, layouts: Mapping[int, Layout], frame: Frame) -> None:
        """Take the frame's last values. A frame of a device that is gone is left out."""
        device = self._devices.get(device_id)
        if device is None:
            return
        self._last_seen.values[device.last_seen_series] = self._now()
        if device.boot_id != frame.boot_id:
            _forget(device.layouts.values())
            device.layouts.clear()
            device.boot_id = frame.boot_id
        try:
            for block in frame.blocks:
                live = self._live_layout(device_id, device, layouts[block.layout])
                steps = last_steps(block, len(live.cells))
                live.end_monotonic_ns = frame.end_monotonic_ns
                _write(live.cells, steps)
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
                _forget([live])
            cells = tuple(self._cell(device_id, channel) for channel in layout.channels)
            live = device.layouts[layout.layout] = _LiveLayout(layout, cells, 0)
        return live

    def _cell(self, device_id: str, channel: Channel) -> _Cell | None:
        """Where a channel goes; ``None`` for a metric that a newer agent knows and this catalogue does not."""
        metric, given = METRICS.get(channel.metric), dict(channel.labels)
        if metric is None or given.keys() != set(metric.labels):
            return None
        labels = [("device", device_id), *((name, given[name]) for name in metric.labels)]
        values = self._metrics[metric.name].values
        series = series_text(metric.name, labels)
        resolution = channel.resolution
        if resolution >= 1:
            return _Cell(values, series, int(resolution) if resolution.is_integer() else resolution, 1)
        return _Cell(values, series, 1, round(1 / resolution))


def _write(cells: Sequence[_Cell | None], steps: Sequence[int | None]) -> None:
    for cell, step in zip(cells, steps, strict=True):
        if cell is None:
            continue
        values, series, factor, divisor = cell
        if step is None:
            values.pop(series, None)
        else:
            values[series] = step * factor if divisor == 1 else step / divisor


def _forget(layouts: Iterable[_LiveLayout]) -> None:
    for layout in layouts:
        for cell in layout.series():
            cell.values.pop(cell.series, None)


def _forget_stale(device: _Device, now_monotonic_ns: int) -> None:
    """Drop the channels of layouts that are no longer sent, unless another layout has them."""
    stale = [
        number for number, live in device.layouts.items() if now_monotonic_ns - live.end_monotonic_ns > STALE_AFTER_NS
    ]
    if not stale:
        return
    gone = [device.layouts.pop(number) for number in stale]
    kept = {cell.series for live in device.layouts.values() for cell in live.series()}
    for layout in gone:
        for cell in layout.series():
            if cell.series not in kept:
                cell.values.pop(cell.series, None)
