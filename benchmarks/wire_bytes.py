"""What a sample costs on the wire during a run: bytes of a frame's deflated message by the values in it.

    python -m benchmarks.wire_bytes [--seconds 30]

Two devices are measured at a run's cadence (10 Hz fast, 1 Hz slow, frames of two seconds): this machine through its own
sensors while a process keeps it busy, and a simulated board with 23 fast and 27 slow channels, whose noise is
written down below. The size is that of gRPC's data: the message as gRPC compresses it, its prefix of five bytes, and
the nine bytes of the HTTP/2 frame. A frame without samples has a size too, which weighs on devices with few channels.
"""

import argparse
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeprof.catalogue import METRICS, channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame, encode_frame
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.sampling.cadence import run_cadence
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.registry import discover_sensors

BUDGET_BYTES = 1.5
FRAMING_BYTES = 5 + 9
RUN_ID = "20260214-101500-3f9c2a71"
BOOT_ID = random.Random(1).randbytes(16)
# Itself and a child; each ends when its parent has.
BUSY_PROCESS = """
import os, time
os.fork()
parent = os.getppid()
while os.getppid() == parent:
    sum(bytearray(2**24))
    time.sleep(0.003)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30, help="how long each device is sampled")
    arguments = parser.parse_args()
    for name, frames in (
        ("this machine", sample_this_machine(arguments.seconds)),
        ("simulated board", simulate_board(arguments.seconds)),
    ):
        print(describe(name, frames))


def describe(name: str, frames: Sequence[SampledFrame]) -> str:
    """One line: channels, bytes per sample, and the ratio to the budget."""
    samples = sum(
        value is not None for frame in frames for block in frame.blocks for column in block.columns for value in column
    )
    channels = {one for frame in frames for block in frame.blocks for one in block.channels}
    fast = sum(METRICS[one.metric].tier is Tier.FAST for one in channels)
    size = sum(wire_bytes(frame, sequence) for sequence, frame in enumerate(frames, 1))
    fixed = wire_bytes(replace(frames[0], blocks=()), 1)
    per_sample = size / samples
    return (
        f"{name:<16} {fast:3} fast and {len(channels) - fast:3} slow channels, {samples / len(frames):6.1f} samples "
        f"and {size / len(frames):6.1f} bytes a frame, {fixed} of them fixed: {per_sample:.2f} bytes a sample, "
        f"{per_sample / BUDGET_BYTES:.2f} of the budget of {BUDGET_BYTES}"
    )


def wire_bytes(frame: SampledFrame, sequence: int) -> int:
    """Bytes that the frame's message takes in the stream."""
    numbers: dict[tuple[Channel, ...], int] = {}
    encoded = encode_frame(frame, BOOT_ID, lambda channels: numbers.setdefault(channels, len(numbers) + 1))
    message = AgentMessage(sequence=100_000 + sequence, frame=encoded).SerializeToString()
    compressor = zlib.compressobj(level=zlib.Z_DEFAULT_COMPRESSION, wbits=15)
    return len(compressor.compress(message) + compressor.flush()) + FRAMING_BYTES


def sample_this_machine(seconds: int) -> list[SampledFrame]:
    """Frames of a run of so many seconds, with a busy process as the workload."""
    frames: list[SampledFrame] = []
    with subprocess.Popen([sys.executable, "-c", BUSY_PROCESS]) as busy:
        sampler = Sampler(discover_sensors(Path("/")), frames.append, cadence=run_cadence(RUN_ID))
        sampler.follow_process(busy.pid)
        sampler.start()
        time.sleep(seconds)
        sampler.stop()
        busy.kill()
    return frames[1:-1]  # the first lacks what needs two readings, the last is cut short


@dataclass(frozen=True, slots=True)
class Signal:
    """How a channel of the simulated board moves, in steps of its resolution.

    At each tick it grows by ``growth``; with the probability ``chance`` a normal deviation of ``noise`` is added, in
    whole multiples of ``grain``. It returns to its start unless it is a counter.
    """

    channel: Channel
    start: int
    chance: float = 0.0
    noise: float = 0.0
    grain: int = 1
    growth: float = 0.0

    def ticks(self, chooser: random.Random) -> Iterator[int]:
        """Yield its steps, tick after tick."""
        total = float(self.start)
        while True:
            total += self.growth
            deviation = chooser.gauss(0, self.noise) if chooser.random() < self.chance else 0.0
            if self.growth:
                total += deviation
                deviation = 0.0
            yield max(0, round(total)) + self.grain * round(deviation / self.grain)


