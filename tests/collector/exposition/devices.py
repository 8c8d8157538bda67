"""Frames of devices that do not exist."""

from collections.abc import Mapping, Sequence

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, channel_to_message, encode_block
from edgeprof.v1.telemetry_pb2 import Frame, Layout

SECOND_NS = 10**9

BUSY = channel("edgeprof_cpu_busy_ratio", "/proc/stat")
CORE_0 = channel("edgeprof_cpu_core_busy_ratio", "/proc/stat", core="0")
CORE_1 = channel("edgeprof_cpu_core_busy_ratio", "/proc/stat", core="1")
READ = channel("edgeprof_disk_read_bytes_total", "/proc/diskstats", disk="nvme0n1")
TOTAL = channel("edgeprof_memory_total_bytes", "/proc/meminfo")


def layout(number: int, channels: Sequence[Channel]) -> Layout:
    """Describe ``channels`` under a number."""
    return Layout(layout=number, channels=[channel_to_message(one) for one in channels])


def frame(
    contents: Mapping[int, Sequence[int | None]], *, end_seconds: float = 10.0, boot_id: bytes = b"1" * 16
) -> Frame:
    """A frame with one tick per block: for each layout's number the steps of its channels."""
    end_ns = round(end_seconds * SECOND_NS)
    start_ns = end_ns - SECOND_NS
    return Frame(
        boot_id=boot_id,
        start_monotonic_ns=start_ns,
        end_monotonic_ns=end_ns,
        blocks=[
            encode_block(number, start_ns, [end_ns], [[one] for one in steps]) for number, steps in contents.items()
        ],
    )
