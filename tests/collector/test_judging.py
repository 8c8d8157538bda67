"""What is told of a run's processes when it is held against another."""

from dataclasses import replace

import pytest

from edgeprof.run import RunRecord
from edgeprof_collector.client.judging import run_data
from tests.collector.analysis.sample_run import sample_record


def run_of(engine: str, *, fresh_processes: bool = False, imported_from: str = "") -> RunRecord:
    record = sample_record()
    started = record.started
    return replace(
        record,
        started=replace(
            started,
            engine=replace(started.engine, name=engine),
            plan=replace(started.plan, fresh_processes=fresh_processes),
            device=replace(started.device, imported_from=imported_from),
        ),
    )


@pytest.mark.parametrize(
    ("record", "fresh"),
    [
        (run_of("llama-cpp-python"), False),
        (run_of("llama-cpp-python", fresh_processes=True), True),
        (run_of("llama-bench"), True),
        (run_of("llama-bench", imported_from="llama-bench"), False),
    ],
)
def test_repetitions_have_new_processes_by_the_plan_or_by_the_engine(record: RunRecord, *, fresh: bool) -> None:
    assert run_data(record, ()).fresh_processes is fresh
