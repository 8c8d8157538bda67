"""Bytes that each network interface has received and sent. Loopback is left out."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor

_LOOPBACKS = ("lo", "lo0")


def discover(root: Path) -> Sensor | None:
    """Return the network's sensor: by ``/proc/net/dev`` where there is one, else by psutil."""
    net_dev = root / "proc/net/dev"
    if net_dev.exists():
        return NetDev(net_dev)
    return PsutilNetwork() if root == Path("/") else None


class InterfaceChannels:
    """Channels of interfaces, made when an interface first appears: they come and go."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._channels: dict[str, tuple[Channel, Channel]] = {}

    def readings(self, counters: Iterable[tuple[str, int, int]]) -> list[Reading]:
        """Turn ``(interface, bytes received, bytes sent)`` into readings."""
        readings = []
        for interface, received, transmitted in counters:
            if interface not in _LOOPBACKS:
                channels = self._channels.get(interface) or self._add(interface)
                readings.append(Reading(channels[0], received))
                readings.append(Reading(channels[1], transmitted))
        return readings

    def _add(self, interface: str) -> tuple[Channel, Channel]:
        self._channels[interface] = (
            channel("edgeprof_network_received_bytes_total", self._source, interface=interface),
            channel("edgeprof_network_transmitted_bytes_total", self._source, interface=interface),
        )
        return self._channels[interface]


class NetDev:
    """``/proc/net/dev``: bytes since the interface was made."""

    name = "network"
    tier = Tier.SLOW

    def __init__(self, net_dev: Path) -> None:
        self._file = KernelFile(net_dev)
        self._interfaces = InterfaceChannels("/proc/net/dev")

    def sample(self) -> Sequence[Reading]:
        """Return both counters of each interface that is there."""
        return self._interfaces.readings(_counters(self._file.read_whole()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PsutilNetwork:
    """``psutil.net_io_counters``, for platforms without ``/proc``."""

    name = "network"
    tier = Tier.SLOW

    def __init__(self) -> None:
        self._interfaces = InterfaceChannels("psutil.net_io_counters")

    def sample(self) -> Sequence[Reading]:
        """Return both counters of each interface that is there."""
        interfaces = psutil.net_io_counters(pernic=True).items()
        return self._interfaces.readings((name, io.bytes_recv, io.bytes_sent) for name, io in interfaces)


def _counters(net_dev: bytes) -> Iterable[tuple[str, int, int]]:
    """Yield ``(interface, bytes received, bytes sent)`` from the lines below the two lines of headings."""
    for line in net_dev.splitlines()[2:]:
        interface, _, numbers = line.rpartition(b":")
        fields = numbers.split()
        yield interface.strip().decode(), int(fields[0]), int(fields[8])
