"""From what a person names to the runs that are compared."""

from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.client import Client
from edgeprof_collector.client.exported import read_exported
from edgeprof_collector.client.run_sets import NamedRun, read_run_set


def read_side(client: Client, text: str) -> tuple[RunData, ...]:
    """Fetch and analyse every run of one side.

    Raises:
        EdgeprofError: no run is meant, or one has no such variant.
    """
    named = [_read(client, each) for each in read_run_set(text, client.runs)]
    return tuple({run.name: run for run in named}.values())


def _read(client: Client, named: NamedRun) -> RunData:
    if named.file is not None:
        record, series = read_exported(named.file)
    else:
        record = client.run(named.name)
        series = collect_series(client.telemetry(record.started.run_id))
    plan = record.started.plan
    names = [variant.name for variant in plan.variants]
    if named.variant and named.variant not in names:
        raise EdgeprofError(f"{named.name} has no variant '{named.variant}': it has {', '.join(names)}")
    return RunData(verdict=analyse(record, series), series=series, steps=plan.steps, variant=named.variant)
