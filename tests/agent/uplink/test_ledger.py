"""The jobs that a device knows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.job import JobState, JobStatus
from edgeprof_agent.uplink.database import DamagedError, Database
from edgeprof_agent.uplink.ledger import Ledger, NotRecordedError

RUNNING = JobStatus(job_id="job-1", version=2, state=JobState.RUNNING, run_id="run-1")
DONE = replace(RUNNING, state=JobState.SUCCEEDED)


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    database = Database(folder)
    try:
        yield Ledger(database)
    finally:
        database.close()


def test_a_status_is_untold_until_that_very_status_is_acknowledged(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.record(RUNNING)
        assert ledger.untold() == (RUNNING,)
        ledger.acknowledge(DONE)
        assert ledger.untold() == (RUNNING,)
        ledger.acknowledge(RUNNING)
        assert ledger.untold() == ()
        assert ledger.known() == (RUNNING,)
        ledger.record(DONE)
        assert ledger.untold() == ledger.known() == (DONE,)
        ledger.acknowledge(DONE)
        assert ledger.untold() == ledger.known() == ()
        assert ledger.status("job-1") == DONE, "it is still known not to be run again"


def test_statuses_and_acknowledgements_survive_a_restart(tmp_path: Path) -> None:
    other = replace(RUNNING, job_id="job-2")
    with opened(tmp_path) as ledger:
        ledger.record(DONE)
        ledger.acknowledge(DONE)
        ledger.record(other)
        ledger.record(replace(other, job_id="job-3"))
        ledger.forget("job-3")
    with opened(tmp_path) as ledger:
        assert ledger.status("job-1") == DONE
        assert ledger.untold() == (other,)
        assert ledger.status("job-3") is None


def test_a_job_can_be_told_again(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.record(DONE)
        ledger.acknowledge(DONE)
        ledger.tell_again("job-1")
        assert ledger.untold() == (DONE,)


def test_of_the_jobs_that_are_over_only_the_last_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.record(replace(RUNNING, job_id="open"))
        for number in range(300):
            status = replace(DONE, job_id=f"job-{number}")
            ledger.record(status)
            ledger.acknowledge(status)
    with opened(tmp_path) as ledger:
        assert ledger.status("job-0") is None
        assert ledger.status("job-299") is not None
        assert ledger.status("open") is not None
        assert ledger._database.rows("SELECT count(*) FROM jobs") == [(257,)]


def test_a_status_that_cannot_be_written_is_kept_in_memory_and_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as ledger:
        connection = ledger._database._connection
        connection.execute("PRAGMA query_only = ON")
        with caplog.at_level(logging.WARNING):
            ledger.record(RUNNING)
        assert "job-1 cannot be written" in caplog.text
        assert ledger.untold() == (RUNNING,)
        connection.execute("PRAGMA query_only = OFF")
        ledger.record(replace(DONE, job_id="job-2"))
    with opened(tmp_path) as ledger:
        assert ledger.status("job-1") == RUNNING


def test_a_damaged_file_does_not_lose_the_jobs_of_this_life(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.record(RUNNING)
        ledger._database.replace(DamagedError("for a test"))
        ledger.record(replace(DONE, job_id="job-2"))
    with opened(tmp_path) as ledger:
        assert {status.job_id for status in ledger.known()} == {"job-1", "job-2"}


DAY = 86_400.0


def begun(ledger: Ledger, job_id: str, wall_seconds: float) -> None:
    ledger.record(replace(RUNNING, job_id=job_id, state=JobState.SENT))
    ledger.begin(replace(RUNNING, job_id=job_id), wall_seconds)


def test_a_start_is_counted_for_a_day_across_restarts(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        begun(ledger, "job-1", 1000 * DAY)
        begun(ledger, "job-2", 1000.5 * DAY)
        assert ledger.starts_last_day(1000.5 * DAY) == 2
    with opened(tmp_path) as ledger:
        assert ledger.status("job-2") == replace(RUNNING, job_id="job-2")
        assert [ledger.starts_last_day(days * DAY) for days in (1000.5, 1001.25, 1001.5)] == [2, 1, 0]
        assert ledger.starts_last_day(1000.0 * DAY) == 2, "a clock that went back does not give more runs"
        assert ledger.starts_last_day(900.0 * DAY) == 0, "one that was years ahead does not lock the device"
        begun(ledger, "job-3", 1002 * DAY)
        assert ledger._database.rows("SELECT count(*) FROM run_starts") == [(1,)]


def test_a_start_has_reached_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.record(replace(RUNNING, state=JobState.SENT))
        statements: list[str] = []
        ledger._database._connection.set_trace_callback(statements.append)
        ledger.begin(RUNNING, 0.0)
        ledger.record(DONE)
        ledger._database._connection.set_trace_callback(None)
    commits = [one for one in statements if one.startswith(("PRAGMA synchronous", "COMMIT"))]
    assert commits == ["PRAGMA synchronous = FULL", "COMMIT", "PRAGMA synchronous = NORMAL", "COMMIT"]


def test_a_start_that_cannot_be_written_did_not_happen(tmp_path: Path) -> None:
    waiting = replace(RUNNING, state=JobState.SENT)
    with opened(tmp_path) as ledger:
        ledger.record(waiting)
        connection = ledger._database._connection
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(NotRecordedError, match="cannot be written: attempt to write a readonly database"):
            ledger.begin(RUNNING, 0.0)
        connection.execute("PRAGMA query_only = OFF")
        assert ledger.status("job-1") == waiting
        assert ledger.starts_last_day(0.0) == 0
