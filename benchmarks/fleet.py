"""A fleet on one collector: what each connected device costs it in CPU time and memory.

    python -m benchmarks.fleet [--devices 500] [--seconds 60] [--frame-seconds 10]

Every device has a connection of its own, 80 channels that it samples at 1 Hz, and sends a frame every ``frame-seconds``
as an idle agent does (a run: 2), spread evenly over time. Every frame must be acknowledged in the end, and every sample
counted in the store. The figures for 10 000 devices are those of this fleet, times what is missing.
"""

import argparse
import asyncio
import multiprocessing
import sqlite3
import tempfile
import time
from pathlib import Path

import grpc
import grpc.aio
import msgspec
import psutil

from benchmarks.intake import BOOT_ID, CONNECT, Shape, make_payloads, own_config, run_collector
from benchmarks.process_clock import cpu_seconds
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.uplink_pb2 import AgentMessage, CollectorMessage, Hello

CHANNELS = 80
LARGE_FLEET = 10_000
_CONNECTING_AT_A_TIME = 100
_LAYOUTS = 2  # the first payloads of a simulated device


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--frame-seconds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), arguments.devices, arguments.seconds, arguments.frame_seconds))


def measure(folder: Path, devices: int, seconds: int, frame_seconds: int) -> str:
    """Run a fleet against a new collector; return one line."""
    ready_file = folder / "ready"
    process = multiprocessing.get_context("spawn").Process(target=run_collector, args=(own_config(folder), ready_file))
    process.start()
    while not ready_file.exists():
        time.sleep(0.01)
    collector = psutil.Process(process.pid)
    shape = Shape("idle frames", fast=CHANNELS, fast_ticks=frame_seconds, slow=0, slow_ticks=0)
    payloads = make_payloads(shape, seconds // frame_seconds)
    try:
        fleet = Fleet(msgspec.json.decode(ready_file.read_bytes())["grpc"], payloads, frame_seconds)
        used = asyncio.run(fleet.live(devices, collector))
    finally:
        process.terminate()
        process.join()
    frames = devices * (len(payloads) - _LAYOUTS)
    connection = sqlite3.connect(folder / "edgeprof.sqlite")
    (stored,) = connection.execute("SELECT count(*) FROM frames WHERE fault = ''").fetchone()
    connection.close()
    scale = LARGE_FLEET / devices
    per_device = (used.resident_bytes - used.resident_before_bytes) / devices
    core = used.cpu_seconds / used.seconds
    return (
        f"{devices} devices, {CHANNELS} channels at 1 Hz in frames of {frame_seconds} s, {used.seconds:.0f} s: "
        f"{frames - stored} of {frames} frames lost ({stored * CHANNELS * frame_seconds / 1e6:.1f} M samples stored); "
        f"{core:.2f} of a core, {used.cpu_seconds / frames * 1e6:.0f} us a frame; {per_device / 1e3:.0f} kB a device, "
        f"{used.resident_bytes / 1e6:.0f} MB in all, {used.connecting_seconds:.1f} s to connect; "
        f"{LARGE_FLEET} would take {core * scale:.2f} of a core and "
        f"{(used.resident_before_bytes + per_device * LARGE_FLEET) / 1e6:.0f} MB"
    )


class Used(msgspec.Struct, frozen=True):
    """What the collector used."""

    cpu_seconds: float
    seconds: float
    connecting_seconds: float
    resident_before_bytes: int
    resident_bytes: int


class Fleet:
    """Devices that all send the same payloads, each at times of its own."""

    def __init__(self, address: str, payloads: list[bytes], frame_seconds: float) -> None:
        self._address = address
        self._payloads = payloads
        self._frame_seconds = frame_seconds
        self._connecting = asyncio.Semaphore(_CONNECTING_AT_A_TIME)
        self._connected = 0
        self._all_connected = asyncio.Event()

    async def live(self, devices: int, collector: psutil.Process) -> Used:
        """Connect all, then send all."""
        resident_before, began = collector.memory_info().rss, time.perf_counter()
        living = asyncio.ensure_future(self._live_all(devices))
        connecting = asyncio.ensure_future(self._until_connected())
        await asyncio.wait({living, connecting}, return_when=asyncio.FIRST_COMPLETED)
        connected, cpu_before = time.perf_counter(), cpu_seconds(collector)
        await living
        return Used(
            cpu_seconds=cpu_seconds(collector) - cpu_before,
            seconds=time.perf_counter() - connected,
            connecting_seconds=connected - began,
            resident_before_bytes=resident_before,
            resident_bytes=collector.memory_info().rss,
        )

    async def _live_all(self, devices: int) -> None:
        await asyncio.gather(*(self._device(number, devices) for number in range(devices)))

    async def _until_connected(self) -> None:
        await self._all_connected.wait()

    async def _device(self, number: int, devices: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self._address, options, compression=grpc.Compression.Deflate) as channel:
            connect: grpc.aio.StreamStreamMultiCallable[bytes, CollectorMessage] = channel.stream_stream(
                CONNECT, response_deserializer=CollectorMessage.FromString
            )
            async with self._connecting:
                call = connect()
                await call.write(self._hello(f"device-{number:05}"))
                answer = await call.read()
                assert isinstance(answer, CollectorMessage), "the collector has ended the stream"
                assert answer.HasField("welcome"), answer
            self._connected += 1
            if self._connected == devices:
                self._all_connected.set()
            await self._all_connected.wait()
            await asyncio.sleep(self._frame_seconds * number / devices)
            await self._send(call)
            call.cancel()

    async def _send(self, call: grpc.aio.StreamStreamCall[bytes, CollectorMessage]) -> None:
        layouts, frames = self._payloads[:_LAYOUTS], self._payloads[_LAYOUTS:]
        for payload in layouts:
            await call.write(payload)
        next_at = time.monotonic()
        for number, payload in enumerate(frames, 1):
            await call.write(payload)
            while True:
                message = await call.read()
                assert isinstance(message, CollectorMessage), "the collector has ended the stream"
                if message.ack.stored_sequence >= number:
                    break
            next_at += self._frame_seconds
            await asyncio.sleep(next_at - time.monotonic())

    def _hello(self, device_id: str) -> bytes:
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            device=DeviceFacts(device_id=device_id, hostname=device_id),
            boot_id=BOOT_ID,
            spool_epoch=BOOT_ID,
            monotonic_ns=len(self._payloads) * 10**9,
        )
        return AgentMessage(hello=hello).SerializeToString()


if __name__ == "__main__":
    main()
