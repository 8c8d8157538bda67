"""Messages that come out of order or twice, from a device that keeps to nothing: each is stored once, in its order."""

import asyncio
import random
from pathlib import Path

import grpc
import pytest

from edgeprof.telemetry import channel_to_message, encode_frame
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from tests.collector.intake.device import RunningIntake, running_intake
from tests.collector.store.samples import BOOT, event_message, started
from tests.faults.traffic import CHANNELS, check_store, frame

FRAMES = 200
LAYOUT = AgentMessage(layout=Layout(layout=1, channels=[channel_to_message(one) for one in CHANNELS]))


def message(sequence: int) -> AgentMessage:
    """A run's start, then its frames, whose tags are their sequences."""
    if sequence == 1:
        return event_message(1, started())
    return AgentMessage(sequence=sequence, frame=encode_frame(frame(sequence), BOOT, lambda _: LAYOUT.layout.layout))


def disordered(stored: int, chance: random.Random) -> list[int]:
    """The next sequences of a stream: some sent twice, some long stored already, some in another's place."""
    sequences = list(range(stored + 1, min(stored + 60, FRAMES) + 1))
    for _ in range(chance.randrange(8)):
        at = chance.randrange(len(sequences) + 1)
        match chance.randrange(3):
            case 0:
                sequences.insert(at, chance.randrange(1, stored + 2))
            case 1 if at:
                sequences.insert(at, sequences[at - 1])
            case _:
                one, other = (chance.randrange(len(sequences)) for _ in range(2))
                sequences[one], sequences[other] = sequences[other], sequences[one]
    # The first stream surely has a hole: its second message is late.
    return sequences if stored else [sequence for sequence in sequences if sequence != 2]


async def one_stream(running: RunningIntake, chance: random.Random) -> tuple[int, bool]:
    """Connect and send until the end or a hole; return what was stored before, and whether there was a hole."""
    device = running.device()
    stored = (await device.connect(oldest=1, newest=FRAMES)).stored_sequence
    reached = stored
    await device.send(LAYOUT)
    for sequence in disordered(stored, chance) if stored < FRAMES else ():
        await device.send(message(sequence))
        if sequence > reached + 1:
            assert await device.end() == (
                grpc.StatusCode.OUT_OF_RANGE,
                f"message {sequence} does not follow message {reached}",
            )
            return stored, True
        reached = max(reached, sequence)
    await device.acknowledged(reached)
    await device.close()
    return stored, False


@pytest.mark.prove(short=2, whole=50)
def test_messages_out_of_order_and_twice_count_once(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            holes, stored = 0, 0
            while stored < FRAMES:
                stored, hole = await one_stream(running, chance)
                holes += hole
            assert holes

    asyncio.run(scenario())
    tags = check_store(tmp_path / "edgeprof.sqlite", range(2, FRAMES + 1))
    assert tags == sorted(tags)
