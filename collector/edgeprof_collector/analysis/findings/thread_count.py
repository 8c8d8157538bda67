"""Threads: what a sweep over their number shows, and more of them than the CPU has cores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower, twins
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity, StepVerdict

_OPTION = "threads"


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a number of threads gave in a step."""

    variant: int
    threads: int
    rate: Figure


def thread_count(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step of a sweep in which a setting is slower than the best, and per variant with too many threads.

    Of a sweep, the current setting is the variant that leaves the option to the engine, or else the first one. A sweep
    is a warning where that one is slower, a note where it is the best.
    """
    sweep = _sweep(evidence)
    found = [_judge_sweep(evidence, step, sweep) for step in _first_of_each_kind(evidence)] if sweep else []
    alone = [variant for variant in range(len(evidence.record.started.plan.variants)) if variant not in sweep]
    found += [_judge_cores(evidence, variant) for variant in alone]
    return tuple(finding for finding in found if finding)


def _sweep(evidence: Evidence) -> tuple[int, ...]:
    """The first group of variants that differ in the number of threads alone."""
    for variant in range(len(evidence.record.started.plan.variants)):
        if others := twins(evidence.record, variant, _OPTION):
            return tuple(sorted((variant, *others)))
    return ()


def _first_of_each_kind(evidence: Evidence) -> Iterator[StepVerdict]:
    kinds = set()
    for step in evidence.steps:
        if step.kind not in kinds and step.processor == CPU:
            kinds.add(step.kind)
            yield step


def _judge_sweep(evidence: Evidence, step: StepVerdict, sweep: Sequence[int]) -> Finding | None:
    name = FigureName.PREFILL_RATE if step.figure(FigureName.PREFILL_RATE) else FigureName.DECODE_RATE
    settings = [setting for variant in sweep if (setting := _setting(evidence, step, variant, name))]
    best = max(settings, key=lambda setting: setting.rate.median, default=None)
    if best is None or not any(is_slower(setting.rate, best.rate) for setting in settings):
        return None
    current = next((each for each in settings if _is_left_to_engine(evidence, each.variant)), settings[0])
    costs = is_slower(current.rate, best.rate)
    share = 1 - current.rate.median / best.rate.median
    rates = ", ".join(
        f"{text_of(setting.rate.median, '')} with {setting.threads}"
        for setting in sorted(settings, key=lambda setting: setting.threads)
    )
    verdict = f"{current.threads} threads cost {share:.0%}" if costs else f"{current.threads} is as good as the best"
    return Finding(
        name=FindingName.THREAD_COUNT,
        severity=Severity.WARNING if costs else Severity.NOTE,
        title=f"{step.name}: its rate depends on the number of threads",
        evidence=f"tokens/s by {_OPTION}: {rates}; the best is {best.threads}; {verdict}",
        advice=f"set {_OPTION} to {best.threads}" if costs else f"leave {_OPTION} at {current.threads}",
    )


def _setting(evidence: Evidence, step: StepVerdict, variant: int, name: FigureName) -> _Setting | None:
    twin = evidence.step_of(step.step, variant)
    rate = next((figure for figure in twin.figures if figure.name is name), None) if twin else None
    threads = asked_options(evidence.record, variant).get(_OPTION, "")
    return _Setting(variant, int(threads), rate) if rate and threads.isdecimal() else None


def _is_left_to_engine(evidence: Evidence, variant: int) -> bool:
    return _OPTION not in evidence.record.started.plan.variants[variant].options


def _judge_cores(evidence: Evidence, variant: int) -> Finding | None:
    device = evidence.record.started.device
    threads = options_in_force(evidence.record, variant).get(_OPTION, "")
    cores = device.physical_cores
    on_cpu = any(step.variant == variant and step.processor == CPU for step in evidence.steps)
    if not on_cpu or cores is None or not threads.isdecimal() or int(threads) <= cores:
        return None
    return Finding(
        name=FindingName.THREAD_COUNT,
        severity=Severity.WARNING if int(threads) > device.logical_cores else Severity.NOTE,
        title=f"{evidence.record.started.plan.variants[variant].name}: more threads than cores",
        evidence=f"{_OPTION} = {threads} on {cores} cores ({device.logical_cores} logical)",
        advice=f"compare {_OPTION} = {cores} as a second variant: threads that share a core wait for each other",
    )
