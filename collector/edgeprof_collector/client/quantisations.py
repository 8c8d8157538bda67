"""The runs of the same model in other quantisations that a run is held against."""

from collections.abc import Iterator

from edgeprof.run import RunRecord, RunState
from edgeprof_collector.analysis.comparison.quantisation_line import shape
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.store.records import RunSummary

# Newer runs of other models are looked into as well, for only the whole record tells a model's shape.
_MOST_LOOKED_INTO = 8


def other_quantisations(client: Client, record: RunRecord) -> Iterator[RunRecord]:
    """The latest earlier run of each other quantisation of the model, with the same plan, engine and device."""
    seen = set()
    for summary in _candidates(client.runs(), record.started.run_id)[:_MOST_LOOKED_INTO]:
        other = client.run(summary.run_id)
        if summary.quantisation not in seen and shape(other.started.model) == shape(record.started.model):
            seen.add(summary.quantisation)
            yield other


def _candidates(runs: tuple[RunSummary, ...], run_id: str) -> list[RunSummary]:
    """The latest run of each other model with another quantisation; ``runs`` begin with the latest."""
    run = next((each for each in runs if each.run_id == run_id), None)
    if run is None:
        return []
    latest: dict[tuple[str, str], RunSummary] = {}
    for each in runs:
        alike = (each.device_id, each.plan, each.engine, each.engine_version) == (
            run.device_id,
            run.plan,
            run.engine,
            run.engine_version,
        )
        earlier = each.started_wall_ns <= run.started_wall_ns and each.state is RunState.SUCCEEDED
        if alike and earlier and each.quantisation != run.quantisation:
            latest.setdefault((each.model, each.quantisation), each)
    return list(latest.values())
