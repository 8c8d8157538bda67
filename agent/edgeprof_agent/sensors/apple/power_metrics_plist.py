"""What Apple's program powermetrics prints, one property list after the other.

Energies are in mJ and of the list's own stretch of time. ``freq_hz`` is in Hz for cores and, under the same name, in
MHz for the GPU. Between two lists lies a NUL.
"""

import plistlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError

_LEAST_HERTZ = 1e6  # what is less is in MHz
_HIGHEST_HERTZ = 2e10
_MOST_JOULES = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerMetrics:
    """One list in base units. ``joules`` are of the stretch, by rail; absent is what the list has not."""

    elapsed_seconds: float
    joules: Mapping[str, float] = field(default_factory=dict)
    gpu_busy_ratio: float | None = None
    gpu_clock_hertz: float | None = None
    core_clocks_hertz: Mapping[str, float] = field(default_factory=dict)


def parse_power_metrics(printed: bytes) -> PowerMetrics | None:
    """Read one list; ``None`` if it is none or does not tell its time."""
    try:
        content = plistlib.loads(printed.strip(b"\0 \r\n\t"), fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, LookupError, TypeError, AttributeError):  # what plistlib raises of damaged lists
        return None
    elapsed_ns = _number(_part(content, "elapsed_ns"), highest=1e15)
    if not elapsed_ns:
        return None
    processor, gpu = _part(content, "processor"), _part(content, "gpu")
    idle_ratio = _number(_part(gpu, "idle_ratio"), highest=1.0)
    return PowerMetrics(
        elapsed_seconds=elapsed_ns / 1e9,
        joules={
            rail: raw_mj / 1e3
            for rail, key in (("CPU", "cpu_energy"), ("GPU", "gpu_energy"), ("ANE", "ane_energy"))
            if (raw_mj := _number(_part(processor, key), highest=_MOST_JOULES * 1e3)) is not None
        },
        gpu_busy_ratio=None if idle_ratio is None else 1 - idle_ratio,
        gpu_clock_hertz=_hertz(_part(gpu, "freq_hz")),
        core_clocks_hertz=_core_clocks(processor),
    )


def _core_clocks(processor: object) -> dict[str, float]:
    clocks = {}
    for cluster in _list(_part(processor, "clusters")):
        for core in _list(_part(cluster, "cpus")):
            number, hertz = _number(_part(core, "cpu"), highest=1e6), _hertz(_part(core, "freq_hz"))
            if number is not None and hertz is not None:
                clocks[str(int(number))] = hertz
    return clocks


def _part(content: object, key: str) -> object:
    return content.get(key) if isinstance(content, dict) else None


def _list(content: object) -> Sequence[object]:
    return content if isinstance(content, list) else ()


def _number(content: object, *, highest: float) -> float | None:
    if not isinstance(content, int | float) or isinstance(content, bool):
        return None
    return float(content) if 0 <= content <= highest else None  # so written, NaN is out


def _hertz(content: object) -> float | None:
    raw = _number(content, highest=_HIGHEST_HERTZ)
    if not raw:
        return None
    hertz = raw if raw >= _LEAST_HERTZ else raw * 1e6
    return hertz if _LEAST_HERTZ <= hertz <= _HIGHEST_HERTZ else None
