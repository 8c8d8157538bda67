"""How every store keeps jobs. Inherited beside the fixture ``store``."""

from dataclasses import replace

import pytest

from edgeprof.job import JobState
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.protocol import Store
from tests.collector.store.samples import DEVICE, WALL_NS, job


class JobConformance:
    """One test for each promise about jobs."""

    def test_a_job_comes_back_as_it_was(self, store: Store) -> None:
        assert store.add_job(job()) == job()
        assert store.job("job-1") == job()
        with pytest.raises(NotFoundError, match="job-2"):
            store.job("job-2")

    def test_an_idempotency_key_gives_the_first_job(self, store: Store) -> None:
        store.add_job(job("job-1", key="k"))
        assert store.add_job(job("job-2", key="k")).job_id == "job-1"
        assert store.add_job(job("job-3", device_id="another", key="k")).job_id == "job-3"
        assert store.add_job(job("job-4")).job_id == "job-4"
        assert store.add_job(job("job-5")).job_id == "job-5"

    def test_a_job_changes_only_over_the_version_it_was_made_from(self, store: Store) -> None:
        kept = store.add_job(job())
        sent = replace(kept, state=JobState.SENT, version=2, lease_expires_wall_ns=WALL_NS + 9)
        assert store.replace_job(sent)
        assert store.job("job-1") == sent
        assert not store.replace_job(replace(kept, state=JobState.CANCELLED, version=2))
        assert store.job("job-1") == sent

    def test_open_jobs_come_the_oldest_first(self, store: Store) -> None:
        store.add_job(job("late", created_wall_ns=WALL_NS + 1))
        store.add_job(job("early"))
        store.add_job(job("elsewhere", device_id="another"))
        done = store.add_job(job("done"))
        store.replace_job(replace(done, state=JobState.SUCCEEDED, version=2))
        assert [one.job_id for one in store.open_jobs(DEVICE)] == ["early", "late"]
        assert {one.job_id for one in store.open_jobs()} == {"early", "late", "elsewhere"}
        assert store.jobs()[0].job_id == "late"
        assert len(store.jobs()) == 4
