"""The table of values that an AMD GPU's firmware gives: ``gpu_metrics``.

A binary structure: a header of its size (16 bits), format and content revision (8 bits each), then fields at places
that depend on the revisions. Offsets and units are those of the kernel's drivers/gpu/drm/amd/include/
kgd_pp_interface.h (``struct gpu_metrics_v1_0`` to ``v1_8``, ``v2_0`` to ``v2_4``, ``v3_0``). A field whose bits are all
set is one that the GPU does not have.

Energy is read where the structure states its unit, from version 1.4 on. Before, it is whatever the chip's firmware
counts: an RX 6900 XT's fits millijoules, on RDNA 3 it stays 0.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_HEADER = struct.Struct("<HBB")
_JOULES_PER_COUNT = 2**-16  # "15.259uJ (2^-16) units"

# Of the throttle status that means the same on every chip; amdgpu_smu.h groups its 64 bits so.
_REASONS = {"power": range(16), "current": range(16, 32), "thermal": range(32, 48), "other": range(48, 64)}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where fields lie: the format of each as ``struct`` writes it, and its offset.

    ``size`` is the structure's; ``is_least`` where more may follow. A table of another size is one of the same number
    from before it was settled.
    """

    size: int
    fields: Mapping[str, tuple[str, int]]
    is_least: bool = False

    def fits(self, size: int) -> bool:
        """Tell whether a table of this size is laid out so."""
        return size >= self.size if self.is_least else size == self.size


def _of_partitions(energy_offset: int, residencies_offset: int) -> _Layout:
    residencies = ("thermal prochot", "power ppt", "thermal socket", "thermal regulator", "thermal memory")
    fields = {"memory_busy": ("H", 14), "energy": ("Q", energy_offset)}
    fields |= {f"residency {name}": ("I", residencies_offset + 4 * index) for index, name in enumerate(residencies)}
    return _Layout(512, fields, is_least=True)  # with values for each partition of the GPU at its end


_LAYOUTS: dict[tuple[int, int], _Layout] = {
    (1, 0): _Layout(80, {"memory_busy": ("H", 30)}),
    (1, 1): _Layout(96, {"memory_busy": ("H", 18)}),
    (1, 2): _Layout(104, {"memory_busy": ("H", 18)}),
    (1, 3): _Layout(120, {"memory_busy": ("H", 18), "throttle": ("Q", 112)}),
    (1, 4): _Layout(288, {"memory_busy": ("H", 14), "energy": ("Q", 24)}),
    (1, 5): _Layout(360, {"memory_busy": ("H", 14), "energy": ("Q", 88)}),
    (1, 6): _of_partitions(16, 36),
    (1, 7): _of_partitions(24, 44),
    (1, 8): _of_partitions(24, 44),
    (2, 2): _Layout(128, {"throttle": ("Q", 120)}),
    (2, 3): _Layout(152, {"throttle": ("Q", 120)}),
    (2, 4): _Layout(168, {"throttle": ("Q", 120)}),
    (3, 0): _Layout(
        264,
        {
            "dram_reads": ("H", 94),
            "dram_writes": ("H", 96),
            "power gfx": ("I", 124),
            "power cores": ("I", 132),
            "residency thermal prochot": ("I", 228),
            "residency power sustained": ("I", 232),
            "residency power fast": ("I", 236),
            "residency power slow": ("I", 240),
            "residency thermal core": ("I", 244),
            "residency thermal gfx": ("I", 248),
            "residency thermal soc": ("I", 252),
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuMetrics:
    """Fields that are there, in base units; ``None`` and empty for what the table or the GPU does not have.

    ``throttled`` tells for each reason whether it holds now. ``residencies`` count how long each limiter held, in
    units of the firmware; their names begin with the reason. ``dram_read_bytes_per_second`` and its twin are averages
    over the firmware's filter in 16 bits of megabytes: a rate above 65.5 GB/s begins again from nothing.
    """

    memory_busy_ratio: float | None = None
    energy_joules: float | None = None
    dram_read_bytes_per_second: float | None = None
    dram_write_bytes_per_second: float | None = None
    powers_watts: Mapping[str, float] = field(default_factory=dict)
    throttled: Mapping[str, bool] = field(default_factory=dict)
    residencies: Mapping[str, int] = field(default_factory=dict)


def parse_gpu_metrics(table: bytes) -> GpuMetrics | None:
    """Read a table; ``None`` if it is cut short or of a revision that is not known. What follows it is passed over."""
    if len(table) < _HEADER.size:
        return None
    size, format_revision, content_revision = _HEADER.unpack_from(table)
    layout = _LAYOUTS.get((format_revision, content_revision))
    if layout is None or len(table) < size or not layout.fits(size):
        return None
    raw = {name: value for name, place in layout.fields.items() if (value := _field(table[:size], *place)) is not None}
    return GpuMetrics(
        memory_busy_ratio=_ratio(raw.get("memory_busy")),
        energy_joules=_scaled(raw.get("energy"), _JOULES_PER_COUNT),
        dram_read_bytes_per_second=_scaled(raw.get("dram_reads"), 1e6),
        dram_write_bytes_per_second=_scaled(raw.get("dram_writes"), 1e6),
        powers_watts={rail: raw_mw / 1000 for rail, raw_mw in _group(raw, "power ").items()},
        throttled=throttle_reasons(raw["throttle"]) if "throttle" in raw else {},
        residencies=_group(raw, "residency "),
    )


def throttle_reasons(status: int) -> dict[str, bool]:
    """Say for each reason whether one of its bits is set."""
    return {reason: any(status >> bit & 1 for bit in bits) for reason, bits in _REASONS.items()}


def _field(table: bytes, code: str, offset: int) -> int | None:
    place = struct.Struct("<" + code)
    if offset + place.size > len(table):
        return None
    value: int = place.unpack_from(table, offset)[0]
    return None if value == (1 << 8 * place.size) - 1 else value


def _group(raw: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in raw.items() if name.startswith(prefix)}


def _ratio(percent: int | None) -> float | None:
    return percent / 100 if percent is not None and percent <= 100 else None


def _scaled(raw: int | None, unit: float) -> float | None:
    return None if raw is None else raw * unit
