"""Sample runs in a real store."""

from dataclasses import replace

from edgeprof.run import RunEvent
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.analysis.sample_run import Scenario, sample_record
from tests.collector.store.samples import delivery, event_message


def store_sample(store: SqliteStore, run_id: str, first_sequence: int, scenario: Scenario) -> int:
    """Keep a run in which the scenario is true; return the sequence after its last."""
    record = sample_record(scenario)
    assert record.finished is not None
    events: list[RunEvent] = [record.started, *record.phases, *record.loaded, *record.requests, record.finished]
    messages = [
        event_message(first_sequence + position, replace(event, run_id=run_id)) for position, event in enumerate(events)
    ]
    (cursor,) = store.commit([delivery(*messages)])
    assert cursor == first_sequence + len(events) - 1
    return cursor + 1
