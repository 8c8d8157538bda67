"""Traffic between an AMD GPU and its host: ``pcie_bw``."""

import re
from pathlib import Path

from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile

_COUNTS = re.compile(rb"\s*(\d{1,18})\s+(\d{1,18})\s+(\d{1,9})[\s\0]*")


def parse_traffic(content: bytes) -> tuple[int, int] | None:
    """Return the most bytes received and sent in the second: messages, times the largest payload of one.

    ``None`` for what does not count: empty, or a largest payload that is none. Source: the kernel's
    Documentation/gpu/amdgpu/driver-misc.rst.
    """
    match = _COUNTS.fullmatch(content)
    if match is None:
        return None
    received, sent, payload_bytes = (int(number) for number in match.groups())
    return (received * payload_bytes, sent * payload_bytes) if payload_bytes > 0 else None


class PcieTraffic:
    """Each read counts for a whole second, in the kernel, without using the processor."""

    is_counted = False

    def __init__(self, received: Channel, sent: Channel, path: Path) -> None:
        self._channels = (received, sent)
        self._file = KernelFile(path)

    def read(self) -> list[Reading]:
        """Return the traffic of the second that it takes."""
        try:
            traffic = parse_traffic(self._file.read(128))
        except OSError:  # not on this card, asleep, or gone
            return []
        return [] if traffic is None else [Reading(*pair) for pair in zip(self._channels, traffic, strict=True)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
