"""What a device may not do: it is told why, it is counted, and nobody else is the worse for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from edgeprof.telemetry import Channel, pack_integers
from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.intake.checks import layout_fault
from edgeprof_collector.intake.limits import IntakeLimits
from tests.collector.intake.device import running_intake
from tests.collector.store.samples import DEVICE, event_message, frame_message, layout, started

CORE = Channel("edgeprof_cpu_core_busy_ratio", (("core", "1"),), "/proc/stat", 0.001)


def spoiled(spoil: Callable[[Layout], object]) -> Layout:
    spoiled_layout = layout(channels=[CORE])
    spoil(spoiled_layout)
    return spoiled_layout


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (
            lambda one: one.channels[0].labels.update(core="x" * 257),
            "a label of edgeprof_cpu_core_busy_ratio is not 256",
        ),
        (lambda one: one.channels[0].labels.update(core="a\nb"), "a label of edgeprof_cpu_core_busy_ratio is not 256"),
        (lambda one: one.channels[0].labels.update({"co re": "1"}), "more than 32 labels, or one without"),
        (lambda one: one.channels[0].labels.update({f"l{n}": "" for n in range(33)}), "more than 32 labels"),
        (lambda one: setattr(one.channels[0], "metric", 'x{y="z"}'), "a channel has no proper name"),
        (lambda one: setattr(one.channels[0], "source", "s" * 1025), "the source of edgeprof_cpu_core_busy_ratio"),
        (lambda one: one.channels.extend([one.channels[0]] * 20_000), "layout 1 has more than 20000 channels"),
    ],
)
def test_a_layout_that_could_harm_is_refused(spoil: Callable[[Layout], object], fault: str) -> None:
    assert layout_fault(layout(channels=[CORE]), IntakeLimits()) == ""
    assert fault in layout_fault(spoiled(spoil), IntakeLimits())


def test_frames_of_a_refused_layout_are_stored_marked_and_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path, IntakeLimits(label_characters=8)) as running:
            device = await running.connected()
            wide = layout()
            wide.channels[0].labels["core"] = "more than eight"
            await device.send(AgentMessage(layout=wide), event_message(1, started()), frame_message(2, run_id="run-1"))
            await device.acknowledged(2)
            assert len(running.store.telemetry("run-1").frames) == 0
            text = running.health.text()
            assert 'edgeprof_collector_refusals_total{thing="layout"} 1.0' in text
            assert "edgeprof_collector_bad_frames_total 1.0" in text

    asyncio.run(scenario())


def claim_to_be_thinned(frame: Frame) -> None:
    frame.blocks[0].bucket_ns = 2**64 - 1


def promise_very_much(frame: Frame) -> None:
    """Two channels that stand still, at three million ticks: sixty megabytes of values in three of times."""
    (block,) = frame.blocks
    block.tick_count = 3_000_000
    block.times = pack_integers([0] * block.tick_count)
    block.constant_channels, block.differences = b"\x03", b""


@pytest.mark.parametrize("spoil", [claim_to_be_thinned, promise_very_much])
def test_a_frame_that_could_harm_its_readers_is_marked_and_counted(
    tmp_path: Path, spoil: Callable[[Frame], None]
) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            spoiled_frame = frame_message(2, run_id="run-1")
            spoil(spoiled_frame.frame)
            await device.send(AgentMessage(layout=layout()), event_message(1, started()), spoiled_frame)
            await device.acknowledged(2)
            assert len(running.store.telemetry("run-1").frames) == 0
            assert "edgeprof_collector_bad_frames_total 1.0" in running.health.text()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (IntakeLimits(channels_per_device=7), "more than 7 channels are described"),
        (IntakeLimits(description_bytes=300), "channels are described in more than 300 bytes"),
    ],
)
def test_a_stream_that_describes_ever_more_channels_begins_anew(
    tmp_path: Path, limits: IntakeLimits, reason: str
) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path, limits) as running:
            device = await running.connected()
            await device.send(*(AgentMessage(layout=layout(number)) for number in range(1, 5)))
            assert await device.end() == (grpc.StatusCode.RESOURCE_EXHAUSTED, f"{reason}: begin anew")
            device = await running.connected()
            await device.send(AgentMessage(layout=layout(4)), frame_message(1, number=4))
            await device.acknowledged(1)

    asyncio.run(scenario())


def test_a_device_too_many_is_refused_until_another_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path, IntakeLimits(devices=1)) as running:
            first = await running.connected()
            second = running.device("another")
            await second.send(AgentMessage(hello=second.hello()))
            refused = (await second.next()).refused
            assert refused.reason.startswith("this collector has its 1 devices")
            assert 'edgeprof_collector_refusals_total{thing="device"} 1.0' in running.health.text()
            await running.connected()  # the same device again is none too many
            assert (await first.end())[0] is grpc.StatusCode.ABORTED

    asyncio.run(scenario())


def test_two_agents_with_one_identity_are_both_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            first = await running.connected()
            second = running.device(epoch=b"of another spool", lives=[b"life 2"])
            await second.send(AgentMessage(hello=second.hello()))
            reason = (await second.next()).refused.reason
            assert reason.startswith(f"the identity '{DEVICE}' is in use by {DEVICE} at ipv4:127.0.0.1:")
            assert reason.endswith("give one of the two another id (device.id in its configuration)")
            assert 'edgeprof_collector_refusals_total{thing="identity"} 1.0' in running.health.text()
            await first.send(AgentMessage(layout=layout()), frame_message(1))
            await first.acknowledged(1)

            await first.close()
            await asyncio.wait_for(running.heard.disconnected.wait(), 30)
            third = running.device(epoch=b"of another spool", lives=[b"life 2"])
            assert not (await third.connect()).new_epoch_required

    asyncio.run(scenario())
    assert [record.message.startswith(f"{DEVICE} at ipv4:") for record in caplog.records] == [True]


def test_an_agent_that_starts_again_takes_the_place_of_its_half_open_stream(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            older = await running.connected()
            newer = running.device(lives=[b"life 2", b"life 1"])
            await newer.connect()
            assert (await older.end())[0] is grpc.StatusCode.ABORTED

    asyncio.run(scenario())


def test_another_machine_in_the_place_of_a_device_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            await (await running.connected()).close()
            await asyncio.wait_for(running.heard.disconnected.wait(), 30)
            device = running.device(epoch=b"of another spool", lives=[b"life 2"])
            hello = device.hello()
            hello.device.hostname = "new-board"
            await device.send(AgentMessage(hello=hello))
            assert (await device.next()).HasField("welcome")

    asyncio.run(scenario())
    (record,) = caplog.records
    assert record.message == f"{DEVICE} is another machine than before: hostname '{DEVICE}' is 'new-board' now"
