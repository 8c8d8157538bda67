"""The watchdog is fed while sampler and stream progress, and only then."""

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeprof.service_manager import ServiceManager
from edgeprof.telemetry import Reading
from edgeprof.watchdog import feed_watchdog
from edgeprof_agent.sampling.cadence import IDLE
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.vital_signs import VitalSigns
from tests.agent.processes import agent, collector
from tests.agent.sampling.stand_ins import POWER, ScriptedSensor, WoundClock

PATIENCE_SECONDS = 30


class Stream:
    """An uplink as far as the watchdog looks at it."""

    seconds = 0.0

    def stalled_seconds(self) -> float:
        return self.seconds


def test_a_sampler_that_hangs_in_a_sensor_is_trouble_until_it_goes_on() -> None:
    clock, going_on, sampling = WoundClock(), threading.Event(), threading.Event()
    going_on.set()

    def sample() -> Sequence[Reading]:
        sampling.set()
        assert going_on.wait(PATIENCE_SECONDS)
        return [Reading(POWER, 1.0)]

    sampler = Sampler([ScriptedSensor(sample)], lambda _: None, IDLE, clock)
    signs = VitalSigns(sampler, Stream())
    clock.advance(31)
    assert signs.trouble() == "the sampler has been stuck for 31 s", "it was never started"
    sampler.start()
    clock.settle()
    assert signs.trouble() is None

    going_on.clear()
    sampling.clear()
    clock.advance(1)
    assert sampling.wait(PATIENCE_SECONDS)
    assert signs.trouble() is None, "it has only begun to hang"
    clock.advance(40)
    assert signs.trouble() == "the sampler has been stuck for 39 s"

    going_on.set()
    clock.settle()
    assert signs.trouble() is None
    sampler.stop()


def test_a_stream_that_does_not_move_is_trouble() -> None:
    clock, stream = WoundClock(), Stream()
    sampler = Sampler([], lambda _: None, IDLE, clock)
    signs = VitalSigns(sampler, stream)
    stream.seconds = 180.0
    assert signs.trouble() is None
    stream.seconds = 181.0
    assert signs.trouble() == "the stream has been stuck for 181 s"
    clock.close()


def test_the_watchdog_starves_while_there_is_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stream, clock = Stream(), WoundClock()
    signs = VitalSigns(Sampler([], lambda _: None, IDLE, clock), stream)

    async def scenario(listening: socket.socket) -> list[str]:
        loop = asyncio.get_running_loop()
        manager = ServiceManager(listening.getsockname(), watchdog_seconds=0.03)
        feeding = asyncio.ensure_future(feed_watchdog(manager, signs.trouble, lambda: "well"))
        heard = [(await loop.sock_recv(listening, 4096)).decode()]
        stream.seconds = 500.0
        while (await loop.sock_recv(listening, 4096)).decode() != "STATUS=the stream has been stuck for 500 s":
            pass
        heard += [(await loop.sock_recv(listening, 4096)).decode() for _ in range(3)]
        stream.seconds = 0.0
        while (await loop.sock_recv(listening, 4096)).decode() != "WATCHDOG=1\nSTATUS=well":
            pass
        feeding.cancel()
        manager.close()
        return heard

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening, caplog.at_level(logging.ERROR):
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        heard = asyncio.run(asyncio.wait_for(scenario(listening), PATIENCE_SECONDS))

    assert heard == ["WATCHDOG=1\nSTATUS=well", *["STATUS=the stream has been stuck for 500 s"] * 3]
    assert len(caplog.records) == 1, "it is told once"


def test_an_agent_tells_its_manager_that_it_is_ready_alive_and_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_SECONDS)
        with collector(tmp_path) as server:
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            monkeypatch.setenv("WATCHDOG_USEC", "300000")
            with agent(tmp_path, server.ready()["grpc"]) as device:
                said = [listening.recv(4096).decode()]
                while "\nSTATUS=connected to the collector at 127.0.0.1:" not in said[-1]:
                    said.append(listening.recv(4096).decode())
                assert device.close_input() == 0
            while said[-1] != "STOPPING=1":
                said.append(listening.recv(4096).decode())
            monkeypatch.undo()

    assert said[0].startswith("READY=1\nSTATUS=not connected to the collector at 127.0.0.1:")
    assert all(line.startswith("WATCHDOG=1\nSTATUS=") for line in said[1:-1])
