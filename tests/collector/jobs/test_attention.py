"""Watched devices are told so, on each of their streams, until nobody watches any more."""

import asyncio

from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import DEVICE


def told(messages: list[CollectorMessage]) -> list[float]:
    return [message.settings.idle_frame_seconds for message in messages if message.HasField("settings")]


def test_a_device_is_told_by_the_first_watcher_and_by_the_last(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        with queue.attention.watching(DEVICE):
            with queue.attention.watching(DEVICE), queue.attention.watching("another"):
                assert told(sent) == [1.0]
            assert told(sent) == [1.0]
        assert told(sent) == [1.0, 0.0]

    asyncio.run(scenario())


def test_a_device_that_comes_back_is_told_again(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        with queue.attention.watching(DEVICE):
            await queue.device_connected(DEVICE, [], sent.append)
            queue.device_disconnected(DEVICE)
            await queue.device_connected(DEVICE, [], sent.append)
            assert told(sent) == [1.0, 1.0]
        queue.device_disconnected(DEVICE)
        await queue.device_connected(DEVICE, [], sent.append)
        assert told(sent) == [1.0, 1.0, 0.0]

    asyncio.run(scenario())


def test_closing_ends_a_pause(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        pausing = asyncio.ensure_future(queue.attention.pause(600))
        await asyncio.sleep(0)
        queue.close()
        await asyncio.wait_for(pausing, 30)
        assert queue.attention.is_closed

    asyncio.run(scenario())
