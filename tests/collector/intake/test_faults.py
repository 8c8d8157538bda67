"""What goes wrong around a stream: rubbish on the wire, a store that fails, a collector that stops."""

import asyncio
import logging
import random
import sqlite3
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio
import pytest

from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.store import database
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import LAYOUT, running_intake
from tests.collector.store.samples import DEVICE, event_message, finished, frame_message, greeting, started


async def end_of_raw_stream(port: int, *payloads: bytes) -> grpc.StatusCode:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream("/edgeprof.v1.Uplink/Connect")()
        for payload in payloads:
            await call.write(payload)
        with suppress(grpc.aio.AioRpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        return await call.code()


@pytest.mark.parametrize("with_hello", [False, True])
def test_bytes_that_are_no_message_end_the_stream(tmp_path: Path, with_hello: bool) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            hello = AgentMessage(hello=running.device().hello()).SerializeToString()
            payloads = [hello, b"\xff\xff\xff"] if with_hello else [b"\xff\xff\xff"]
            assert await end_of_raw_stream(running.port, *payloads) is grpc.StatusCode.INVALID_ARGUMENT

    asyncio.run(scenario())


def test_a_stream_without_a_word_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = running.device()
            await device.done()
            assert (await device.end())[0] is grpc.StatusCode.CANCELLED

    asyncio.run(scenario())


def test_a_message_beyond_the_limit_ends_the_stream_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path, IntakeLimits(message_bytes=65536)) as running:
            other = await running.connected("another")
            device = await running.connected()
            await device.send(frame_message(1, values=(tuple(range(0, 300_000, 3)), tuple(range(0, 400_000, 4)))))
            assert (await device.end())[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
            await other.send(LAYOUT, frame_message(1))
            await other.acknowledged(1)

    asyncio.run(scenario())


def test_what_a_full_disk_refused_is_stored_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(7)

    async def scenario() -> None:
        store = SqliteStore(tmp_path / "edgeprof.sqlite")
        async with running_intake(tmp_path, store=store) as running:
            device = await running.connected()
            writer = store._database._writer
            (pages,) = writer.execute("PRAGMA page_count").fetchone()
            writer.execute(f"PRAGMA max_page_count = {pages}")
            noise = [tuple(rng.randrange(10_000) for _ in range(10_000)) for _ in range(2)]
            wide = frame_message(1, values=noise)
            await device.send(LAYOUT, wide)
            assert (await device.end())[0] is grpc.StatusCode.UNAVAILABLE
            assert [(record.levelno, "the disk is full" in record.message) for record in caplog.records] == [
                (logging.ERROR, True)
            ]
            writer.execute(f"PRAGMA max_page_count = {pages + 1000}")
            device = running.device()
            assert (await device.connect(oldest=1, newest=1)).stored_sequence == 0
            await device.send(LAYOUT, wide)
            await device.acknowledged(1)

    asyncio.run(scenario())


def test_a_device_is_turned_away_while_the_store_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            holder = sqlite3.connect(tmp_path / "edgeprof.sqlite", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            device = running.device()
            await device.send(AgentMessage(hello=device.hello()))
            assert (await device.end())[0] is grpc.StatusCode.UNAVAILABLE
            holder.execute("ROLLBACK")
            holder.close()
            await running.connected()

    asyncio.run(scenario())


class BreakingListener:
    def on_connected(self, device_id: str) -> None: ...

    def on_disconnected(self, device_id: str) -> None: ...

    def on_lost(self, device_id: str, messages: int) -> None: ...

    def on_frame(self, device_id: str, layouts: object, frame: object) -> None:
        raise RuntimeError("a listener's own fault")


def test_a_listeners_fault_costs_no_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            running.listeners.insert(0, BreakingListener())
            device = await running.connected()
            await device.send(LAYOUT, event_message(1, started()), frame_message(2), event_message(3, finished()))
            await device.acknowledged(3)
            assert running.heard.finished_runs == ["run-1"]
        assert [record.message for record in caplog.records] == [f"{DEVICE}: message 2 is stored but was not passed on"]

    asyncio.run(scenario())


def test_stopping_stores_and_acknowledges_what_has_come(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, *(frame_message(sequence) for sequence in range(1, 40)))
            await device.acknowledged(1)
            stopping = asyncio.create_task(running.intake.stop())
            assert await device.end() == (grpc.StatusCode.UNAVAILABLE, "the collector is stopping")
            await stopping
            assert 1 <= device.stored <= 39
            assert running.store.admit([greeting(oldest=1, newest=39)])[0].stored_sequence == device.stored

    asyncio.run(scenario())


def test_a_transaction_that_hangs_is_seen_while_it_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            assert (running.intake.stalled_seconds(), running.intake.connected_devices) == (0.0, 1)
            other = sqlite3.connect(tmp_path / "edgeprof.sqlite", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await device.send(event_message(1, started()))
            while running.intake.stalled_seconds() == 0.0:  # noqa: ASYNC110 - it is what is tested
                await asyncio.sleep(0.01)
            other.execute("ROLLBACK")
            other.close()
            await device.acknowledged(1)
            assert running.intake.stalled_seconds() == 0.0

    asyncio.run(scenario())
