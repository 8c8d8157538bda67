"""Memory traffic by the counters of the memory controllers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import read_text
from edgeprof_agent.sensors.perf_event import PerfCount, PerfCounter, PerfEvent, open_counter
from edgeprof_agent.sensors.perf_unit import UnreadableEventError, counting_cpus, describe_event, event_bytes
from edgeprof_agent.sensors.sensor import Sensor

_UNITS = "sys/bus/event_source/devices"
_CACHE_LINE_BYTES = 64
# The kernel shows no event of AMD's controllers; perf's own list (amdzen4/memory-controller.json) has their terms.
_AMD_TERMS = {"umc_cas_cmd.rd": "event=0x0a,rdwrmask=0x1", "umc_cas_cmd.wr": "event=0x0a,rdwrmask=0x2"}

OpenCounter = Callable[[PerfEvent, int], PerfCounter]


@dataclass(frozen=True, slots=True)
class _Design:
    """Controllers of one design: their units, and the events whose sums are all reads and all writes."""

    units: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


# The first design of which a unit has all events is read, and no other: a free-running counter counts the same again.
_DESIGNS = (
    _Design("uncore_imc*", ("cas_count_read",), ("cas_count_write",)),  # Xeon
    _Design(  # Xeon 6, with two sub-channels
        "uncore_imc*",
        ("cas_count_read_sch0", "cas_count_read_sch1"),
        ("cas_count_write_sch0", "cas_count_write_sch1"),
    ),
    _Design("uncore_imc*", ("data_read",), ("data_write",)),  # Core since Ice Lake
    _Design("uncore_imc*", ("data_reads",), ("data_writes",)),  # Core before
    _Design("amd_umc_*", ("umc_cas_cmd.rd",), ("umc_cas_cmd.wr",)),  # Zen 4 on, kernel 6.10 on
)


def discover(root: Path, open_event: OpenCounter = open_counter) -> Sensor | None:
    """Return the sensor of the memory controllers' counters if all of them may be read.

    That takes perf_event_paranoid 0 or lower, or CAP_PERFMON: the events are those of the whole system.
    """
    for design in _DESIGNS:
        units = [unit for unit in sorted(root.glob(f"{_UNITS}/{design.units}")) if _has_events(unit, design)]
        if units:
            return _open(design, units, open_event)
    return None


class Traffic:
    """Bytes that one counter has counted. It goes on growing when counters take turns.

    What was not counted while others had their turn is taken to have come at the rate of the rest of the time.
    """

    def __init__(self, counter: PerfCounter, bytes_per_count: float) -> None:
        self._counter = counter
        self._bytes_per_count = bytes_per_count
        self._last = PerfCount(0, 0, 0)
        self._total = 0.0

    def read(self) -> float:
        """Return the bytes so far.

        Raises:
            OSError: the controller is gone.
        """
        count = self._counter.read()
        running_ns = count.running_ns - self._last.running_ns
        if running_ns > 0:
            share = (count.enabled_ns - self._last.enabled_ns) / running_ns
            self._total += max(0.0, (count.value - self._last.value) * share * self._bytes_per_count)
            self._last = count
        return self._total

    def close(self) -> None:
        """Stop counting."""
        self._counter.close()


class Uncore:
    """Events of every controller in every package. Each read asks a processor of that package."""

    name = "memory_traffic"
    tier = Tier.SLOW
    worker = "memory_traffic"

    def __init__(self, directions: tuple[tuple[Channel, tuple[Traffic, ...]], ...]) -> None:
        self._directions = directions

    def sample(self) -> Sequence[Reading]:
        """Return the bytes read and written since the sensor was found."""
        return [Reading(found, sum(each.read() for each in traffic)) for found, traffic in self._directions]

    def close(self) -> None:
        """Stop counting."""
        for _, traffic in self._directions:
            for each in traffic:
                each.close()


def _has_events(unit: Path, design: _Design) -> bool:
    return all(_terms(unit, event) and _bytes_per_count(unit, event) for event in (*design.reads, *design.writes))


def _terms(unit: Path, event: str) -> str | None:
    return _AMD_TERMS.get(event) or read_text(unit / "events" / event)


def _bytes_per_count(unit: Path, event: str) -> float | None:
    return _CACHE_LINE_BYTES if event in _AMD_TERMS else event_bytes(unit, event)


def _open(design: _Design, units: Sequence[Path], open_event: OpenCounter) -> Sensor | None:
    directions = []
    try:
        with ExitStack() as opened:  # if one is refused, none stays open
            for direction, events in (("read", design.reads), ("write", design.writes)):
                found = channel(
                    "edgeprof_memory_moved_bytes_total",
                    f"/{_UNITS}/{design.units}/events/{'+'.join(events)}",
                    direction=direction,
                    memory="system",
                    source="hardware_counter",
                )
                counting = [_count(unit, event, open_event, opened) for unit in units for event in events]
                directions.append((found, tuple(chain.from_iterable(counting))))
            opened.pop_all()
    except (OSError, UnreadableEventError):  # not permitted, or described as no unit known is: it is not available
        return None
    return Uncore(tuple(directions))


def _count(unit: Path, event: str, open_event: OpenCounter, opened: ExitStack) -> Iterator[Traffic]:
    """Open an event of a unit in every package."""
    description = describe_event(unit, _terms(unit, event) or "")
    bytes_per_count = _bytes_per_count(unit, event) or 0.0
    for cpu in counting_cpus(unit):
        counter = open_event(description, cpu)
        opened.callback(counter.close)
        yield Traffic(counter, bytes_per_count)
