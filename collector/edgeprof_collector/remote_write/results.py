"""What a run has found, as values at the time of its end."""

import logging
from collections.abc import Iterator

from edgeprof.run import RunState
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.exposition.names import Labels
from edgeprof_collector.exposition.results import RUN_INFO, result_values, run_info_labels
from edgeprof_collector.store.outgoing import RunEnd
from edgeprof_collector.store.protocol import Store

_log = logging.getLogger(__name__)


def values_of(store: Store, end: RunEnd) -> Iterator[tuple[str, Labels, float]]:
    """Name, labels and value of everything to be written of a run: that there was one, and its figures if it succeeded.

    Raises:
        StoreError: the run cannot be read.
    """
    yield RUN_INFO, run_info_labels(end.run), 1.0
    if end.run.state is not RunState.SUCCEEDED:
        return
    record, telemetry = store.run(end.run.run_id), store.telemetry(end.run.run_id)
    try:
        figures = list(result_values(end.run, analyse(record, collect_series(telemetry))))
    except Exception:  # noqa: BLE001 - one run that cannot be judged must not hold back all that follows
        _log.exception("run %s cannot be judged; its figures are not written", end.run.run_id)
        return
    yield from figures
