"""What durable intake costs: samples per second of the collector's CPU time, over real gRPC into real SQLite.

    python -m benchmarks.intake [--messages 20000] [--streams 1 20 200]

The whole service runs in a process of its own; its CPU time is what counts, all its threads together, so the figure is
for one core. Devices are streams of this process that send messages made beforehand, compressed as the agent does,
and wait until the last is acknowledged: parsed, checked, exposed, and flushed to the disk with its cursor. Up to two
million samples go to the remote-write receiver of a Prometheus, which does not flush its log for each request.
"""

import argparse
import asyncio
import multiprocessing
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
import msgspec
import psutil

from benchmarks.process_clock import cpu_seconds
from benchmarks.prometheus_receiver import measure_prometheus
from edgeprof.catalogue import channel
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame, channel_to_message, encode_frame
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof.v1.uplink_pb2 import AgentMessage, CollectorMessage, Hello
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.server import serve

BUDGET_SAMPLES_PER_SECOND = 3e6
CONNECT = "/edgeprof.v1.Uplink/Connect"
WINDOW = 256  # messages on their way, as the agent has at most
BOOT_ID = bytes(16)
RUN_ID = "20260214-101500-3f9c2a71"


@dataclass(frozen=True)
class Shape:
    """A kind of frame: ``fast`` channels with ``fast_ticks`` values each, ``slow`` ones with ``slow_ticks``."""

    name: str
    fast: int
    fast_ticks: int
    slow: int
    slow_ticks: int

    @property
    def samples(self) -> int:
        """Values in a frame."""
        return self.fast * self.fast_ticks + self.slow * self.slow_ticks