def simulate_board(seconds: int) -> list[SampledFrame]:
    """Frames of a run on a board with eight cores and a GPU that is measured on three rails."""
    chooser = random.Random(2)
    fast = [(one.channel, one.ticks(chooser)) for one in _fast_signals()]
    slow = [(one.channel, one.ticks(chooser)) for one in _slow_signals()]
    frames = []
    for second in range(0, seconds, 2):
        start_ns = 10**15 + second * 10**9
        # A tick comes 0.1 ms late on average, as the sampler's own lateness says on an idle machine.
        times = tuple(start_ns + tick * 10**8 + round(chooser.expovariate(1e-5)) for tick in range(20))
        blocks = [_block(fast, times)]
        if second % 4 == 2:  # the slow channels are told every other frame
            blocks.append(_block(slow, tuple(start_ns + tick * 10**9 + 10**5 for tick in range(-2, 2))))
        frames.append(
            SampledFrame(
                run_id=RUN_ID,
                start_monotonic_ns=start_ns,
                end_monotonic_ns=start_ns + 2 * 10**9,
                blocks=tuple(blocks),
            )
        )
    return frames


def _block(signals: Sequence[tuple[Channel, Iterator[int]]], times: tuple[int, ...]) -> SampledBlock:
    return SampledBlock(
        channels=tuple(one for one, _ in signals),
        times_monotonic_ns=times,
        columns=tuple(tuple(next(ticks) for _ in times) for _, ticks in signals),
    )


def _fast_signals() -> list[Signal]:
    """Six threads of an engine on eight cores. Core time comes in hundredths of a second: one in ten of a tick."""
    return [
        Signal(channel("edgeprof_cpu_busy_ratio", "sim"), 775, 0.3, 12.5, grain=12),
        *(
            Signal(channel("edgeprof_cpu_core_busy_ratio", "sim", core=str(core)), 909, 0.1, 91, 91)
            for core in range(6)
        ),
        *(Signal(channel("edgeprof_cpu_core_busy_ratio", "sim", core=str(core)), 100, 0.3, 91, 91) for core in (6, 7)),
        *(
            Signal(channel("edgeprof_cpu_frequency_hertz", "sim", core=str(core)), 1984, 0.02, 115, 115)
            for core in (0, 4)
        ),
        Signal(channel("edgeprof_memory_available_bytes", "sim"), 61_000, 0.5, 12),
        Signal(channel("edgeprof_workload_cpu_seconds_total", "sim"), 1000, 0.3, 1, growth=60),
        Signal(channel("edgeprof_workload_resident_bytes", "sim"), 300_000),
        *(
            Signal(channel("edgeprof_temperature_celsius", "sim", chip="thermal", place=place), 560, 0.3, 2)
            for place in ("cpu", "gpu", "soc", "junction")
        ),
        *(
            Signal(channel("edgeprof_power_watts", "sim", chip="ina3221", rail=rail), watts, 0.9, watts / 25, 40)
            for rail, watts in (("in", 19_000), ("cpu_gpu", 11_000), ("soc", 4_000))
        ),
        Signal(channel("edgeprof_gpu_busy_ratio", "sim", gpu="gpu0"), 97, 0.3, 2),
        Signal(channel("edgeprof_gpu_memory_used_bytes", "sim", gpu="gpu0"), 61_000),
        Signal(channel("edgeprof_gpu_clock_hertz", "sim", gpu="gpu0", domain="graphics"), 1300, 0.05, 10),
        Signal(channel("edgeprof_gpu_temperature_celsius", "sim", gpu="gpu0", place="core"), 58, 0.05, 1),
    ]


def _slow_signals() -> list[Signal]:
    """Totals, counters of disks and networks, and what the sampler says of its sensors."""
    sensors = ("cpu", "memory", "disk", "network", "thermal_zone", "hwmon")
    return [
        Signal(channel("edgeprof_memory_total_bytes", "sim"), 1_900_000),
        Signal(channel("edgeprof_swap_used_bytes", "sim"), 0),
        Signal(channel("edgeprof_disk_read_bytes_total", "sim", disk="nvme0n1"), 21_000_000, 0.2, 800, growth=0.1),
        Signal(channel("edgeprof_disk_written_bytes_total", "sim", disk="nvme0n1"), 9_000_000, 0.5, 80, growth=40),
        Signal(channel("edgeprof_network_received_bytes_total", "sim", interface="eth0"), 10**9, 1, 300, growth=900),
        Signal(channel("edgeprof_network_transmitted_bytes_total", "sim", interface="eth0"), 10**8, 1, 300, growth=900),
        Signal(channel("edgeprof_workload_resident_anonymous_bytes", "sim"), 20_000, 0.2, 10),
        Signal(channel("edgeprof_workload_resident_file_bytes", "sim"), 280_000),
        Signal(channel("edgeprof_workload_resident_peak_bytes", "sim"), 301_000),
        *(Signal(channel("edgeprof_sensor_sample_seconds", "sim", sensor=one), 60, 1, 8) for one in sensors),
        *(Signal(channel("edgeprof_sensor_up_ratio", "sim", sensor=one), 1) for one in sensors),
        Signal(channel("edgeprof_sampler_lateness_seconds", "sim"), 300, 1, 50),
        Signal(channel("edgeprof_sampler_missed_ticks_total", "sim"), 2),
        Signal(channel("edgeprof_agent_cpu_seconds_total", "sim"), 1_400, 0.3, 1, growth=0.5),
        Signal(channel("edgeprof_agent_resident_bytes", "sim"), 11_000),
    ]


if __name__ == "__main__":
    main()
