"""Runs that another benchmark has measured, into the tables. Called within a writing transaction.

They are kept as if a device had streamed them, each from a spool of its own, so that everything reads them alike.
"""

import os
import sqlite3
import time
from collections.abc import Iterator

from edgeprof.errors import EdgeprofError
from edgeprof.messages import run_event_to_message, to_message
from edgeprof.run import Phase, Request, RunEvent, RunRecord
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.admission import admit
from edgeprof_collector.store.arrivals import keep
from edgeprof_collector.store.protocol import Arrival, Delivery, Greeting

_NAME_CHARACTERS = 128


def adopt(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Keep one run, begun when its benchmark says, but not in the future.

    Raises:
        EdgeprofError: it is stored already, contradicts itself, or is of a device that runs an agent.
    """
    started, now_ns = record.started, time.time_ns()
    _refuse_what_is_no_import(record)
    _refuse_what_is_taken(connection, started.run_id, started.device.device_id)
    try:
        payloads = [run_event_to_message(event) for event in _in_order(record)]
        facts = to_message(started.device)
    except (ValueError, TypeError) as error:
        raise EdgeprofError(f"run '{started.run_id}' cannot be stored: {error}") from error
    messages = [AgentMessage(sequence=number, run_event=event) for number, event in enumerate(payloads, 1)]
    wall_ns = min(max(started.wall_ns, 0), now_ns)
    arrivals = [Arrival(each.sequence, each.SerializeToString(), each, wall_ns, record.placement) for each in messages]
    epoch = os.urandom(16)  # a new one also for a run that was given up since: its spool is remembered
    admit(connection, Greeting(facts, epoch, 0, 0, now_ns))
    cursor = keep(connection, Delivery(started.device.device_id, epoch, (), arrivals, now_ns))
    assert cursor == len(arrivals), "a new spool takes every message"


def _refuse_what_is_no_import(record: RunRecord) -> None:
    started = record.started
    for name, what in ((started.run_id, "run"), (started.device.device_id, "device")):
        if not (name and name.isprintable() and len(name) <= _NAME_CHARACTERS):
            raise EdgeprofError(f"a {what} is named by 1 to {_NAME_CHARACTERS} printable characters, not {name!r}")
    if not started.device.imported_from:
        raise EdgeprofError(f"the device of run '{started.run_id}' does not say where it was imported from")
    if record.finished is None:
        raise EdgeprofError(f"run '{started.run_id}' has no end: only finished runs are imported")
    if any(event.run_id != started.run_id for event in _in_order(record)):
        raise EdgeprofError(f"run '{started.run_id}' has events of another run")


def _refuse_what_is_taken(connection: sqlite3.Connection, run_id: str, device_id: str) -> None:
    if connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone():
        raise EdgeprofError(f"this is stored already: edgeprof show {run_id}")
    row = connection.execute("SELECT facts FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    if row and not DeviceFacts.FromString(row[0]).imported_from:
        raise EdgeprofError(f"'{device_id}' is a device that runs an agent: name another for what is imported")


def _in_order(record: RunRecord) -> Iterator[RunEvent]:
    """All events, as a device tells of them."""
    yield record.started
    yield from record.ceilings
    yield from record.peaks
    yield from record.loaded
    done: list[Phase | Request] = [*record.phases, *record.requests]
    yield from sorted(done, key=lambda each: each.end_monotonic_ns)
    if record.finished:
        yield record.finished
