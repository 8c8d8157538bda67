"""IOReport: the counters of Apple's drivers, which every user may read.

A driver keeps channels in groups and subgroups. A channel counts one thing (simple), or the time that was spent in each
of some states. Each group has a subscription of its own: one that is refused then costs no other.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import IO_REPORT, IO_REPORT_FUNCTIONS
from edgeprof_agent.sensors.apple.c_library import load_library
from edgeprof_agent.sensors.apple.core_foundation import CoreFoundation, Reference
from edgeprof_agent.sensors.apple.system import System
from edgeprof_agent.sensors.sensor import SensorLostError

_CHANNELS = "IOReportChannels"
_UNPOPULATED = -(2**63)
# A channel's raw element begins with the provider, the channel and its type, eight bytes each; then comes the time of
# its last update in ticks (IOReportTypes.h of the XNU kernel, IOReportElement).
_ELEMENTS, _TIMESTAMP_OFFSET = "RawElements", 24


class Format(IntEnum):
    """What a channel holds."""

    SIMPLE = 1
    STATE = 2


@dataclass(frozen=True, slots=True)
class ReportChannel:
    """A channel's description. ``unit`` is the driver's label without blanks; ``states`` are empty if it has none."""

    group: str
    subgroup: str
    name: str
    unit: str
    format: int
    states: tuple[str, ...]

    @property
    def source(self) -> str:
        """The channel's full name."""
        return "/".join(part for part in ("IOReport", self.group, self.subgroup, self.name) if part)


class ReportUnavailableError(Exception):
    """A group of channels cannot be had. The message says why."""


class IOReport:
    """The library, with what it takes to read its answers."""

    def __init__(self, root: Path, core_foundation: CoreFoundation, system: System) -> None:
        """Load the library.

        Raises:
            LibraryMissingError: this macOS has none.
        """
        self.library = load_library(root, IO_REPORT, IO_REPORT_FUNCTIONS)
        self.core_foundation = core_foundation
        self.system = system

    def channels(self, group: str, subgroup: str | None) -> list[ReportChannel]:
        """Describe the channels of a group, subscribed to or not; none if there is no such group."""
        with self.core_foundation.owned(self.copy_group(group, subgroup)) as found:
            return [self.describe(item) for item in self.items(found)]

    def copy_group(self, group: str, subgroup: str | None) -> Reference | None:
        """Copy a group's description, which the caller must release."""
        key = self.core_foundation.key
        found: Reference | None = self.library.IOReportCopyChannelsInGroup(
            key(group), None if subgroup is None else key(subgroup), 0, 0, 0
        )
        return found

    def items(self, report: Reference | None) -> list[Reference]:
        """Return the channels of a description or a sample, borrowed from it."""
        items = self.core_foundation.items(self.core_foundation.value(report, _CHANNELS))
        return [item for item in items if self.core_foundation.is_dictionary(item)]

    def describe(self, item: Reference) -> ReportChannel:
        """Describe a channel of a group or a sample."""
        text, library = self.core_foundation.text, self.library
        kind = library.IOReportChannelGetFormat(item)
        count = library.IOReportStateGetCount(item) if kind == Format.STATE else 0
        return ReportChannel(
            group=text(library.IOReportChannelGetGroup(item)) or "",
            subgroup=text(library.IOReportChannelGetSubGroup(item)) or "",
            name=text(library.IOReportChannelGetChannelName(item)) or "",
            unit=(text(library.IOReportChannelGetUnitLabel(item)) or "").strip(),
            format=kind,
            states=tuple(
                (text(library.IOReportStateGetNameForIndex(item, index)) or "").strip() for index in range(count)
            ),
        )


class Interval:
    """What the channels counted between two samples. ``observed_ns`` is when the later one was complete."""

    def __init__(self, report: IOReport, delta: list[Reference], later: list[Reference], observed_ns: int) -> None:
        self.observed_ns = observed_ns
        self._report = report
        self._delta = delta
        self._later = later

    def gained(self, index: int) -> int | None:
        """Return by how much a simple channel grew; ``None`` if its driver keeps no value in it."""
        value: int = self._report.library.IOReportSimpleGetIntegerValue(self._delta[index], 0)
        return None if value == _UNPOPULATED else value

    def residencies(self, index: int) -> list[int]:
        """Return the time spent in each state, in ticks that only compare with each other."""
        item, library = self._delta[index], self._report.library
        return [library.IOReportStateGetResidency(item, state) for state in range(library.IOReportStateGetCount(item))]

    def published_ns(self, index: int) -> int | None:
        """Return when the driver last updated a channel, by ``observed_ns``'s clock; ``None`` if it does not say."""
        core_foundation = self._report.core_foundation
        elements = core_foundation.value(self._later[index], _ELEMENTS)
        ticks = core_foundation.unsigned_at(elements, _TIMESTAMP_OFFSET)
        return self._report.system.ns_of_ticks(ticks) if ticks else None


