"""One side of a comparison: runs, of all or of one of their variants, and the values that they give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from edgeprof.plan import Step, StepKind
from edgeprof.run import NextTokens, TaskAnswers, TextScore
from edgeprof_collector.analysis.comparison.result import Aspect, Subject
from edgeprof_collector.analysis.definitions import DEFINITIONS
from edgeprof_collector.analysis.memory import WORKLOAD_DEVICE_MEMORY
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import samples_during, series_of
from edgeprof_collector.analysis.verdict import Figure, FigureName, Sample, StepVerdict, VariantVerdict, Verdict

# A prefill step's time to the first token says the same as its rate, and the other way round in a chat: one of each.
_ASPECTS: dict[StepKind, dict[FigureName, Aspect]] = {
    StepKind.PREFILL: {FigureName.PREFILL_RATE: Aspect.PREFILL, FigureName.PREFILL_ENERGY: Aspect.ENERGY},
    StepKind.DECODE: {FigureName.DECODE_RATE: Aspect.DECODE, FigureName.DECODE_ENERGY: Aspect.ENERGY},
    StepKind.PARALLEL: {FigureName.AGGREGATE_RATE: Aspect.DECODE, FigureName.DECODE_ENERGY: Aspect.ENERGY},
    StepKind.ROWS: {FigureName.DECODE_RATE: Aspect.DECODE, FigureName.DECODE_ENERGY: Aspect.ENERGY},
    StepKind.CHAT: {
        FigureName.TTFT: Aspect.TTFT,
        FigureName.DECODE_RATE: Aspect.DECODE,
        FigureName.PREFILL_ENERGY: Aspect.ENERGY,
        FigureName.DECODE_ENERGY: Aspect.ENERGY,
    },
}
_MEMORY = {"edgeprof_workload_resident_bytes": "peak memory", WORKLOAD_DEVICE_MEMORY: "peak device memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """A run as the analysis sees it. ``variant`` is the name of one, or empty.

    ``steps`` and ``seed`` are those of its plan; ``fresh_processes`` tells whether each repetition had new ones.

    ``next_tokens`` are what its fidelity steps kept, ``text_scores`` what its perplexity steps found, ``task_answers``
    what its tasks steps were answered. Without a ``variant`` all of them count.
    """

    verdict: Verdict
    series: Sequence[Series]
    steps: tuple[Step, ...]
    variant: str = ""
    seed: int = 1
    fresh_processes: bool = False
    next_tokens: tuple[NextTokens, ...] = ()
    text_scores: tuple[TextScore, ...] = ()
    task_answers: tuple[TaskAnswers, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.verdict.run_id}:{self.variant}" if self.variant else self.verdict.run_id

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that count."""
        measured = [step.variant_name for step in self.verdict.steps]
        found = dict.fromkeys(measured + [name for name, _ in (*self.outputs(), *self.scores(), *self.answers())])
        return tuple(name for name in found if self.variant in ("", name))

    def outputs(self) -> Iterator[tuple[str, NextTokens]]:
        """What was kept, with the variant's name."""
        names = {each.variant: each.name for each in self.verdict.variants}
        for kept in self.next_tokens:
            if kept.step.variant in names:
                yield names[kept.step.variant], kept

    def scores(self) -> Iterator[tuple[str, TextScore]]:
        """What was found of texts, with the variant's name."""
        names = {each.variant: each.name for each in self.verdict.variants}
        for score in self.text_scores:
            if score.step.variant in names:
                yield names[score.step.variant], score

    def answers(self) -> Iterator[tuple[str, TaskAnswers]]:
        """What tasks were answered, with the variant's name."""
        names = {each.variant: each.name for each in self.verdict.variants}
        for answered in self.task_answers:
            if answered.step.variant in names:
                yield names[answered.step.variant], answered


@dataclass(frozen=True, slots=True)
class Key:
    """What must be equal for values to be compared: the step as its plan has it, and the subject."""

    step: Step | None
    subject: Subject


Values = dict[Key, tuple[Sample, ...]]


def run_values(run: RunData, *, by_variant: bool) -> Values:
    """Everything that a run has to compare, by key. ``by_variant`` tells variants apart in the keys."""
    values: Values = {}
    for step in run.verdict.steps:
        if step.variant_name in run.variants:
            variant = step.variant_name if by_variant else ""
            for subject, figure in _step_figures(step, variant):
                values[Key(run.steps[step.step], subject)] = figure.samples
    for loaded in run.verdict.variants:
        if loaded.name not in run.variants:
            continue
        variant = loaded.name if by_variant else ""
        for figure in loaded.loads:
            values[Key(None, _subject(Aspect.LOAD, figure, variant=variant))] = figure.samples
        if _has_own_process(run, loaded):
            for subject, samples in _memory_samples(run, loaded.variant, variant):
                values[Key(None, subject)] = samples
    return values


def median_of(samples: Sequence[Sample]) -> float:
    """The median value."""
    return median(sample.value for sample in samples)


def _step_figures(step: StepVerdict, variant: str) -> Iterator[tuple[Subject, Figure]]:
    """The figures of a step that are compared; of an energy on several rails, the widest, which is the first."""
    seen = set()
    for figure in step.figures:
        aspect = _ASPECTS.get(step.kind, {}).get(figure.name)
        if aspect is None or (figure.name, figure.turn) in seen:
            continue
        seen.add((figure.name, figure.turn))
        yield _subject(aspect, figure, step=step.name, variant=variant), figure


def _subject(aspect: Aspect, figure: Figure, *, variant: str, step: str = "") -> Subject:
    return Subject(
        aspect=aspect,
        title=DEFINITIONS[figure.name].short_title,
        unit=figure.unit,
        step=step,
        variant=variant,
        turn=figure.turn,
        scope=figure.scope,
    )


def _has_own_process(run: RunData, loaded: VariantVerdict) -> bool:
    """Whether no other variant was ever in its process, whose memory would then be of both."""
    return len({step.variant for step in run.verdict.steps}) == 1 or loaded.peak_resident_bytes is not None


def _memory_samples(run: RunData, index: int, variant: str) -> Iterator[tuple[Subject, tuple[Sample, ...]]]:
    """The highest memory seen of a variant in each repetition, over all steps: of the host, and of each GPU."""
    windows = [window for step in run.verdict.steps if step.variant == index for window in step.repetitions]
    for metric, title in _MEMORY.items():
        highest: dict[str, dict[int, float]] = {}
        for used in series_of(run.series, metric):
            seen = highest.setdefault(dict(used.channel.labels).get("gpu", ""), {})
            for window in windows:
                samples = samples_during(used, window.start_monotonic_ns, window.end_monotonic_ns)
                if samples.size:
                    seen[window.index] = max(seen.get(window.index, 0.0), float(samples.max()))
        for scope, seen in highest.items():
            subject = Subject(aspect=Aspect.MEMORY, title=title, unit="bytes", variant=variant, scope=scope)
            if seen:
                yield subject, tuple(Sample(index, value) for index, value in sorted(seen.items()))
