"""Malformed and hostile messages: each is marked, left out, or ends its own stream, and nothing else."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from edgeprof.v1.uplink_pb2 import AgentMessage
from tests.collector.intake.device import LAYOUT, Device, run_frames, running_intake
from tests.collector.store.samples import (
    BUSY,
    event_message,
    finished,
    frame_message,
    layout,
    request,
    started,
)


def test_a_bad_frame_is_marked_and_the_stream_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            undescribed = frame_message(2, run_id="run-1", number=44)
            truncated = frame_message(3, run_id="run-1")
            truncated.frame.blocks[0].times = b""
            backwards = frame_message(4, run_id="run-1")
            backwards.frame.end_monotonic_ns = 0
            endless = frame_message(5, run_id="run-1")
            endless.frame.end_monotonic_ns = 2**64 - 1
            bad = [undescribed, truncated, backwards, endless]
            await device.send(LAYOUT, event_message(1, started()), *bad, *run_frames(6, 6))
            await device.acknowledged(6)
            assert len(running.store.telemetry("run-1").frames) == 1
            assert len(running.heard.frames) == 1
            assert "edgeprof_collector_bad_frames_total 4.0" in running.health.text()

    asyncio.run(scenario())


def test_a_layout_that_makes_no_sense_marks_its_frames(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            senseless = layout()
            senseless.channels[0].resolution = float("nan")
            await device.send(AgentMessage(layout=senseless), event_message(1, started()), *run_frames(2, 2))
            await device.acknowledged(2)
            assert len(running.store.telemetry("run-1").frames) == 0

    asyncio.run(scenario())


def test_an_event_of_a_newer_agent_is_left_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            strange: Any = event_message(2, finished())
            strange.run_event.finished.state = 99
            empty = AgentMessage(sequence=3)
            empty.run_event.SetInParent()
            unknown = AgentMessage(sequence=4)
            await device.send(event_message(1, started()), strange, empty, unknown, event_message(5, request()))
            await device.acknowledged(5)
            record = running.store.run("run-1")
            assert (record.finished, record.requests) == (None, (request(),))

    asyncio.run(scenario())


def test_messages_that_this_version_does_not_know_do_no_harm(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            progress: Any = AgentMessage()
            progress.progress.phase = 99
            status: Any = AgentMessage()
            status.job_status.state = 99
            await device.send(AgentMessage(), progress, status, AgentMessage(hello=device.hello()), frame_message(1))
            await device.acknowledged(1)

    asyncio.run(scenario())


def described_twice(device: Device) -> list[AgentMessage]:
    return [LAYOUT, LAYOUT, AgentMessage(layout=layout(1, (BUSY,)))]


def endless_gap(device: Device) -> list[AgentMessage]:
    message: Any = AgentMessage(sequence=2**64 - 1)
    message.gap.first_sequence, message.gap.last_sequence, message.gap.cause = 1, 2**64 - 1, 1
    return [message]


@pytest.mark.parametrize("misdeed", [described_twice, endless_gap], ids=lambda misdeed: misdeed.__name__)
def test_a_misdeed_ends_the_stream(tmp_path: Path, misdeed: Callable[[Device], list[AgentMessage]]) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(*misdeed(device))
            assert (await device.end())[0] is grpc.StatusCode.INVALID_ARGUMENT

    asyncio.run(scenario())


def wrong_protocol(device: Device) -> AgentMessage:
    message = AgentMessage(hello=device.hello())
    message.hello.protocol = 7
    return message


def no_name(device: Device) -> AgentMessage:
    message = AgentMessage(hello=device.hello())
    message.hello.device.device_id = ""
    return message


def name_with_a_newline(device: Device) -> AgentMessage:
    message = AgentMessage(hello=device.hello())
    message.hello.device.device_id = "a\nb"
    return message


def no_epoch(device: Device) -> AgentMessage:
    message = AgentMessage(hello=device.hello())
    message.hello.spool_epoch = b""
    return message


def endless_spool(device: Device) -> AgentMessage:
    return AgentMessage(hello=device.hello(oldest=1, newest=2**64 - 1))


def reversed_spool(device: Device) -> AgentMessage:
    return AgentMessage(hello=device.hello(oldest=5, newest=4))


@pytest.mark.parametrize(
    "hello",
    [wrong_protocol, no_name, name_with_a_newline, no_epoch, endless_spool, reversed_spool],
    ids=lambda hello: hello.__name__,
)
def test_a_device_that_cannot_be_served_is_told_why(tmp_path: Path, hello: Callable[[Device], AgentMessage]) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = running.device()
            await device.send(hello(device))
            assert (await device.next()).refused.reason
            assert (await device.end())[0] is grpc.StatusCode.OK
            assert running.store.devices() == ()

    asyncio.run(scenario())


def test_the_first_message_must_be_a_hello(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = running.device()
            await device.send(frame_message(1))
            assert (await device.end())[0] is grpc.StatusCode.INVALID_ARGUMENT

    asyncio.run(scenario())