# A device with 16 cores and a GPU. In a run 1 s at 10 Hz and 1 Hz; idle 10 s at 1 Hz.
RUN_FRAMES = Shape("run frames", fast=60, fast_ticks=10, slow=20, slow_ticks=1)
IDLE_FRAMES = Shape("idle frames", fast=80, fast_ticks=10, slow=0, slow_ticks=0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help="over all streams together")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 20, 200])
    arguments = parser.parse_args()
    for shape in (RUN_FRAMES, IDLE_FRAMES):
        for streams in arguments.streams:
            with tempfile.TemporaryDirectory() as folder:
                measure(Path(folder), shape, streams, arguments.messages // streams)
    with tempfile.TemporaryDirectory() as folder:
        print(measure_prometheus(Path(folder), min(arguments.messages * RUN_FRAMES.samples, 2_000_000)))


def measure(folder: Path, shape: Shape, streams: int, messages: int) -> None:
    """Send ``messages`` over each of ``streams`` streams to a new collector, and print what that cost it."""
    ready_file = folder / "ready"
    config = own_config(folder)
    process = multiprocessing.get_context("spawn").Process(target=run_collector, args=(config, ready_file))
    process.start()
    while not ready_file.exists():
        time.sleep(0.01)
    address = msgspec.json.decode(ready_file.read_bytes())["grpc"]
    payloads = make_payloads(shape, messages)
    collector = psutil.Process(process.pid)
    try:
        cpu_before, began = cpu_seconds(collector), time.perf_counter()
        asyncio.run(send_all(address, streams, payloads))
        seconds, cpu = time.perf_counter() - began, cpu_seconds(collector) - cpu_before
        resident = collector.memory_info().rss
    finally:
        process.terminate()
        process.join()
    stored = (folder / "edgeprof.sqlite").stat().st_size
    total = streams * messages
    rate = total * shape.samples / cpu
    print(
        f"{shape.name}, {streams} streams: {rate / 1e6:.2f} M samples/s of one core, "
        f"{rate / BUDGET_SAMPLES_PER_SECOND:.2f} of the budget of {BUDGET_SAMPLES_PER_SECOND / 1e6:.0f} M; "
        f"{total / cpu:.0f} messages/s, {cpu / total * 1e6:.0f} us each; {seconds:.1f} s on the clock for {cpu:.1f} s "
        f"of CPU; {stored / total / shape.samples:.2f} bytes a sample on disk; {resident / 1e6:.0f} MB resident"
    )


def own_config(folder: Path) -> CollectorConfig:
    """Of a collector with a store and ports of its own."""
    return CollectorConfig(grpc_port=0, http_port=0, store=str(folder / "edgeprof.sqlite"))


def run_collector(config: CollectorConfig, ready_file: Path) -> None:
    """The collector's process."""
    asyncio.run(serve(config, ready_file))


def make_payloads(shape: Shape, messages: int) -> list[bytes]:
    """The messages of one device, ready to send: two layouts, then frames with the sequences 1 to ``messages``."""
    device = SimulatedDevice(shape)
    layouts = [
        AgentMessage(layout=Layout(layout=number, channels=[channel_to_message(one) for one in channels]))
        for channels, number in device.layouts.items()
    ]
    frames = [device.frame(sequence) for sequence in range(1, messages + 1)]
    return [message.SerializeToString() for message in (*layouts, *frames)]


class SimulatedDevice:
    """Half of its channels stand still, the others walk at random."""

    def __init__(self, shape: Shape) -> None:
        cores = range((shape.fast + shape.slow) // 2)
        metrics = ("edgeprof_cpu_core_busy_ratio", "edgeprof_cpu_frequency_hertz")
        channels = tuple(channel(metric, "sim", core=str(core)) for core in cores for metric in metrics)
        self._shape = shape
        self._fast, self._slow = channels[: shape.fast], channels[shape.fast :]
        self._values = dict.fromkeys(channels, 500)
        self._chooser = random.Random(1)
        self.layouts = {self._fast: 1, self._slow: 2}

    def frame(self, sequence: int) -> AgentMessage:
        """The frame with this sequence."""
        start_ns = sequence * 10**9
        blocks = [self._block(self._fast, start_ns, self._shape.fast_ticks)]
        if self._slow:
            blocks.append(self._block(self._slow, start_ns, self._shape.slow_ticks))
        frame = SampledFrame(
            run_id=RUN_ID if self._shape is RUN_FRAMES else "",
            start_monotonic_ns=start_ns,
            end_monotonic_ns=start_ns + 10**9,
            blocks=tuple(blocks),
        )
        return AgentMessage(sequence=sequence, frame=encode_frame(frame, BOOT_ID, self.layouts.__getitem__))

    def _block(self, channels: tuple[Channel, ...], start_ns: int, ticks: int) -> SampledBlock:
        times = tuple(start_ns + tick * 10**8 + self._chooser.randrange(200_000) for tick in range(ticks))
        columns = tuple(self._column(one, ticks) for one in channels)
        return SampledBlock(channels=channels, times_monotonic_ns=times, columns=columns)

    def _column(self, one: Channel, ticks: int) -> tuple[int, ...]:
        stands_still = one.metric == "edgeprof_cpu_frequency_hertz"
        column = []
        for _ in range(ticks):
            self._values[one] += 0 if stands_still else self._chooser.randrange(-20, 21)
            column.append(self._values[one])
        return tuple(column)


async def send_all(address: str, streams: int, payloads: Sequence[bytes]) -> None:
    """Send the payloads over every stream, and wait for all acknowledgements."""
    async with grpc.aio.insecure_channel(address, compression=grpc.Compression.Deflate) as channel_to_collector:
        connect: grpc.aio.StreamStreamMultiCallable[bytes, CollectorMessage] = channel_to_collector.stream_stream(
            CONNECT, response_deserializer=CollectorMessage.FromString
        )
        await asyncio.gather(*(send(connect(), f"device-{number}", payloads) for number in range(streams)))


async def send(
    call: grpc.aio.StreamStreamCall[bytes, CollectorMessage], device_id: str, payloads: Sequence[bytes]
) -> None:
    """One device: hello, then the payloads, no more than a window ahead of the acknowledgements."""
    hello = Hello(
        protocol=PROTOCOL_VERSION,
        device=DeviceFacts(device_id=device_id, hostname=device_id),
        boot_id=BOOT_ID,
        spool_epoch=BOOT_ID,
        monotonic_ns=len(payloads) * 10**9,
    )
    await call.write(AgentMessage(hello=hello).SerializeToString())
    await call.read()
    acknowledged, sent = 0, 0
    while acknowledged < len(payloads) - 2:
        while sent < min(len(payloads), acknowledged + WINDOW):
            await call.write(payloads[sent])
            sent += 1
        message = await call.read()
        assert isinstance(message, CollectorMessage), "the collector has ended the stream"
        acknowledged = message.ack.stored_sequence
    call.cancel()


if __name__ == "__main__":
    main()
