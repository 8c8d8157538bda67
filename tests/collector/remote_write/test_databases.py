"""What devices bring a collector arrives in real databases, once, and whatever dies on the way."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import Device
from tests.collector.remote_write.servers import DATABASES, Database, free_port, prometheus
from tests.collector.service import CollectorProcess
from tests.collector.store.samples import (
    DEVICE,
    SECOND_NS,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    request,
    started,
)

Start = Callable[..., AbstractContextManager[Database]]

BUSY = f'edgeprof_cpu_busy_ratio{{device="{DEVICE}"}}'
# The device's clock stands at 1000 s when it connects, so its frames are of the minutes before.
FIRST_NS = 700 * SECOND_NS
TICKS = 10


def frames(first: int, count: int) -> Iterator[AgentMessage]:
    """Frames of a second with ten ticks, whose values tell them apart."""
    for sequence in range(first, first + count):
        values = (tuple(sequence * TICKS + tick for tick in range(TICKS)), tuple(range(TICKS)))
        yield frame_message(sequence, start_ns=FIRST_NS + sequence * SECOND_NS, values=values)


def bring(port: int, *messages: AgentMessage, first: int = 1) -> None:
    """Let a device connect, deliver and go."""

    async def scenario() -> None:
        device = Device(port)
        await device.connect(oldest=first, newest=messages[-1].sequence)
        await device.send(AgentMessage(layout=layout()), *messages)
        await device.acknowledged(messages[-1].sequence)
        await device.close()

    asyncio.run(scenario())


def collector(folder: Path, url: str, **options: object) -> CollectorProcess:
    destination = {"url": url, "name": "database", "gather_seconds": 0.05, "max_backoff_seconds": 0.2, **options}
    return CollectorProcess(folder, remote_write=[destination])


def metrics(running: CollectorProcess) -> str:
    with httpx.Client(base_url=running.ready["http"], trust_env=False) as http:
        return http.get("/metrics").text


@DATABASES
def test_values_arrive_with_the_labels_of_the_page_and_times_of_their_own(tmp_path: Path, start: Start) -> None:
    with start(tmp_path / "database") as database, collector(tmp_path, database.write_url) as running:
        bring(running.grpc_port, *frames(1, 5))
        database.wait_for_count(BUSY, 5 * TICKS)
        ((labels, samples),) = database.samples(BUSY).items()
        (memory,) = database.samples("edgeprof_memory_available_bytes").values()

    assert labels == (("__name__", "edgeprof_cpu_busy_ratio"), ("device", DEVICE))
    assert [value for _, value in samples] == [step / 1000 for step in range(TICKS, 6 * TICKS)]
    first_ms = samples[0][0]
    assert [at - first_ms for at, _ in samples] == [100 * tick for tick in range(5 * TICKS)]
    assert [value for _, value in memory] == [65536.0 * tick for tick in range(TICKS)] * 5
    assert 0 < time.time() * 1000 - first_ms - 299_000 < 60_000, "the first frame is of 299 s before the hello"


@DATABASES
def test_a_collector_that_is_killed_loses_and_repeats_nothing(tmp_path: Path, start: Start) -> None:
    with start(tmp_path / "database") as database:
        with collector(tmp_path, database.write_url, samples_per_request=3) as running:
            bring(running.grpc_port, *frames(1, 200))
            database.wait_for_count(BUSY, 1)
            running.end(signal.SIGKILL)
        interrupted = database.count(BUSY)
        with collector(tmp_path, database.write_url) as running:
            bring(running.grpc_port, *frames(201, 2), first=201)
            database.wait_for_count(BUSY, 202 * TICKS)
            (samples,) = database.samples(BUSY).values()

    assert 0 < interrupted < 200 * TICKS, "the kill came between"
    assert [value for _, value in samples] == [step / 1000 for step in range(TICKS, 203 * TICKS)]


def test_a_destination_that_is_away_gets_everything_when_it_comes(tmp_path: Path) -> None:
    port = free_port()
    with collector(tmp_path, f"http://127.0.0.1:{port}/api/v1/write") as running:
        bring(running.grpc_port, *frames(1, 5))
        while 'remote_write_retries_total{destination="database"} 0.0\n' in (page := metrics(running)):
            time.sleep(0.05)
        assert lag_seconds(page) > 0
        with prometheus(tmp_path / "database", port) as database:
            database.wait_for_count(BUSY, 5 * TICKS)
            while (page := metrics(running)) and lag_seconds(page) > 0:
                time.sleep(0.05)
        assert 'remote_write_samples_total{destination="database"} 100.0\n' in page


def lag_seconds(page: str) -> float:
    (family,) = (
        family
        for family in text_string_to_metric_families(page)
        if family.name == "edgeprof_collector_remote_write_lag_seconds"
    )
    (sample,) = family.samples
    return sample.value


def test_prometheus_takes_late_samples_and_refuses_those_that_are_too_old(tmp_path: Path) -> None:
    """One request holds a frame of now, one of half an hour ago and one of two days ago, of one series."""
    now_ns = time.time_ns()
    ages_seconds = {1: 10, 2: 1800, 3: 2 * 86400, 4: 5}
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    store.admit([greeting()])
    whole = delivery(*(frame_message(number, values=((number,), (1,))) for number in ages_seconds), layouts=[layout()])
    arrivals = [
        arrival._replace(wall_ns=now_ns - ages_seconds[arrival.sequence] * SECOND_NS) for arrival in whole.arrivals
    ]
    store.commit([whole._replace(arrivals=arrivals)])
    with prometheus(tmp_path / "database") as database:
        with collector(tmp_path, database.write_url, send_stored=True):
            database.wait_for_count(BUSY, 3)
        ((_, samples),) = database.samples(BUSY).items()
    (refused,) = store.outgoing.refused_writes("database")
    store.close()
    assert [value for _, value in samples] == [0.002, 0.001, 0.004]
    assert (refused.position, refused.samples) == (3, 2)
    assert "too old" in refused.reason or "out of bounds" in refused.reason


@DATABASES
def test_the_series_of_a_device_that_is_gone_end(tmp_path: Path, start: Start) -> None:
    recent = [frame_message(number, start_ns=(990 + number) * SECOND_NS) for number in (1, 2, 3)]
    with (
        start(tmp_path / "database") as database,
        collector(tmp_path, database.write_url, stale_after_seconds=0.5) as running,
    ):
        bring(running.grpc_port, *recent[:2])
        database.wait_for_count(BUSY, 4)
        while database.query(BUSY):
            time.sleep(0.1)
        assert database.count(BUSY) == 4, "what was written stays"
        bring(running.grpc_port, recent[2], first=3)
        database.wait_for_count(BUSY, 6)


def test_results_of_a_run_arrive_at_the_time_of_its_end_with_the_labels_of_the_page(tmp_path: Path) -> None:
    begun = request()
    decoded = replace(begun, token_gaps_ns=(25_000_000,) * 8, end_monotonic_ns=begun.start_monotonic_ns + 200_000_000)
    run = [event_message(1, started()), event_message(2, decoded), event_message(3, finished())]
    with prometheus(tmp_path / "database") as database, collector(tmp_path, database.write_url) as running:
        bring(running.grpc_port, *run)
        database.wait_for_count("edgeprof_run_info", 1)
        database.wait_for_count("edgeprof_result_decode_tokens_per_second", 1)
        ((labels, ((at_ms, rate),)),) = database.samples("edgeprof_result_decode_tokens_per_second").items()
        while "edgeprof_result_decode_tokens_per_second{" not in (page := metrics(running)):
            time.sleep(0.05)
    (shown,) = (
        sample
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "edgeprof_result_decode_tokens_per_second"
    )
    assert dict(labels) == {"__name__": shown.name, **{name: value for name, value in shown.labels.items() if value}}
    assert rate == pytest.approx(40.0)
    assert 0 < time.time() * 1000 - at_ms - 980_000 < 60_000, "the run ended 980 s before the hello"
