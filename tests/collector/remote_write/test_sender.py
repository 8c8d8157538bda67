"""How a sender takes what a destination answers."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeprof.run import RunState
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.remote_write.destination import BasicAuth, RemoteWrite
from edgeprof_collector.remote_write.presence import Presence
from edgeprof_collector.remote_write.sender import Sender
from edgeprof_collector.remote_write.write_request_pb2 import TimeSeries
from edgeprof_collector.store.outgoing import WriteKind
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.remote_write.small_receiver import Receiver, receiver
from tests.collector.store.samples import (
    DEVICE,
    delivery,
    event_message,
    finished,
    frame_message,
    layout,
    started,
)

Answer = tuple[int, Mapping[str, str], str]
BUSY = "edgeprof_cpu_busy_ratio"


def keep_frames(store: SqliteStore, *sequences: int) -> None:
    """Keep a frame each, with the values 0.001 and 0.002 times its number."""
    for number in sequences:
        frame = frame_message(number, values=((number, 2 * number), (1, 1)))
        store.commit([delivery(frame, layouts=[layout()])])


def send_until(store: SqliteStore, to: Receiver, wanted: Callable[[Receiver], bool], **options: Any) -> CollectorHealth:
    """Let a sender send from the start of the store until the receiver has what is wanted and the cursor stands."""
    health = CollectorHealth()
    settings = {"gather_seconds": 0.0, "max_backoff_seconds": 0.05, "send_stored": True, **options}
    destination = RemoteWrite(url=to.url, name="small", **settings)

    async def scenario() -> None:
        running = asyncio.create_task(Sender(destination, store, Presence([DEVICE]), health).run())
        await asyncio.to_thread(to.wait_for, wanted)
        await until(lambda: not store.outgoing.frames_after(store.outgoing.cursor("small", send_stored=True).frame, 1))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
    return health


async def until(condition: Callable[[], bool]) -> None:
    """Wait in a thread: what is waited for sends no event."""

    def look() -> None:
        while not condition():
            time.sleep(0.01)

    await asyncio.wait_for(asyncio.to_thread(look), 30)


def values(to: Receiver, metric: str = BUSY) -> list[float]:
    return [value for received in to.taken() for value in received.values_of(metric)]


def has_values(count: int, metric: str = BUSY) -> Callable[[Receiver], bool]:
    return lambda to: len(values(to, metric)) >= count


@pytest.mark.parametrize("status", [500, 503, 429, 401, 404, 302])
def test_what_may_pass_is_sent_again_as_it_was(store: SqliteStore, status: int) -> None:
    keep_frames(store, 1, 2)
    with receiver(lambda number, _: (status, {}, "not now") if number < 2 else (204, {}, "")) as to:
        health = send_until(store, to, has_values(4))
    first, second, third = to.requests
    assert first.body == second.body == third.body
    assert values(to) == [0.001, 0.002, 0.002, 0.004]
    assert 'remote_write_retries_total{destination="small"} 2.0\n' in health.text()
    assert 'remote_write_samples_total{destination="small"} 8.0\n' in health.text()
    assert store.outgoing.refused_writes("small") == ()


def test_a_destination_is_left_alone_for_as_long_as_it_asks(store: SqliteStore) -> None:
    keep_frames(store, 1)
    with receiver(lambda number, _: (429, {"Retry-After": "1"}, "") if number == 0 else (200, {}, "")) as to:
        send_until(store, to, has_values(2))
    refused, taken = to.requests
    assert taken.at_seconds - refused.at_seconds >= 1.0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_refused_is_set_aside_and_the_rest_arrives(store: SqliteStore, status: int) -> None:
    """As Prometheus does, the receiver refuses whole requests in which it finds one wrong sample."""

    def answering(_number: int, series: tuple[TimeSeries, ...]) -> Answer:
        wrong = any(sample.value == 0.003 for one in series for sample in one.samples)
        return (status, {}, "out of bounds\nand more") if wrong else (204, {}, "")

    keep_frames(store, 1, 2, 3, 4, 5)
    with receiver(answering) as to:
        health = send_until(store, to, has_values(8))
    assert values(to) == [0.001, 0.002, 0.002, 0.004, 0.004, 0.008, 0.005, 0.01]
    (refused,) = store.outgoing.refused_writes("small")
    assert (refused.kind, refused.position, refused.samples, refused.status) == (WriteKind.FRAME, 3, 4, status)
    assert refused.reason.endswith(": out of bounds")
    assert 'remote_write_failed_samples_total{destination="small"} 4.0\n' in health.text()


def test_requests_hold_no_more_samples_than_allowed(store: SqliteStore) -> None:
    frame = frame_message(1, values=(tuple(range(7)), (None,) * 7))
    store.commit([delivery(frame, layouts=[layout()])])
    with receiver() as to:
        send_until(store, to, has_values(7), samples_per_request=3)
    assert [received.values_of(BUSY) for received in to.requests] == [
        [0.0, 0.001, 0.002],
        [0.003, 0.004, 0.005],
        [0.006],
    ]


def test_a_new_destination_begins_with_what_comes(store: SqliteStore) -> None:
    keep_frames(store, 1, 2)
    assert store.outgoing.cursor("small", send_stored=False).frame == 2
    keep_frames(store, 3)
    with receiver() as to:
        send_until(store, to, has_values(2))
    assert values(to) == [0.003, 0.006]


def test_a_run_that_failed_is_told_of_without_figures(store: SqliteStore) -> None:
    store.commit([delivery(event_message(1, started()), event_message(2, finished(state=RunState.FAILED)))])
    with receiver() as to:
        send_until(store, to, has_values(1, "edgeprof_run_info"))
    ((series,),) = [received.series for received in to.requests]
    labels = {label.name: label.value for label in series.labels}
    assert (labels["run"], labels["state"]) == ("run-1", "failed")
    assert all(labels.values()), "an empty label is no label"


def test_series_end_once_for_each_absence(store: SqliteStore) -> None:
    keep_frames(store, 1, 2)
    is_ended = has_values(5)
    with receiver() as to:
        send_until(store, to, is_ended, stale_after_seconds=0.1)
        (busy,) = [one for one in to.requests[-1].series if one.labels[0].value == BUSY]
        assert busy.samples[-1].SerializeToString()[1:9] == bytes.fromhex("020000000000f07f")
        before = len(to.requests)
        keep_frames(store, 3)
        send_until(store, to, has_values(8), stale_after_seconds=0.1)
    last = [
        [sample.timestamp for sample in one.samples] for received in to.requests[before:] for one in received.series
    ]
    assert len(last) == 4, "the values of the third frame, and the ends of both series"


def test_credentials_labels_and_headers_are_sent(store: SqliteStore, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    keep_frames(store, 1)
    with receiver() as to:
        send_until(
            store,
            to,
            has_values(2),
            bearer_token_file=str(token),
            labels={"site": "lab", "device": "never"},
            headers={"X-Scope-OrgID": "team"},
        )
    (received,) = to.requests
    assert received.headers["Authorization"] == "Bearer s3cret"
    assert received.headers["X-Scope-OrgID"] == "team"
    assert received.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    labels = [(label.name, label.value) for label in received.series[0].labels]
    assert labels == [("__name__", BUSY), ("device", DEVICE), ("site", "lab")]


def test_a_password_file_that_is_gone_holds_the_data_back(store: SqliteStore, tmp_path: Path) -> None:
    password = tmp_path / "password"
    keep_frames(store, 1)
    auth = BasicAuth(username="edge", password_file=str(password))
    health = CollectorHealth()

    async def scenario(to: Receiver) -> None:
        destination = RemoteWrite(url=to.url, name="small", basic_auth=auth, max_backoff_seconds=0.05, send_stored=True)
        running = asyncio.create_task(Sender(destination, store, Presence(), health).run())
        await until(lambda: 'retries_total{destination="small"} 0.0\n' not in health.text())
        password.write_text("pass")
        await asyncio.to_thread(to.wait_for, has_values(2))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with receiver() as to:
        asyncio.run(scenario(to))
    assert to.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_store_that_cannot_be_read_is_tried_again(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    """The table of destinations is away for a while, as a file system may be."""
    keep_frames(store, 1)
    with store._database.writing() as connection:
        connection.execute("ALTER TABLE destinations RENAME TO away")
    health = CollectorHealth()

    async def scenario(to: Receiver) -> None:
        destination = RemoteWrite(url=to.url, name="small", max_backoff_seconds=0.05, send_stored=True)
        running = asyncio.create_task(Sender(destination, store, Presence(), health).run())
        await until(lambda: "remote write to small: " in caplog.text)
        with store._database.writing() as connection:
            connection.execute("ALTER TABLE away RENAME TO destinations")
        await asyncio.to_thread(to.wait_for, has_values(2))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with receiver() as to:
        asyncio.run(scenario(to))
