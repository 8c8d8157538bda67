"""Achieved memory bandwidth of decoding, and its share of the peak of the processor that ran the model."""

from collections.abc import Sequence

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.ceilings import MEASURED, fitting_cache, read_ceiling
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.kv_cache import kv_bytes_per_token
from edgeprof_collector.analysis.placement import CPU, Placement
from edgeprof_collector.analysis.quantity import bytes_text
from edgeprof_collector.analysis.repetitions import RecordedRepetition, mean_decode_depth
from edgeprof_collector.analysis.verdict import AbsentFigure, Figure, FigureName, Sample


def bandwidth_figures(
    record: RunRecord, repetitions: Sequence[RecordedRepetition], decode_rate: Figure, place: Placement
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
    mbu = _mbu(record, place, samples)
    return ([achieved, mbu], []) if isinstance(mbu, Figure) else ([achieved], [mbu])


def _mbu(record: RunRecord, place: Placement, achieved: Sequence[Sample]) -> Figure | AbsentFigure:
    """The share of the processor's peak, whose kind is in the scope where it was not measured; or why there is none."""
    if place.processor is None:
        return AbsentFigure(name=FigureName.MBU, reason=place.unknown)
    if cache := fitting_cache(record, place.processor):
        weights = bytes_text(record.started.model.weight_bytes_read_per_token)
        return AbsentFigure(name=FigureName.MBU, reason=f"not defined: a token's weights ({weights}) fit {cache}")
    peak = read_ceiling(record, place.processor)
    if peak is None:
        whose = "the CPU's bandwidth" if place.processor == CPU else f"the bandwidth of {place.processor}"
        return AbsentFigure(name=FigureName.MBU, reason=f"{whose} was not measured, and no other peak of it is known")
    shares = [Sample(sample.repetition, sample.value / peak.bytes_per_second) for sample in achieved]
    scope = place.processor if peak.known_by == MEASURED else f"{place.processor}, of its {peak.known_by} peak"
    return figure(FigureName.MBU, shares, scope=scope)
