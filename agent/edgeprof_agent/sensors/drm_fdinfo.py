"""What the kernel tells of one user of a card: ``/proc/PID/fdinfo/N`` of an open card.

Source: the kernel's Documentation/gpu/drm-usage-stats.rst. Several descriptors may be one user's, so that users are
told apart by card and number.
"""

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"^(?:drm-)([a-z0-9-]+(?:_\d+)?):\s*(.*?)\s*$", re.MULTILINE)
_SIZE = re.compile(r"(\d{1,19})(?: (KiB|MiB))?")
_TIME = re.compile(r"(\d{1,20})(?: ns)?")
_UNITS = {None: 1, "KiB": 2**10, "MiB": 2**20}
# What is in memory now comes before what was allocated; "memory" is amdgpu's older word for the first.
_KINDS = ("resident", "memory", "total")
_DEVICE = re.compile(r"(?:vram|local)\d*")
_HOST = re.compile(r"gtt|cpu|system\d*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrmClient:
    """One user of one card.

    ``engine_ns`` is the time that each engine worked for it, from i915 and amdgpu; ``engine_cycles`` the cycles that
    it did so and the engine's cycles in all, from xe. Of amdgpu, work by ROCm's queues is in neither.
    """

    slot: str
    number: str
    engine_ns: dict[str, int] = field(default_factory=dict)
    engine_cycles: dict[str, tuple[int, int]] = field(default_factory=dict)
    device_bytes: int | None = None
    host_bytes: int | None = None


def parse_fdinfo(text: str) -> DrmClient | None:
    """Read a descriptor's information; ``None`` if it is not one of a card on the PCI bus."""
    values = dict(_LINE.findall(text))
    slot, number = values.get("pdev", ""), values.get("client-id", "")
    if not slot or not number:
        return None
    cycles = _engines(values, "total-cycles-")
    return DrmClient(
        slot=slot,
        number=number,
        engine_ns=_engines(values, "engine-"),
        engine_cycles={
            engine: (busy, cycles[engine]) for engine, busy in _engines(values, "cycles-").items() if engine in cycles
        },
        device_bytes=_memory(values, _DEVICE),
        host_bytes=_memory(values, _HOST),
    )


def _engines(values: dict[str, str], prefix: str) -> dict[str, int]:
    found = {}
    for key, value in values.items():
        engine = key.removeprefix(prefix)
        is_time = key.startswith(prefix) and not engine.startswith("capacity-")
        if is_time and (match := _TIME.fullmatch(value)):
            found[engine] = int(match[1])
    return found


def _memory(values: dict[str, str], regions: re.Pattern[str]) -> int | None:
    """Add up the regions that ``regions`` names; ``None`` if there are none."""
    sizes: dict[str, int] = {}
    for kind in reversed(_KINDS):
        for key, value in values.items():
            of_kind, dash, region = key.partition("-")
            is_size = dash and of_kind == kind and regions.fullmatch(region)
            if is_size and (match := _SIZE.fullmatch(value)):
                sizes[region] = int(match[1]) * _UNITS[match[2]]
    return sum(sizes.values()) if sizes else None
