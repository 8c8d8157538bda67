"""What an idle day of the agent writes to the device's flash, and what the spool costs for each message.

    python -m benchmarks.spool_writes [--frames 8640]

An idle device makes a frame every 10 s: 8640 a day. The frames are those of a simulated board with 60 channels whose
noise is written down below. They go through the agent's own spool, flushed once a minute as the agent does, with a
collector that acknowledges each frame, and without one all day. Bytes are counted by the kernel in /proc/self/io:
what was handed to write calls, and what was sent towards the disk in whole pages (nothing on a tmpfs).
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.telemetry import SampledBlock, SampledFrame, encode_frame
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool

BUDGET_BYTES = 100_000_000
FRAMES_PER_DAY = 8640
FRAMES_PER_FLUSH = 6
TICKS = 10
BOUNDS = Bounds(max_bytes=256_000_000, max_age_seconds=30 * 86_400)
BOOT_ID = bytes(16)

CHANNELS = (
    *(channel("edgeprof_cpu_core_busy_ratio", "/proc/stat", core=str(core)) for core in range(12)),
    *(channel("edgeprof_cpu_frequency_hertz", "/sys/devices/system/cpu", core=str(core)) for core in range(12)),
    *(channel("edgeprof_temperature_celsius", "/sys/class/hwmon", chip="board", place=str(n)) for n in range(18)),
    *(channel("edgeprof_power_watts", "/sys/class/hwmon", chip="ina3221", rail=str(rail)) for rail in range(18)),
)


SAMPLES = len(CHANNELS) * TICKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some frames cost. Bytes are those of writes, of pages towards the disk, and of the file at the end.

    ``waiting_frames`` are in that file.
    """

    frames: int
    waiting_frames: int
    written_bytes: int
    paged_bytes: int
    file_bytes: int
    message_bytes: int
    cpu_seconds: float

    def per_day(self, amount: float) -> float:
        """What ``amount`` is over a whole day."""
        return amount * FRAMES_PER_DAY / self.frames


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=FRAMES_PER_DAY, help="how many, of a day's 8640")
    arguments = parser.parse_args()
    for name, connected in (("collector there", True), ("collector away", False)):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a real disk; /tmp may be memory
            print(describe(name, spool_idle_frames(Path(folder), arguments.frames, connected=connected)))


def describe(name: str, cost: Cost) -> str:
    """One line: bytes per day beside the budget, the cost of a message, and what waiting takes."""
    written = cost.per_day(cost.written_bytes)
    waiting = cost.waiting_frames * SAMPLES
    return (
        f"{name:<16} {written / 1e6:6.1f} MB written in an idle day ({cost.per_day(cost.paged_bytes) / 1e6:.1f} MB in "
        f"pages), {written / BUDGET_BYTES:.2f} of the budget; {cost.message_bytes / cost.frames:.0f} bytes and "
        f"{cost.cpu_seconds / cost.frames * 1e6:.0f} us of CPU a frame, encoding included"
        + (f"; {cost.file_bytes / waiting:.2f} bytes in the file for each sample that waits" if waiting else "")
    )


def spool_idle_frames(folder: Path, count: int, *, connected: bool) -> Cost:
    """Put so many idle frames through a spool, as the agent does, and stop it."""
    frames = list(idle_frames(count))
    message_bytes = 0
    before = (*bytes_written(), time.process_time())
    database = Database(folder)
    spool = Spool(database, BOUNDS)
    for number, frame in enumerate(frames, 1):
        message = AgentMessage(frame=encode_frame(frame, BOOT_ID, spool.layout_number))
        message_bytes += message.ByteSize()
        sequence = spool.append(message, Priority.IDLE_TELEMETRY)
        if connected:
            (sent,) = spool.read_after(sequence - 1, 64)
            spool.acknowledge(sent.sequence)
        if number % FRAMES_PER_FLUSH == 0:
            spool.flush()
    spool.flush(force=True)
    database.close()
    file_bytes = (folder / "spool.db").stat().st_size
    after = (*bytes_written(), time.process_time())
    written, paged, cpu_seconds = (end - start for start, end in zip(before, after, strict=True))
    return Cost(
        frames=count,
        waiting_frames=0 if connected else count,
        written_bytes=int(written),
        paged_bytes=int(paged),
        file_bytes=file_bytes,
        message_bytes=message_bytes,
        cpu_seconds=cpu_seconds,
    )


def idle_frames(count: int) -> Iterator[SampledFrame]:
    """Frames of a board at rest: every channel wanders by a step or two of its resolution each second."""
    chance = random.Random(1)
    values = [1000] * len(CHANNELS)
    for number in range(count):
        start_ns = number * TICKS * 10**9
        columns: list[list[int]] = [[] for _ in CHANNELS]
        for _ in range(TICKS):
            values = [value + chance.randint(-2, 2) for value in values]
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        times = tuple(start_ns + tick * 10**9 + chance.randrange(10**6) for tick in range(TICKS))
        block = SampledBlock(
            channels=CHANNELS, times_monotonic_ns=times, columns=tuple(tuple(column) for column in columns)
        )
        yield SampledFrame(
            run_id="", start_monotonic_ns=start_ns, end_monotonic_ns=start_ns + TICKS * 10**9, blocks=(block,)
        )


def bytes_written() -> tuple[int, int]:
    """Bytes that this process has handed to write calls, and has sent towards disks in pages, so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    counters = {name: int(value) for name, _, value in (line.partition(": ") for line in lines)}
    return counters["wchar"], counters["write_bytes"]


if __name__ == "__main__":
    main()