class Subscription:
    """Channels of one group, read from interval to interval."""

    def __init__(self, report: IOReport, group: str, subgroup: str | None, keep: Callable[[str], bool]) -> None:
        """Subscribe to the channels whose names ``keep`` takes, and take a first sample.

        Raises:
            ReportUnavailableError: there is no such group, none of these channels, or the kernel refuses.
        """
        self._report = report
        self._title = group if subgroup is None else f"{group}/{subgroup}"
        self._wanted = self._select(group, subgroup, keep)
        self._handle: Reference | None = None
        self._last: Reference | None = None
        try:
            self._handle = self._subscribe()
            self._last = self._sample()
            self.channels = tuple(map(report.describe, report.items(self._last)))
        except BaseException:
            self.close()
            raise
        if not self.channels:
            self.close()
            raise ReportUnavailableError(f"IOReport samples no channel of {self._title}")

    @contextmanager
    def interval(self) -> Iterator[Interval]:
        """Sample, and give what was counted since the sample before, for as long as the context lasts.

        Raises:
            SensorLostError: there is no sample, or it has other channels than the first.
        """
        release = self._report.core_foundation.release
        earlier, self._last = self._last, self._sample()
        observed_ns = self._report.system.now_ns()
        delta = self._report.library.IOReportCreateSamplesDelta(earlier, self._last, None)
        if earlier is not None:
            release(earlier)
        if delta is None:
            raise SensorLostError(f"IOReport tells no difference between two samples of {self._title}")
        try:
            gains, values = self._report.items(delta), self._report.items(self._last)
            if not len(gains) == len(values) == len(self.channels):
                raise SensorLostError(f"the channels of {self._title} have changed")
            yield Interval(self._report, gains, values, observed_ns)
        finally:
            release(delta)

    @contextmanager
    def totals(self) -> Iterator[Interval]:
        """Sample, and give what was counted since the channels began, for as long as the context lasts.

        Raises:
            SensorLostError: there is no sample.
        """
        with self._report.core_foundation.owned(self._sample()) as sample:
            items = self._report.items(sample)
            yield Interval(self._report, items, items, self._report.system.now_ns())

    def close(self) -> None:
        """End the subscription."""
        for reference in (self._last, self._handle, self._wanted):
            if reference is not None:
                self._report.core_foundation.release(reference)
        self._last = self._handle = self._wanted = None

    def _select(self, group: str, subgroup: str | None, keep: Callable[[str], bool]) -> Reference | None:
        """Cut a group's description down: what is not subscribed to need not be sampled."""
        core_foundation = self._report.core_foundation
        with core_foundation.owned(self._report.copy_group(group, subgroup)) as found:
            items = self._report.items(found)
            if found is None or not items:
                raise ReportUnavailableError(f"this macOS has no IOReport group {self._title}")
            kept = [item for item in items if keep(self._report.describe(item).name)]
            if not kept:
                raise ReportUnavailableError(f"none of the channels of IOReport's {self._title} has a known name")
            with core_foundation.owned(core_foundation.new_array(kept)) as array:
                assert array is not None
                return core_foundation.copy_with(found, _CHANNELS, array)

    def _subscribe(self) -> Reference:
        # The library keeps what it returns in the third argument; who owns it is written nowhere, so it is left to it.
        taken = ctypes.c_void_p()
        handle: Reference | None = self._report.library.IOReportCreateSubscription(
            None, self._wanted, ctypes.byref(taken), 0, None
        )
        if handle is None:
            raise ReportUnavailableError(f"this macOS refuses a subscription to IOReport's {self._title}")
        return handle

    def _sample(self) -> Reference:
        sample: Reference | None = self._report.library.IOReportCreateSamples(self._handle, self._wanted, None)
        if sample is None:
            raise SensorLostError(f"IOReport gives no sample of {self._title}")
        return sample
