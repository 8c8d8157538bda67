"""A quantisation whose rate does not follow its bytes, seen beside runs of the same model in other quantisations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeprof.run import ModelFacts
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.thresholds import OFF_LINE_RATIO
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity, StepVerdict

_RATES = {FigureName.PREFILL_RATE: "reads", FigureName.DECODE_RATE: "writes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """What a quantisation gave in a step: weights that an ideal engine reads for a token, and the rate."""

    quantisation: str
    token_bytes: int
    rate: Figure
    processor: str | None

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.quantisation} {text_of(self.rate.median, self.rate.unit)} with {bytes_text(self.token_bytes)}"


def quantisation_line(run: RunData, others: Sequence[RunData]) -> tuple[Finding, ...]:
    """Raised once for a run that is far slower than its bytes explain, by the rates of ``others``.

    A token may take as much longer as its weights are larger, and no longer than with larger ones. Only what ran on the
    same processor, with the same options and steps, on the same shape of model is held against the run.
    """
    alike = [other for other in others if _is_alike(run, other)]
    found = [text for step in run.verdict.steps for name in _RATES for text in _judge(step, name, run, alike)]
    if not found:
        return ()
    model = run.verdict.model
    return (
        Finding(
            name=FindingName.QUANTISATION_OFF_LINE,
            severity=Severity.WARNING,
            title=f"{model.quantisation} is slower than its bytes explain",
            evidence="; ".join(found),
            advice=(
                f"this engine's kernel for {model.quantisation} is at fault here, or its memory: take one of the other "
                "quantisations on this processor, and measure both on the CPU to see whether this one alone is at fault"
            ),
        ),
    )


def shape(model: ModelFacts) -> tuple[object, ...]:
    """What two quantisations of one model have in common."""
    return (
        model.architecture,
        model.layer_count,
        model.embedding_length,
        model.vocabulary_size,
        model.expert_count,
        model.kv_elements_per_token,
        model.synthetic,
    )


def _is_alike(run: RunData, other: RunData) -> bool:
    ours, theirs = run.verdict, other.verdict
    return (
        shape(ours.model) == shape(theirs.model)
        and ours.model.quantisation != theirs.model.quantisation
        and run.steps == other.steps
        and ours.device.device_id == theirs.device.device_id
        and (ours.engine.name, ours.engine.version) == (theirs.engine.name, theirs.engine.version)
        and [each.options for each in ours.variants] == [each.options for each in theirs.variants]
    )


def _judge(step: StepVerdict, name: FigureName, run: RunData, alike: Sequence[RunData]) -> Iterator[str]:
    point = _point(step, name, run)
    if point is None:
        return
    others = [
        found
        for other in alike
        for each in other.verdict.steps
        if (each.step, each.variant) == (step.step, step.variant)
        and (found := _point(each, name, other))
        and found.processor == point.processor
    ]
    beaten = [other for other in others if _is_off_line(point, other)]
    if beaten:
        worst = max(beaten, key=lambda other: _times_slower(point, other))
        yield (
            f"{step.name} ({step.processor or 'processor not known'}) {_RATES[name]} "
            f"{', '.join(each.text for each in (point, *others))} for a token: by {worst.quantisation} it takes "
            f"{_times_slower(point, worst):.1f} times as long as its bytes explain"
        )


def _point(step: StepVerdict, name: FigureName, run: RunData) -> _Point | None:
    rate = step.figure(name)
    model = run.verdict.model
    if rate is None or not model.weight_bytes_read_per_token:
        return None
    return _Point(
        quantisation=model.quantisation,
        token_bytes=model.weight_bytes_read_per_token,
        rate=rate,
        processor=step.processor,
    )


def _times_slower(point: _Point, other: _Point) -> float:
    """How often the time that the other's rate and the bytes explain fits into the time that was taken."""
    return other.rate.median / point.rate.median / _explained_ratio(point, other)


def _is_off_line(point: _Point, other: _Point) -> bool:
    """Beyond noise: also where the quartiles that lie closest are taken."""
    closest = other.rate.first_quartile / max(point.rate.third_quartile, 1e-9) / _explained_ratio(point, other)
    return _times_slower(point, other) >= OFF_LINE_RATIO and closest > 1


def _explained_ratio(point: _Point, other: _Point) -> float:
    return max(point.token_bytes / other.token_bytes, 1.0)
