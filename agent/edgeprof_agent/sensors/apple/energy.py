"""Energy and power of the chip's blocks, by IOReport's "Energy Model".

Only the channels that stand for a whole block are read: on an M1 Ultra eight of 321. The others are parts of them, and
sums over names that merely contain a word come out three times too high.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.apple.io_report import Interval, IOReport, ReportChannel, ReportUnavailableError
from edgeprof_agent.sensors.apple.mac import GPU
from edgeprof_agent.sensors.apple.publication import PublishedCounter
from edgeprof_agent.sensors.apple.report_session import ReportSession

GROUP = "Energy Model"
CHIP = "apple"
_GPU_RAIL = "GPU"
_JOULES = {"J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6, "nJ": 1e-9}

# By rail the names of its channels: the first expression that any channel fits tells all of them. A channel of the
# whole package is followed by those of its dies.
_NAMES = {
    "CPU": ("CPU Energy", r"DIE_\d+_CPU Energy"),
    _GPU_RAIL: ("GPU Energy", r"GPU\d+(_\d+)?"),
    "ANE": ("ANE", r"ANE\d+(_\d+)?"),
    "DRAM": ("DRAM", r"DRAM\d+(_\d+)?"),
}
RAILS = tuple(_NAMES)


def is_block(name: str) -> bool:
    """Tell whether a channel stands for a whole block of the chip."""
    return any(re.fullmatch(expression, name) for expressions in _NAMES.values() for expression in expressions)


@dataclass(frozen=True, slots=True)
class _Rail:
    """A block: its channels by their numbers in the report, and what each counts."""

    counters: tuple[tuple[int, float, PublishedCounter], ...]
    energy: Channel
    power: Channel

    def readings(self, interval: Interval) -> Sequence[Reading]:
        """Return energy and power. A block one of whose channels holds nothing now has neither, and begins again."""
        gains = [interval.gained(index) for index, _, _ in self.counters]
        if None in gains:
            for _, _, counter in self.counters:
                counter.reset()
            return ()
        for (index, _, counter), gained in zip(self.counters, gains, strict=True):
            counter.take(gained or 0, interval.published_ns(index), interval.observed_ns)
        joules = sum(counter.total * unit for _, unit, counter in self.counters)
        rates = [(counter.rate(), unit) for _, unit, counter in self.counters]
        known = [rate * unit for rate, unit in rates if rate is not None]
        readings = [Reading(self.energy, joules)]
        if len(known) == len(rates):
            readings.append(Reading(self.power, sum(known)))
        return readings


def open_energy(report: IOReport) -> "AppleEnergy":
    """Subscribe to the blocks' energies.

    Raises:
        ReportUnavailableError: this macOS does not give them, or none in a unit that is known.
    """
    sensor = AppleEnergy(ReportSession(report, GROUP, None, is_block))
    if not sensor.rails:
        sensor.close()
        raise ReportUnavailableError(f"IOReport's {GROUP} counts in units that are not known")
    return sensor


class AppleEnergy:
    """Energy since this sensor began, and the mean power between the driver's last two updates of each block.

    A channel's unit is told by its driver: on an M4 the CPU's is mJ, the GPU's nJ. A sample takes the driver 3 to 9 ms.
    """

    name = "apple_energy"
    tier = Tier.FAST
    worker = "ioreport"

    def __init__(self, session: ReportSession) -> None:
        self._session = session
        self.rails = _rails(session.channels)

    def sample(self) -> Sequence[Reading]:
        """Return energy and power of each block that the drivers keep up to date."""
        with self._session.interval() as interval:
            if self._session.has_begun_anew():
                self.rails = _rails(self._session.channels)
            return [reading for rail in self.rails for reading in rail.readings(interval)]

    def close(self) -> None:
        """End the subscription."""
        self._session.close()


def _rails(channels: Sequence[ReportChannel]) -> tuple[_Rail, ...]:
    found = []
    for rail, expressions in _NAMES.items():
        members = next(
            (
                members
                for expression in expressions
                if (members := [index for index, each in enumerate(channels) if re.fullmatch(expression, each.name)])
            ),
            [],
        )
        units = [_JOULES.get(channels[index].unit) for index in members]
        if members and None not in units:
            counters = tuple(
                (index, unit, PublishedCounter()) for index, unit in zip(members, units, strict=True) if unit
            )
            found.append(_Rail(counters, *rail_channels(rail, channels[members[0]].source)))
    return tuple(found)


def rail_channels(rail: str, source: str) -> tuple[Channel, Channel]:
    """Return the channels of a block's energy and power. The GPU's are those that every vendor's GPU has."""
    if rail == _GPU_RAIL:
        return (
            channel("edgeprof_gpu_energy_joules_total", source, gpu=GPU),
            channel("edgeprof_gpu_power_watts", source, gpu=GPU, window="average"),
        )
    return (
        channel("edgeprof_energy_joules_total", source, chip=CHIP, rail=rail),
        channel("edgeprof_power_watts", source, chip=CHIP, rail=rail),
    )
