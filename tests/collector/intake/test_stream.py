"""A device's stream against the real intake: nothing acknowledged is lost, nothing counts twice."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from edgeprof.telemetry import Gap, GapCause
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.store.protocol import Delivery
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import LAYOUT, Device, run_frames, running_intake
from tests.collector.store.samples import (
    DEVICE,
    event_message,
    facts_message,
    finished,
    frame_message,
    gap_message,
    started,
)


def test_what_is_acknowledged_is_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = running.device()
            welcome = await device.connect(oldest=1, newest=4)
            assert (welcome.protocol, welcome.stored_sequence, welcome.new_epoch_required) == (1, 0, False)
            await device.send(LAYOUT, event_message(1, started()), *run_frames(2, 3), event_message(4, finished()))
            await device.acknowledged(4)
            assert running.store.run("run-1").finished == finished()
            assert len(running.store.telemetry("run-1").frames) == 2
            assert running.heard.finished_runs == ["run-1"]

    asyncio.run(scenario())


def test_a_device_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, event_message(1, started()), *run_frames(2, 3))
            await device.acknowledged(3)
            await device.close()
            device = running.device()
            assert (await device.connect(oldest=2, newest=5)).stored_sequence == 3
            await device.send(LAYOUT, *run_frames(4, 5))
            await device.acknowledged(5)
            assert len(running.store.telemetry("run-1").frames) == 4

    asyncio.run(scenario())


def test_duplicates_count_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, event_message(1, started()), *run_frames(2, 4))
            await device.acknowledged(4)
            await device.send(*run_frames(2, 4), *run_frames(3, 6))
            await device.acknowledged(6)
            assert len(running.store.telemetry("run-1").frames) == 5
            assert len(running.heard.frames) == 5

    asyncio.run(scenario())


def test_a_stream_with_a_hole_is_ended_after_what_came_is_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, event_message(1, started()), *run_frames(2, 2), *run_frames(4, 4))
            assert await device.end() == (grpc.StatusCode.OUT_OF_RANGE, "message 4 does not follow message 2")
            assert (await running.device().connect(oldest=1, newest=4)).stored_sequence == 2

    asyncio.run(scenario())


def test_a_gap_is_stored_and_passed_over(tmp_path: Path) -> None:
    lost = Gap(first_sequence=2, last_sequence=7, cause=GapCause.SPOOL_FULL)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, frame_message(1), gap_message(lost), frame_message(8))
            await device.acknowledged(8)
            assert running.store.gaps(DEVICE) == (lost,)
            assert "edgeprof_collector_gaps_total 1.0" in running.health.text()
            assert running.heard.lost == [(DEVICE, 6)]

    asyncio.run(scenario())


def test_what_was_stored_before_it_was_dropped_is_not_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            lost = Gap(first_sequence=1, last_sequence=5, cause=GapCause.SPOOL_FULL)
            await device.send(LAYOUT, frame_message(1), frame_message(2), gap_message(lost))
            await device.acknowledged(5)
            assert running.heard.lost == [(DEVICE, 3)]

    asyncio.run(scenario())


@pytest.mark.parametrize(("first", "last", "cause"), [(0, 3, 1), (3, 2, 1), (1, 4, 1), (1, 3, 0), (1, 3, 99)], ids=str)
def test_a_gap_that_makes_no_sense_ends_the_stream(tmp_path: Path, first: int, last: int, cause: Any) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            message: Any = AgentMessage(sequence=3)
            message.gap.first_sequence, message.gap.last_sequence, message.gap.cause = first, last, cause
            await device.send(message)
            assert (await device.end())[0] is grpc.StatusCode.INVALID_ARGUMENT
            assert running.store.gaps(DEVICE) == ()

    asyncio.run(scenario())


def test_what_the_spool_lost_before_connecting_is_a_gap(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = running.device()
            assert (await device.connect(oldest=5, newest=6)).stored_sequence == 4
            await device.send(LAYOUT, frame_message(5), frame_message(6))
            await device.acknowledged(6)
            assert running.store.gaps(DEVICE) == (Gap(first_sequence=1, last_sequence=4, cause=GapCause.NEVER_SENT),)
            assert running.heard.lost == [(DEVICE, 4)]

    asyncio.run(scenario())


def test_a_spool_that_lost_its_newest_begins_a_new_epoch(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, frame_message(1), frame_message(2))
            await device.acknowledged(2)
            await device.close()
            device = running.device()
            assert (await device.connect(oldest=1, newest=1)).new_epoch_required
            assert (await device.end())[0] is grpc.StatusCode.OK
            assert not (await running.device(epoch=b"another").connect(oldest=1, newest=1)).new_epoch_required

    asyncio.run(scenario())


def test_a_newer_stream_takes_the_place_of_an_older(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            older = await running.connected()
            await older.send(LAYOUT, frame_message(1))
            await older.acknowledged(1)
            newer = running.device()
            assert (await newer.connect(newest=1)).stored_sequence == 1
            assert (await older.end())[0] is grpc.StatusCode.ABORTED
            await newer.send(LAYOUT, frame_message(2))
            await newer.acknowledged(2)
            assert running.heard.connections == [(DEVICE, True), (DEVICE, True)]

    asyncio.run(scenario())


def test_listeners_hear_who_comes_and_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.done()
            assert (await device.end())[0] is grpc.StatusCode.OK
            assert running.heard.connections == [(DEVICE, True), (DEVICE, False)]

    asyncio.run(scenario())


def test_a_device_that_vanishes_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            before = asyncio.all_tasks()
            device = await running.connected()
            await device.send(LAYOUT, frame_message(1))
            await device.acknowledged(1)
            await device.close()
            await asyncio.wait_for(running.heard.disconnected.wait(), 30)
            left = [repr(task) for task in asyncio.all_tasks() - before]
            assert not [task for task in left if "edgeprof_collector" in task]

    asyncio.run(scenario())


def test_devices_do_not_wait_for_one_another(tmp_path: Path) -> None:
    """Each of many devices has all its frames stored, whatever order they come in."""

    async def speak(device: Device) -> None:
        await device.connect()
        await device.send(LAYOUT)
        for sequence in range(1, 21):
            await device.send(frame_message(sequence))
        await device.acknowledged(20)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            await asyncio.gather(*(speak(running.device(f"device-{number}")) for number in range(12)))
            assert len(running.store.devices()) == 12
            assert len(running.heard.frames) == 12 * 20

    asyncio.run(scenario())


class HeldStore(SqliteStore):
    """Commits nothing until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.let_go = threading.Event()
        self.sizes: list[int] = []

    def commit(self, deliveries: Sequence[Delivery]) -> tuple[int, ...]:
        self.let_go.wait()
        self.sizes += [sum(len(one.payload) for one in delivery.arrivals) for delivery in deliveries]
        return super().commit(deliveries)


