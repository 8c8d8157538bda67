"""Achieved memory bandwidth of decoding, and its share of the measured peak."""

from collections.abc import Mapping, Sequence

from edgeprof.run import CeilingMeasured, RunRecord
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.quantity import bytes_text
from edgeprof_collector.analysis.repetitions import RecordedRepetition, mean_decode_depth
from edgeprof_collector.analysis.verdict import AbsentFigure, Figure, FigureName, Sample

# Bytes per element of the types that a KV cache is kept in. Blocks of 32 share a scale, and some a minimum.
KV_BYTES_PER_ELEMENT: Mapping[str, float] = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
_KEY_TYPE_OPTION, _VALUE_TYPE_OPTION = "cache_type_k", "cache_type_v"
_GPU_LAYERS_OPTION = "gpu_layers"
_CPU = "cpu"


def bandwidth_figures(
    record: RunRecord, repetitions: Sequence[RecordedRepetition], decode_rate: Figure
) -> tuple[list[Figure], list[AbsentFigure]]:
    """Achieved bandwidth and MBU of a decode step, or why they are absent."""
    variant = repetitions[0].reference.variant
    weight_bytes = record.started.model.weight_bytes_read_per_token
    kv_bytes = kv_bytes_per_token(record, variant)
    if not weight_bytes or kv_bytes is None:
        reason = "the model's weights are not described" if not weight_bytes else "the KV cache's type is not known"
        return [], [AbsentFigure(name=name, reason=reason) for name in (FigureName.ACHIEVED_BANDWIDTH, FigureName.MBU)]
    depths = {each.reference.repetition: mean_decode_depth(each.requests[0]) for each in repetitions}
    samples = [
        Sample(sample.repetition, (weight_bytes + kv_bytes * depths[sample.repetition]) * sample.value)
        for sample in decode_rate.samples
    ]
    achieved = figure(FigureName.ACHIEVED_BANDWIDTH, samples)
    if reason := _mbu_undefined(record, variant):
        return [achieved], [AbsentFigure(name=FigureName.MBU, reason=reason)]
    peak = max(ceiling.read_bytes_per_second for ceiling in cpu_ceilings(record))
    shares = [Sample(sample.repetition, sample.value / peak) for sample in samples]
    return [achieved, figure(FigureName.MBU, shares, scope="cpu")], []


def kv_bytes_per_token(record: RunRecord, variant: int) -> float | None:
    """Bytes that one token of context adds to the KV cache, by the types in the options in force.

    ``ModelFacts`` counts key and value elements together; they are taken to be as many of each.
    """
    options = options_in_force(record, variant)
    types = (options.get(_KEY_TYPE_OPTION, ""), options.get(_VALUE_TYPE_OPTION, ""))
    sizes = [KV_BYTES_PER_ELEMENT.get(each.lower()) for each in types]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    return record.started.model.kv_elements_per_token * sum(known) / len(known)


def options_in_force(record: RunRecord, variant: int) -> Mapping[str, str]:
    """The engine's options when the variant was loaded last; empty where the engine did not tell."""
    return next((loaded.options for loaded in reversed(record.loaded) if loaded.variant == variant), {})


def fits_last_level_cache(record: RunRecord) -> bool:
    """Whether the weights of one token fit the CPU's last-level cache, so that memory need not be read."""
    cache_bytes = record.started.device.last_level_cache_bytes
    return cache_bytes is not None and record.started.model.weight_bytes_read_per_token <= cache_bytes


def ran_on_cpu(record: RunRecord, variant: int) -> bool:
    """Whether the CPU alone ran the model: there is no other processor, or no layer was given to one."""
    return not record.started.device.accelerators or options_in_force(record, variant).get(_GPU_LAYERS_OPTION) == "0"


def cpu_ceilings(record: RunRecord) -> tuple[CeilingMeasured, ...]:
    """The bandwidths measured on the CPU."""
    return tuple(ceiling for ceiling in record.ceilings if ceiling.processor == _CPU)


def largest_cpu_bandwidth(record: RunRecord) -> tuple[float, str] | None:
    """The largest bandwidth known of the CPU's memory, and how it is known; ``None`` if nothing is."""
    known = [(rate, "measured") for each in cpu_ceilings(record) for rate in _measured_rates(each)]
    known += [
        (peak.bytes_per_second, f"{peak.method.value}: {peak.source}")
        for peak in record.peaks
        if peak.processor == _CPU
    ]
    return max(known, default=None)


def _measured_rates(ceiling: CeilingMeasured) -> tuple[float, float]:
    return ceiling.read_bytes_per_second, ceiling.copy_bytes_per_second


def _mbu_undefined(record: RunRecord, variant: int) -> str:
    """Why a variant has no MBU; empty if it has one."""
    if not ran_on_cpu(record, variant):
        names = ", ".join(each.name for each in record.started.device.accelerators)
        return f"the model may have run on {names}, whose bandwidth was not measured"
    if fits_last_level_cache(record):
        weights = bytes_text(record.started.model.weight_bytes_read_per_token)
        cache = bytes_text(record.started.device.last_level_cache_bytes or 0)
        return f"not defined: a token's weights ({weights}) fit the last-level cache ({cache})"
    if not cpu_ceilings(record):
        return "the CPU's bandwidth was not measured"
    return ""
