"""From a stored run to its verdict. Pure: the same run gives the same verdict, however often it is asked."""

from collections.abc import Sequence

from edgeprof.run import RunRecord, RunState
from edgeprof_collector.analysis.energy import energy_rails, widest_first
from edgeprof_collector.analysis.energy_meters import energy_meters
from edgeprof_collector.analysis.fidelity import fidelity_verdicts
from edgeprof_collector.analysis.findings.registry import RULES
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.headline import headline
from edgeprof_collector.analysis.memory import memory_verdict, variant_device_bytes, variant_peak_bytes
from edgeprof_collector.analysis.notes import data_notes
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.perplexity import perplexity_verdicts
from edgeprof_collector.analysis.rates import load_figures
from edgeprof_collector.analysis.repetitions import last_moment_ns
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.analysis.steps import step_verdicts
from edgeprof_collector.analysis.task_answers import tasks_verdicts
from edgeprof_collector.analysis.throttling import throttle_sources
from edgeprof_collector.analysis.verdict import Flag, VariantVerdict, Verdict


def analyse(record: RunRecord, series: Sequence[Series]) -> Verdict:
    """Judge a run, whole or cut short: everything up to the cut counts."""
    record, unsound_count = sound_part(record)
    started, finished = record.started, record.finished
    end_ns = last_moment_ns(record)
    meters = widest_first(record, energy_meters(series, started.device), end_ns)
    steps = step_verdicts(record, series, meters)
    memory = memory_verdict(record, series, end_ns)
    fidelity = fidelity_verdicts(record)
    tasks = tasks_verdicts(record)
    evidence = Evidence(record=record, steps=steps, memory=memory, series=series, fidelity=fidelity, tasks=tasks)
    raised = {flag for step in steps for figure in step.figures for flag in figure.flags}
    return Verdict(
        run_id=started.run_id,
        state=finished.state if finished else RunState.RUNNING,
        cause=finished.cause if finished else "the device has not told of the run's end",
        headline=headline(record, steps, memory),
        plan_name=started.plan.name,
        repetition_count=max([started.plan.repetitions, *(len(step.repetitions) for step in steps)]),
        wall_ns=started.wall_ns,
        duration_seconds=(end_ns - started.monotonic_ns) / 1e9,
        device=started.device,
        model=started.model,
        engine=started.engine,
        variants=_variant_verdicts(record, series),
        steps=steps,
        memory=memory,
        ceilings=record.ceilings,
        peaks=record.peaks,
        fidelity=fidelity,
        perplexity=perplexity_verdicts(record),
        tasks=tasks,
        energy_rails=energy_rails(record, meters, end_ns),
        throttle_sources=throttle_sources(series),
        findings=tuple(finding for rule in RULES for finding in rule(evidence)),
        flags=tuple(flag for flag in Flag if flag in raised),
        notes=data_notes(record, series, steps, unsound_count),
    )


def _variant_verdicts(record: RunRecord, series: Sequence[Series]) -> tuple[VariantVerdict, ...]:
    """The variants that were loaded, or measured by a benchmark that does not tell of loading."""
    measured = {request.step.variant for request in record.requests if request.step}
    verdicts = []
    for index, variant in enumerate(record.started.plan.variants):
        loads = [loaded for loaded in record.loaded if loaded.variant == index]
        last = loads[-1] if loads else None
        peak_bytes = variant_peak_bytes(record, index)
        if last or index in measured:
            verdicts.append(
                VariantVerdict(
                    variant=index,
                    name=variant.name,
                    loads=load_figures(loads),
                    options=last.options if last else dict(options_in_force(record, index)),
                    weights_bytes=last.weights_bytes if last else None,
                    kv_cache_bytes=last.kv_cache_bytes if last else None,
                    compute_bytes=last.compute_bytes if last else None,
                    peak_resident_bytes=peak_bytes,
                    peak_device_bytes={} if peak_bytes is None else variant_device_bytes(record, series, index),
                )
            )
    return tuple(verdicts)
