"""Units that count, as the kernel describes them under ``/sys/bus/event_source/devices``."""

import re
from collections.abc import Mapping
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_int, read_text
from edgeprof_agent.sensors.perf_event import PerfEvent

_UNIT_BYTES = {"Bytes": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_HIGHEST_CPU = 65535  # no kernel has more


class UnreadableEventError(ValueError):
    """A description of an event that cannot be turned into numbers."""


def describe_event(folder: Path, terms: str) -> PerfEvent:
    """Turn the terms of an event, such as ``event=0x04,umask=0x03``, into the numbers that the unit takes.

    Source: the kernel's Documentation/ABI/testing/sysfs-bus-event_source-devices-format and -events.

    Raises:
        UnreadableEventError: the unit does not say where a term's bits go.
    """
    kind = read_int(folder / "type")
    if kind is None:
        raise UnreadableEventError(f"{folder.name} has no type")
    names = {term.partition("=")[0].strip() for term in terms.split(",")}
    formats = {name: read_text(folder / "format" / name) or "" for name in names if re.fullmatch(r"\w+", name)}
    fields = encode_terms(terms, formats)
    return PerfEvent(kind, fields.get("config", 0), fields.get("config1", 0), fields.get("config2", 0))


def encode_terms(terms: str, formats: Mapping[str, str]) -> dict[str, int]:
    """Place the value of each term (1 if it has none) where its format says, such as ``config:0-7,32-35``.

    Raises:
        UnreadableEventError: a term is no number, has no format, or does not fit its bits.
    """
    fields: dict[str, int] = {}
    for term in terms.split(","):
        name, _, text = term.strip().partition("=")
        match = re.fullmatch(r"(config[12]?):(\d{1,2}(?:-\d{1,2})?(?:,\d{1,2}(?:-\d{1,2})?)*)", formats.get(name, ""))
        if not match or not re.fullmatch(r"(0x[0-9a-fA-F]{1,16}|[0-9]{1,19})?", text):
            raise UnreadableEventError(f"the term {term!r} has no format or no number")
        value = int(text or "1", 16 if text.startswith("0x") else 10)
        field = match[1]
        fields[field] = fields.get(field, 0) | _spread(value, match[2])
    return fields


def event_bytes(folder: Path, event: str) -> float | None:
    """Return how many bytes one count of the unit's event means; ``None`` if it does not tell, or counts no bytes."""
    unit = _UNIT_BYTES.get(read_text(folder / "events" / f"{event}.unit") or "")
    scale = read_text(folder / "events" / f"{event}.scale") or ""
    if unit is None or not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?", scale):
        return None
    return float(scale) * unit or None


def counting_cpus(folder: Path) -> tuple[int, ...]:
    """Return the CPUs that the unit's events are opened on: one in each package.

    Raises:
        UnreadableEventError: the unit names none.
    """
    cpus = cpu_list(read_text(folder / "cpumask") or "")
    if not cpus:
        raise UnreadableEventError(f"{folder.name} names no CPU to count on")
    return cpus


def cpu_list(text: str) -> tuple[int, ...]:
    """Read a list of the kernel's, such as ``0,48-49``; none if it is no such list."""
    cpus: list[int] = []
    for part in text.strip().split(","):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part, re.ASCII)
        if not match or int(match[2] or match[1]) > _HIGHEST_CPU:
            return ()
        cpus.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(cpus)


def _spread(value: int, ranges: str) -> int:
    """Distribute a value's bits, the lowest first, over ranges of bits such as ``0-7,32-35``."""
    placed = 0
    for part in ranges.split(","):
        low, _, high = part.partition("-")
        width = int(high or low) - int(low) + 1
        if width < 1 or int(high or low) > 63:
            raise UnreadableEventError(f"{ranges} are no bits")
        placed |= (value & (1 << width) - 1) << int(low)
        value >>= width
    if value:
        raise UnreadableEventError(f"the value does not fit the bits {ranges}")
    return placed
