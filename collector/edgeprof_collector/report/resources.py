"""Memory, loading, ceilings and energy of a run, in a few lines."""

from collections.abc import Sequence

from edgeprof.run import CeilingMeasured, PeakBandwidth
from edgeprof_collector.analysis.definitions import DEFINITIONS
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.verdict import EnergyMethod, EnergyRail, VariantVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.rows import step_title
from edgeprof_collector.report.throttled import held_back_lines

NO_ENERGY = "neither an energy counter nor a power gauge could be read"


def resource_lines(verdict: Verdict) -> list[tuple[str, str]]:
    """Name and text of each line."""
    lines = [("Memory", _memory(verdict))]
    prefixes = [f"{variant.name}: " if len(verdict.variants) > 1 else "" for variant in verdict.variants]
    for prefix, variant in zip(prefixes, verdict.variants, strict=True):
        if told := variant_memory(variant, alone=len(verdict.variants) == 1):
            lines.append(("", prefix + told))
    lines += _named(
        "Load", [prefix + _loads(each) for prefix, each in zip(prefixes, verdict.variants, strict=True) if each.loads]
    )
    lines += _named(
        "Ran on", [prefix + each for prefix, each in zip(prefixes, _processors(verdict), strict=True) if each]
    )
    lines += _named("Ceiling", [*map(_ceiling, verdict.ceilings), *map(_peak, verdict.peaks)])
    lines += _named("Sustained", sustained_lines(verdict))
    lines += _named("Energy", [_rail(rail) for rail in verdict.energy_rails] or [NO_ENERGY])
    return lines + _named("Held back", held_back_lines(verdict))


def sustained_lines(verdict: Verdict) -> list[str]:
    """A line for each step that went on until it settled: both ends of it, and what the temperature did meanwhile."""
    lines = []
    for step in verdict.steps:
        if (found := step.sustained) is None:
            continue
        unit = DEFINITIONS[found.figure].unit
        heat = ""
        if found.first_celsius is not None and found.last_celsius is not None:
            heat = f", {found.first_celsius:.0f} to {found.last_celsius:.0f} °C"
        ended = "settled" if found.settled else "not settled"
        lines.append(
            f"{step_title(step, verdict)}: {text_of(found.first_rate, unit)} in the first "
            f"{text_of(found.window_seconds, 's')}, {text_of(found.last_rate, unit)} in the last "
            f"({found.last_rate / found.first_rate - 1:+.1%}){heat}; {ended} after {text_of(found.span_seconds, 's')}"
        )
    return lines


def variant_memory(variant: VariantVerdict, *, alone: bool) -> str:
    """The peak of a variant's own processes, and what the engine says of its memory; empty if nothing.

    The peak of a variant that is ``alone`` in its run is the run's, which is said already.
    """
    peaks = [] if alone else [("peak", variant.peak_resident_bytes), *variant.peak_device_bytes.items()]
    parts = (
        *peaks,
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


def _processors(verdict: Verdict) -> list[str]:
    """Of each variant, the processor that ran it, by name and product; empty where the device has but one."""
    products = {each.name: f"{each.name}, {clean(each.product)}" for each in verdict.device.accelerators}
    ran = {step.variant: step.processor for step in verdict.steps if step.processor}
    names = [ran.get(variant.variant, "") for variant in verdict.variants]
    return [products.get(name, "the CPU" if name else "") if products else "" for name in names]


def _rail(rail: EnergyRail) -> str:
    parts = []
    if rail.run_joules is not None:
        parts.append(f"{rail.run_joules:,.0f} J in the run")
    if rail.idle_watts is not None:
        parts.append(f"{text_of(rail.idle_watts, 'W')} idle")
    how = "power integrated" if rail.method is EnergyMethod.INTEGRATED else "counter"
    parts.append(f"{how}, new every {text_of(rail.refresh_seconds, 's')}")
    return f"{clean(rail.scope)}: {', '.join(parts)}"


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
