"""The stream against a real server: every message counts once, whatever breaks."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.run import PhaseKind, Progress
from edgeprof.v1.uplink_pb2 import Ack, AgentMessage, CollectorMessage
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.small_collector import SmallCollector, serving
from tests.agent.uplink.small_device import BOOT_ID, device

PROGRESS = Progress(
    run_id="run", phase=PhaseKind.STEP, done_ratio=0.5, elapsed_seconds=1.0, remaining_seconds=1.0, job_id="job"
)


def stored_tags(collector: SmallCollector) -> list[int]:
    return [message.frame.start_monotonic_ns for message in collector.stored.values() if message.HasField("frame")]


def has_stored(collector: SmallCollector, count: int) -> Callable[[], bool]:
    return lambda: len(collector.stored) >= count


async def all_acknowledged(spool: Spool) -> None:
    """Wait until nothing waits any more."""
    while not spool.empty:  # noqa: ASYNC110 - over streams that begin anew, so there is no one event
        await asyncio.sleep(0.01)


def test_what_is_put_arrives_in_order_and_leaves_the_spool(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port, device(tmp_path, port) as agent:
            for tag in range(1, 400):
                agent.sample(tag, channels=1 + tag % 3)
            await collector.until(has_stored(collector, 399))
            await agent.uplink.drain(30)
            assert agent.outbox.spool.empty
        assert stored_tags(collector) == list(range(1, 400))
        assert not collector.faults
        (hello,) = collector.hellos
        assert hello.device.hostname == "bench"
        assert hello.boot_id == BOOT_ID
        assert hello.monotonic_ns > 0 < hello.wall_ns
        assert len(collector.layouts) == 3

    asyncio.run(main())


@pytest.mark.prove(short=4, whole=100)
def test_messages_count_once_across_streams_that_break_at_random(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)

    async def main() -> None:
        collector = SmallCollector()
        collector.cut = lambda _: chance.random() < 0.02
        async with serving(collector) as port, device(tmp_path, port) as agent:
            for tag in range(1, 301):
                agent.sample(tag, channels=1 + tag % 5)
                if tag % 50 == 0:
                    collector.acknowledging = chance.random() < 0.7
                    await collector.until(has_stored(collector, tag - 30))
            collector.acknowledging = True
            await collector.until(has_stored(collector, 300))
        assert stored_tags(collector) == list(range(1, 301))
        assert not collector.faults
        assert len(collector.hellos) > 1

    asyncio.run(main())


@pytest.mark.prove(short=4, whole=100)
def test_messages_count_once_across_restarts_of_both_ends(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)

    async def main() -> None:
        collector = SmallCollector()
        tag, surely_kept = 0, set[int]()
        for _ in range(8):
            async with contextlib.AsyncExitStack() as stack:
                port = await stack.enter_async_context(serving(collector))
                stopped = chance.random() < 0.5
                agent = await stack.enter_async_context(device(tmp_path, port, close=stopped))
                put = range(tag + 1, tag + chance.randrange(1, 60))
                for tag in put:
                    agent.sample(tag)
                if chance.random() < 0.7:
                    before = len(collector.stored)
                    await collector.until(has_stored(collector, before + len(put) // 2))
                if stopped:
                    surely_kept.update(put)
        async with serving(collector) as port, device(tmp_path, port) as agent:
            # Not until the collector's cursor is at the spool's end: an earlier life's may be there by chance.
            await asyncio.wait_for(all_acknowledged(agent.outbox.spool), 30)
        tags = stored_tags(collector)
        assert len(tags) == len(set(tags)), "counted twice"
        assert surely_kept <= set(tags)
        assert not collector.faults

    asyncio.run(main())


def test_a_device_that_forgot_what_it_sent_opens_a_new_epoch(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port:
            async with device(tmp_path, port) as agent:
                agent.sample(1)
                await collector.until(has_stored(collector, 1))
            async with device(tmp_path, port, close=False) as agent:
                agent.sample(2)
                agent.sample(3)
                await collector.until(has_stored(collector, 3))
            async with device(tmp_path, port) as agent:
                for tag in range(4, 9):
                    agent.sample(tag)
                await collector.until(has_stored(collector, 8))
        assert stored_tags(collector) == list(range(1, 9))
        epochs = [hello.spool_epoch for hello in collector.hellos]
        assert epochs[0] == epochs[1] == epochs[2] != epochs[3]
        assert [hello.newest_sequence for hello in collector.hellos][1:3] == [1, 1]
        assert not collector.faults

    asyncio.run(main())


def test_a_collector_that_comes_back_is_found_again(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port:
            pass
        async with device(tmp_path, port) as agent:
            for tag in range(1, 6):
                agent.sample(tag)
                async with serving(collector, port):
                    await collector.until(has_stored(collector, tag))
        assert stored_tags(collector) == [1, 2, 3, 4, 5]

    asyncio.run(main())


def test_an_outage_is_told_once_and_the_end_of_a_stream_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port:
            pass
        breaking = {2, 3}

        def cut_each_once(message: AgentMessage) -> bool:
            found = message.sequence in breaking
            breaking.discard(message.sequence)
            return found

        collector.cut = cut_each_once
        async with device(tmp_path, port) as agent:
            await agent.waiting.wait()
            async with serving(collector, port):
                for tag in (1, 2, 3):
                    agent.sample(tag)
                await collector.until(has_stored(collector, 3))
        assert not breaking

    with caplog.at_level(logging.INFO, logger="edgeprof_agent"):
        asyncio.run(main())
    trouble, connected = caplog.messages
    assert "Connection refused; trying again" in trouble
    assert connected.startswith("connected to the collector")


def test_a_refusal_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        collector = SmallCollector()
        collector.refusal = "it is not enrolled"
        async with serving(collector) as port, device(tmp_path, port) as agent:
            agent.sample(1)
            await collector.until(lambda: len(collector.hellos) >= 3)
            assert not collector.stored
            collector.refusal = ""
            await collector.until(has_stored(collector, 1))

    with caplog.at_level(logging.WARNING, logger="edgeprof_agent"):
        asyncio.run(main())
    assert [line.partition(": ")[2] for line in caplog.messages] == [
        "it refuses this device: it is not enrolled; trying again"
    ]


def test_a_collector_that_does_not_acknowledge_is_not_flooded(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        collector.acknowledging = False
        async with serving(collector) as port, device(tmp_path, port) as agent:
            for tag in range(1, 501):
                agent.sample(tag)
            await collector.until(has_stored(collector, 256))
            agent.uplink.report(PROGRESS)  # it follows whatever else was sent
            await collector.until(lambda: bool(collector.progresses))
            assert len(collector.stored) == 256

            collector.acknowledging = True
            await collector.outgoing.put(CollectorMessage(ack=Ack(stored_sequence=256)))
            await collector.until(has_stored(collector, 500))
            await agent.uplink.drain(30)
        assert stored_tags(collector) == list(range(1, 501))

    asyncio.run(main())


def test_facts_that_change_are_told_at_once_and_in_the_next_hello(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port, device(tmp_path, port) as agent:
            agent.sample(1)
            await collector.until(has_stored(collector, 1))
            agent.facts = replace(agent.facts, governor="performance")
            agent.outbox.wake.set()
            await collector.until(lambda: len(collector.changed_facts) == 1)
            assert collector.changed_facts[0].governor == "performance"
            assert collector.changed_facts[0].hostname == "bench"
            collector.cut = lambda _: True
            agent.sample(2)
            await collector.until(lambda: len(collector.hellos) >= 2)
            assert collector.hellos[-1].device.governor == "performance"
        assert len(collector.changed_facts) == 1

    asyncio.run(main())


def test_a_collector_that_acknowledges_nothing_is_asked_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        collector = SmallCollector()
        collector.acknowledging = False
        async with serving(collector) as port, device(tmp_path, port, silence_seconds=1.0) as agent:
            await collector.until(lambda: len(collector.hellos) == 1)
            agent.sample(1)
            await collector.until(lambda: len(collector.hellos) == 2)
            collector.acknowledging = True
            agent.sample(2)
            await collector.until(has_stored(collector, 2))
            await agent.uplink.drain(30)
            assert agent.uplink.stalled_seconds() == 0.0, "nothing waits"
        assert stored_tags(collector) == [1, 2]
        assert not collector.faults

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert "it has acknowledged nothing for 1 s" in caplog.text
