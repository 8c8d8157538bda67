"""The run of a job that has ended."""

import time

from edgeprof.run import RunRecord
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.store.errors import NotFoundError

WAIT_SECONDS = 20.0


def stored_run(client: Client, run_id: str) -> RunRecord | None:
    """Return a run once all of it is stored: its data may still be on the way when its job's status arrives.

    What has arrived by then is returned after a while; ``None`` if that is nothing, or there was no run.
    """
    if not run_id:
        return None
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        record = _run_so_far(client, run_id)
        if (record is not None and record.finished is not None) or time.monotonic() > deadline:
            return record
        time.sleep(0.1)


def _run_so_far(client: Client, run_id: str) -> RunRecord | None:
    try:
        return client.run(run_id)
    except NotFoundError:  # not even its start has arrived
        return None
