"""Bytes that memory moved, where the chip and macOS tell, and else a coarse histogram of the bandwidth.

The memory controllers' byte counters ("AMC Stats") can be subscribed to on M1, M2 and some later chips; on others the
kernel lists them and refuses. There the power manager ("PMP") has kept a histogram of the controllers' bandwidth since
the M2: the time spent in each of 32 steps of 16 or 32 GB/s.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.apple.io_report import IOReport, ReportUnavailableError
from edgeprof_agent.sensors.apple.report_session import ReportSession

COUNTERS_GROUP, COUNTERS_SUBGROUP = "AMC Stats", "Perf Counters"
HISTOGRAM_GROUPS, HISTOGRAM_SUBGROUP = ("PMP", "PMP0"), "DCS BW"
_HISTOGRAM_CHANNEL = "AMCC RD+WR"
_TOTAL = re.compile(r"(?:DIE_?\d+[ _])?DCS (RD|WR)")  # of all that ask for memory; "GFX DCS RD" is one of those
_DIRECTIONS = {"RD": "read", "WR": "write"}
_BYTES = {"B": 1, "bytes": 1, "Bytes": 1, "KiB": 1024, "MiB": 1024**2}
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*GB/s")
# With more of the time than this in the last step, which has no upper end, a mean says nothing.
_MOST_BEYOND = 0.1
_MEMORY = "system"


def open_memory_traffic(report: IOReport) -> "AppleMemoryTraffic | AppleBandwidthHistogram":
    """Subscribe to the byte counters, or else to the histogram.

    Raises:
        ReportUnavailableError: this macOS gives neither. The message says why of both.
    """
    reasons = []
    attempts: list[Callable[[], AppleMemoryTraffic | AppleBandwidthHistogram]] = [lambda: _open_counters(report)]
    attempts += [partial(_open_histogram, report, group) for group in HISTOGRAM_GROUPS]
    for attempt in attempts:
        try:
            return attempt()
        except ReportUnavailableError as error:  # noqa: PERF203  three at most, once
            reasons.append(str(error))
    raise ReportUnavailableError("; ".join(reasons))


class AppleMemoryTraffic:
    """Bytes that the memory controllers moved since this sensor began. Reading them costs some traffic itself."""

    name = "apple_memory"
    tier = Tier.SLOW
    worker = "ioreport"

    def __init__(self, session: ReportSession) -> None:
        self._session = session
        self._totals = _totals(session)

    def sample(self) -> Sequence[Reading]:
        """Return the bytes of each direction all of whose controllers keep count."""
        with self._session.interval() as interval:
            if self._session.has_begun_anew():
                self._totals = _totals(self._session)
            gains = [interval.gained(index) for index in range(len(self._session.channels))]
        return [reading for total in self._totals if (reading := total.take(gains)) is not None]

    def close(self) -> None:
        """End the subscription."""
        self._session.close()


class _Total:
    """One direction: its counters, by their numbers in the report and the bytes that each counts."""

    def __init__(self, found: Channel, units: dict[int, int]) -> None:
        self._channel = found
        self._units = units
        self._moved_bytes = 0

    def take(self, gains: Sequence[int | None]) -> Reading | None:
        """Add what was moved; begin again when a counter holds nothing or has fallen."""
        moved = [(gains[index], unit) for index, unit in self._units.items()]
        if any(gained is None or gained < 0 for gained, _ in moved):
            self._moved_bytes = 0
            return None
        self._moved_bytes += sum(gained * unit for gained, unit in moved if gained)
        return Reading(self._channel, self._moved_bytes)


class AppleBandwidthHistogram:
    """The mean bandwidth since the sample before, by how long it lay in each step: true to half a step at best."""

    name = "apple_memory"
    tier = Tier.SLOW
    worker = "ioreport"

    def __init__(self, session: ReportSession) -> None:
        self._session = session
        self._bandwidth = channel(
            "edgeprof_memory_bandwidth_bytes_per_second",
            session.channels[0].source,
            memory=_MEMORY,
            direction="both",
            source="histogram",
        )

    def sample(self) -> Sequence[Reading]:
        """Return the mean; nothing while the histogram cannot tell it."""
        with self._session.interval() as interval:
            residencies = interval.residencies(0)
        mean = mean_of_steps(self._session.channels[0].states, residencies)
        return () if mean is None else (Reading(self._bandwidth, mean),)

    def close(self) -> None:
        """End the subscription."""
        self._session.close()


def mean_of_steps(names: Sequence[str], residencies: Sequence[int]) -> float | None:
    """Return the mean in bytes per second, each step counted by its middle.

    Args:
        names: the upper end of each step, such as ``32GB/s``, from the lowest up.
        residencies: the time spent in each.

    Returns:
        ``None`` if the names are others, no time was counted, or too much of it lay in the last step.
    """
    matches = [_STEP.fullmatch(name) for name in names]
    ends = [0.0, *(float(match[1]) * 1e9 for match in matches if match)]
    total = sum(residencies)
    is_told = len(ends) == len(names) + 1 == len(residencies) + 1 and ends == sorted(set(ends))
    if not is_told or total <= 0 or min(residencies) < 0 or residencies[-1] > total * _MOST_BEYOND:
        return None
    middles = [(low + high) / 2 for low, high in pairwise(ends)]
    return sum(time * middle for time, middle in zip(residencies, middles, strict=True)) / total


def _open_counters(report: IOReport) -> AppleMemoryTraffic:
    session = ReportSession(report, COUNTERS_GROUP, COUNTERS_SUBGROUP, lambda name: _TOTAL.fullmatch(name) is not None)
    with session.interval() as interval:
        is_counted = any(interval.gained(index) is not None for index in range(len(session.channels)))
    if not is_counted or not _totals(session):
        session.close()
        reason = "in units that are not known" if is_counted else "nothing"
        raise ReportUnavailableError(f"IOReport's {COUNTERS_GROUP} counts {reason}")
    return AppleMemoryTraffic(session)


def _open_histogram(report: IOReport, group: str) -> AppleBandwidthHistogram:
    return AppleBandwidthHistogram(
        ReportSession(report, group, HISTOGRAM_SUBGROUP, lambda name: name == _HISTOGRAM_CHANNEL)
    )


def _totals(session: ReportSession) -> list[_Total]:
    totals = []
    for letters, direction in _DIRECTIONS.items():
        members = {
            index: _BYTES.get(each.unit)
            for index, each in enumerate(session.channels)
            if (match := _TOTAL.fullmatch(each.name)) and match[1] == letters
        }
        units = {index: unit for index, unit in members.items() if unit is not None}
        if members and len(units) == len(members):
            source = session.channels[min(members)].source
            labels = {"direction": direction, "memory": _MEMORY, "source": "hardware_counter"}
            totals.append(_Total(channel("edgeprof_memory_moved_bytes_total", source, **labels), units))
    return totals