@pytest.mark.parametrize("bound", ["pending_bytes_per_device", "pending_bytes"])
def test_a_stream_is_read_no_further_when_too_much_waits_for_the_store(tmp_path: Path, bound: str) -> None:
    limits = replace(IntakeLimits(), **{bound: 65536})
    columns = (tuple(range(0, 40_000, 3)), tuple(value * value for value in range(13_334)))
    messages = [frame_message(sequence, values=columns) for sequence in range(1, 41)]
    largest = len(messages[-1].SerializeToString())
    assert 40 * largest > 20 * 65536

    async def scenario() -> None:
        store = HeldStore(tmp_path / "edgeprof.sqlite")
        async with running_intake(tmp_path, limits, store) as running:
            device = await running.connected()
            await device.send(LAYOUT)
            sending = asyncio.create_task(device.send(*messages))
            done, _ = await asyncio.wait({sending}, timeout=0.5)
            assert not done
            store.let_go.set()
            await device.acknowledged(40)
            await sending
        assert max(store.sizes) <= 65536 + largest

    asyncio.run(scenario())


def test_facts_that_change_are_kept_and_those_of_another_device_are_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            await running.connected("other")
            device = await running.connected()
            stranger, changed = facts_message("other"), facts_message()
            stranger.governor = changed.governor = "performance"
            await device.send(AgentMessage(device=stranger), AgentMessage(device=changed))
            await device.send(LAYOUT, *run_frames(1, 1))
            await device.acknowledged(1)
            governors = {each.facts.device_id: each.facts.governor for each in running.store.devices()}
            assert governors == {DEVICE: "performance", "other": None}

    asyncio.run(scenario())
