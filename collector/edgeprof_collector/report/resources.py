"""Memory, loading, ceilings and energy of a run, in a few lines."""

from collections.abc import Sequence

from edgeprof.run import CeilingMeasured, PeakBandwidth
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.verdict import EnergyRail, VariantVerdict, Verdict
from edgeprof_collector.report.facts import clean

NO_ENERGY = "no energy counter could be read on this device"


def resource_lines(verdict: Verdict) -> list[tuple[str, str]]:
    """Name and text of each line."""
    lines = [("Memory", _memory(verdict))]
    prefixes = [f"{variant.name}: " if len(verdict.variants) > 1 else "" for variant in verdict.variants]
    for prefix, variant in zip(prefixes, verdict.variants, strict=True):
        if told := engine_memory(variant):
            lines.append(("", prefix + told))
    lines += _named("Load", [prefix + _loads(each) for prefix, each in zip(prefixes, verdict.variants, strict=True)])
    lines += _named("Ceiling", [*map(_ceiling, verdict.ceilings), *map(_peak, verdict.peaks)])
    return lines + _named("Energy", [_rail(rail) for rail in verdict.energy_rails] or [NO_ENERGY])


def engine_memory(variant: VariantVerdict) -> str:
    """What the engine says of its memory; empty if nothing."""
    parts = (
        ("weights", variant.weights_bytes),
        ("KV cache", variant.kv_cache_bytes),
        ("compute", variant.compute_bytes),
    )
    return ", ".join(f"{name} {bytes_text(count)}" for name, count in parts if count is not None)


def _named(name: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Lines of which the first has the name."""
    return [(name if index == 0 else "", text) for index, text in enumerate(texts)]


def _loads(variant: VariantVerdict) -> str:
    return ", ".join(f"{text_of(load.median, load.unit)} ({load.scope}, n {load.n})" for load in variant.loads)


def _ceiling(ceiling: CeilingMeasured) -> str:
    read = f"{text_of(ceiling.read_bytes_per_second, 'bytes/s')} read by {ceiling.read_kernel}"
    copied = f"{text_of(ceiling.copy_bytes_per_second, 'bytes/s')} copied by {ceiling.copy_kernel}"
    return f"{ceiling.processor}, measured: {read}, {copied}"


def _peak(peak: PeakBandwidth) -> str:
    return f"{peak.processor}, {peak.method.value}: {text_of(peak.bytes_per_second, 'bytes/s')} ({clean(peak.source)})"


def _rail(rail: EnergyRail) -> str:
    joules = "" if rail.run_joules is None else f"{rail.run_joules:,.0f} J in the run, "
    return f"{rail.scope}: {joules}the counter changes every {text_of(rail.refresh_seconds, 's')}"


def _memory(verdict: Verdict) -> str:
    memory = verdict.memory
    parts = []
    if memory.peak_resident_bytes is not None:
        parts.append(f"{bytes_text(memory.peak_resident_bytes)} at the peak ({memory.peak_source})")
    if memory.file_backed_bytes is not None:
        parts.append(f"{bytes_text(memory.file_backed_bytes)} of it mapped files")
    parts += [f"{device.gpu} {bytes_text(device.peak_used_bytes)}" for device in memory.devices]
    if memory.headroom_ratio is not None:
        parts.append(f"headroom {text_of(memory.headroom_ratio, 'ratio')}")
    return ", ".join(parts) or "not known"
