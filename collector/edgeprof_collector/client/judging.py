"""A stored run judged in full: by itself, beside other quantisations of its model, and against its baseline."""

from dataclasses import dataclass, replace

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.quantisation_line import quantisation_line
from edgeprof_collector.analysis.comparison.regression import regression
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.client.baselines import baseline_of
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.client.quantisations import other_quantisations

_LLAMA_BENCH = "llama-bench"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run, its telemetry, and what the analysis says of them, the comparison with the baseline included."""

    record: RunRecord
    series: tuple[Series, ...]
    verdict: Verdict


def judge_run(client: Client, record: RunRecord) -> JudgedRun:
    """Fetch a run's telemetry and the runs that it is held against, and judge it."""
    run = fetch_run(client, record)
    others = [fetch_run(client, other) for other in other_quantisations(client, record)]
    found = quantisation_line(run, others)
    baseline = baseline_of(client, record)
    if baseline is not None:
        found = (*regression(fetch_run(client, client.run(baseline.run_id)), run), *found)
    verdict = replace(run.verdict, findings=(*found, *run.verdict.findings))
    return JudgedRun(record, tuple(run.series), verdict)


def fetch_run(client: Client, record: RunRecord, variant: str = "") -> RunData:
    """Fetch a run's telemetry and analyse it."""
    return run_data(record, collect_series(client.telemetry(record.started.run_id)), variant)


def run_data(record: RunRecord, series: tuple[Series, ...], variant: str = "") -> RunData:
    """Analyse a run for a comparison."""
    sound, _ = sound_part(record)
    plan = record.started.plan
    return RunData(
        verdict=analyse(record, series),
        series=series,
        steps=plan.steps,
        variant=variant,
        seed=plan.seed,
        fresh_processes=plan.fresh_processes or _runs_once_for_each_repetition(record),
        next_tokens=sound.next_tokens,
        text_scores=sound.text_scores,
        task_answers=sound.task_answers,
    )


def _runs_once_for_each_repetition(record: RunRecord) -> bool:
    """Whether the engine's program ends with every repetition, as llama-bench does where an agent drives it."""
    started = record.started
    return started.engine.name == _LLAMA_BENCH and not started.device.imported_from
