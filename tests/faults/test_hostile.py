"""Rubbish, lies and floods at the intake: others are served on, and nothing of it breaks the collector."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.remote_write.time_series import SeriesWriter
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.retention import Retention
from tests.collector.intake.device import Device, RunningIntake, running_intake
from tests.collector.store.dense_telemetry import thin_all
from tests.collector.store.samples import LIFE, event_message, finished, frame_message, layout, request, started


class Mutator:
    """Makes messages that are almost right."""

    def __init__(self, chance: random.Random, hello: AgentMessage) -> None:
        self._chance = chance
        good = [
            hello,
            AgentMessage(layout=layout()),
            event_message(1, started()),
            *(frame_message(sequence, run_id="run-1") for sequence in range(2, 8)),
            event_message(8, request()),
            event_message(9, finished()),
        ]
        self._good = [one.SerializeToString() for one in good]

    def stream(self) -> list[bytes]:
        """The messages of a stream, some of them spoiled, left out, repeated or out of order."""
        messages = list(self._good)
        for _ in range(self._chance.randrange(1, 5)):
            at = self._chance.randrange(len(messages))
            match self._chance.randrange(6):
                case 0:
                    messages[at] = self._flip(messages[at])
                case 1:
                    messages[at] = messages[at][: self._chance.randrange(len(messages[at]) + 1)]
                case 2:
                    other = self._chance.choice(self._good)
                    messages[at] += other[self._chance.randrange(len(other)) :]
                case 3:
                    messages.insert(at, self._chance.choice(self._good))
                case 4 if len(messages) > 2:
                    del messages[at]
                case _:
                    messages[at] = self._chance.randbytes(self._chance.randrange(200))
        return messages

    def _flip(self, message: bytes) -> bytes:
        changed = bytearray(message)
        for _ in range(self._chance.randrange(1, 8)):
            if changed:
                changed[self._chance.randrange(len(changed))] = self._chance.randrange(256)
        return bytes(changed)


async def end_of(port: int, payloads: list[bytes]) -> grpc.StatusCode:
    """Send these over a stream of their own, and return how it ended."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream("/edgeprof.v1.Uplink/Connect")()
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            for payload in payloads:
                await call.write(payload)
            await call.done_writing()
            while await call.read() is not grpc.aio.EOF:
                pass
        return await call.code()


def read_everything(store: Store) -> None:
    """As reports and remote writes do."""
    for run in store.runs():
        store.run(run.run_id)
        collect_series(store.telemetry(run.run_id))
    list(SeriesWriter({}, 100).frames(store.outgoing.frames_after(0, 10**9)))


@pytest.mark.prove(short=1, whole=40)
def test_rubbish_ends_its_own_stream_alone(tmp_path: Path, proof_seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(proof_seed)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            latest = LatestValues(running.health)
            running.listeners.append(latest)
            honest = await running.connected("honest")
            await honest.send(AgentMessage(layout=layout()))
            for number in range(1, 101):
                hostile = Device(running.port, f"hostile-{number % 7}", lives=[LIFE])
                mutator = Mutator(chance, AgentMessage(hello=hostile.hello()))
                await hostile.close()
                assert await end_of(running.port, mutator.stream()) is not grpc.StatusCode.UNKNOWN
                await honest.send(frame_message(number))
            await honest.acknowledged(100)
            read_everything(running.store)
            thin_all(running.store, Retention(idle_days=0, idle_10s_days=1, run_10s_days=1), days=10_000)
            read_everything(running.store)
            text = b"".join([part async for part in Page([latest], running.health).text()]).decode()
            assert list(text_string_to_metric_families(text))

    asyncio.run(scenario())
    # gRPC's own logger tells of exceptions that nobody expected.
    assert not [record.getMessage() for record in caplog.records if record.name.startswith("grpc")]


async def flood(device: Device, stop: asyncio.Event) -> int:
    """Send frames without waiting for anything; return how many."""
    await device.connect()
    await device.send(AgentMessage(layout=layout()))
    sequence = 0
    while not stop.is_set():
        sequence += 1
        await device.send(frame_message(sequence))
    return sequence


async def ask_and_wait(device: Device, count: int) -> None:
    """Send a frame, wait for its acknowledgement, and so on."""
    await device.connect()
    await device.send(AgentMessage(layout=layout()))
    for sequence in range(1, count + 1):
        await device.send(frame_message(sequence))
        await device.acknowledged(sequence)


async def highest_pending(running: RunningIntake, stop: asyncio.Event) -> int:
    """The most bytes that ever waited for the store."""
    highest = 0
    while not stop.is_set():
        highest = max(highest, running.intake._parties.writer.pending_bytes)
        await asyncio.sleep(0)
    return highest


def test_a_flood_starves_nobody_and_fills_no_memory(tmp_path: Path) -> None:
    limits = IntakeLimits(pending_bytes_per_device=65_536, pending_bytes=1 << 20)

    async def scenario() -> None:
        async with running_intake(tmp_path, limits) as running:
            stop = asyncio.Event()
            flooding = asyncio.create_task(flood(running.device("flood"), stop))
            watching = asyncio.create_task(highest_pending(running, stop))
            await asyncio.gather(*(ask_and_wait(running.device(f"quiet-{n}"), 20) for n in range(10)))
            stop.set()
            assert await flooding > 200, "there was no flood"
            assert await watching < 2 * 65_536

    asyncio.run(scenario())
