"""From what a person names to the runs that are compared."""

from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.client import Client
from edgeprof_collector.client.exported import read_exported
from edgeprof_collector.client.judging import fetch_run, run_data
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
        run = run_data(record, series, named.variant)
    else:
        record = client.run(named.name)
        run = fetch_run(client, record, named.variant)
    names = [variant.name for variant in record.started.plan.variants]
    if named.variant and named.variant not in names:
        raise EdgeprofError(f"{named.name} has no variant '{named.variant}': it has {', '.join(names)}")
    return run
