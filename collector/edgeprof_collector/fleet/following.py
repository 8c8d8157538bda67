"""Follows jobs to their ends, over collectors that restart."""

import time
from collections.abc import Iterator, Sequence

from edgeprof.errors import EdgeprofError
from edgeprof_collector.client import Client, JobUpdate, UnreachableError

# A collector that is updated or rebooted is back within this.
_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 2.0


def follow(client: Client, job_ids: Sequence[str]) -> Iterator[JobUpdate]:
    """Yield how jobs go on, each update once, until all have ended.

    When the collector goes away it is asked again for some minutes: the jobs go on without it.

    Raises:
        EdgeprofError: it stays away, or does not know a job.
    """
    going_on = list(dict.fromkeys(job_ids))
    last: dict[str, JobUpdate] = {}
    heard_seconds = time.monotonic()
    while going_on:
        for update in _watched(client, going_on):
            if update is None:
                _refuse_silence(time.monotonic() - heard_seconds)
                continue
            heard_seconds = time.monotonic()
            job_id = update.status.job_id
            if last.get(job_id) != update:
                last[job_id] = update
                yield update
            if update.status.state.final and job_id in going_on:
                going_on.remove(job_id)


def _watched(client: Client, job_ids: Sequence[str]) -> Iterator[JobUpdate | None]:
    """What the collector tells; ``None`` in the end, after a pause, if it has gone away."""
    try:
        yield from client.watch(tuple(job_ids))
    except UnreachableError:
        time.sleep(_PAUSE_SECONDS)
        yield None


def _refuse_silence(seconds: float) -> None:
    if seconds > _PATIENCE_SECONDS:
        raise EdgeprofError("the collector does not answer; the jobs go on, and edgeprof watch follows them again")
