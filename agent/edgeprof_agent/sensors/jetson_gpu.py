"""The GPU inside a Jetson, by devfreq."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

# NVML, which knows this GPU from JetPack 7 on, calls it gpu0 and does not give all that devfreq gives.
GPU = "igpu"

# Names of the GPU's device in devfreq end so, as in 17000000.ga10b. Thor has a device for each domain of clocks.
_DEVICES = (".gpu", ".ga10b", ".gv11b", ".gp10b", ".gm20b")
_DOMAINS = {"gpu-gpc-0": "sm", "gpu-nvd-0": "video"}


def discover(root: Path) -> tuple[Sensor, ...]:
    """Return the sensors of the GPU's load and clocks, and of its highest clocks; none if devfreq shows no GPU."""
    folders = scaled_gpus(root)
    now = JetsonGpu(tuple(_part(folder, root) for folder in folders))
    highest = (_clock("edgeprof_gpu_clock_max_hertz", folder / "max_freq", root) for folder in folders)
    maximum = JetsonGpuMaximum(tuple(highest))
    if now.is_gated() or now.read():
        return (now, maximum) if maximum.read() else (now,)
    return ()


def scaled_gpus(root: Path) -> list[Path]:
    """Return devfreq's folders of the GPU, in the order of their names."""
    folders = sorted(root.glob("sys/class/devfreq/*"))
    return [folder for folder in folders if folder.name.endswith(_DEVICES) or folder.name in _DOMAINS]


@dataclass(frozen=True, slots=True)
class _Clock:
    channel: Channel
    file: KernelFile

    def read(self) -> list[Reading]:
        hertz = self.file.read_int()
        return [Reading(self.channel, hertz)] if hertz else []


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the GPU with a clock of its own, and with a load if its driver tells one."""

    clock: _Clock
    busy: Channel
    load_file: KernelFile
    status_file: KernelFile

    def read(self) -> list[Reading]:
        load_permille = self.load_file.read_int()
        busy = []
        if load_permille is not None and 0 <= load_permille <= 1000:
            busy.append(Reading(self.busy, load_permille / 1000))
        return busy if self.is_gated() else [*busy, *self.clock.read()]

    def is_gated(self) -> bool:
        """Tell whether it is powered down. It has no clock then, though the driver goes on to name the last one."""
        try:
            return self.status_file.read(64).startswith(b"suspend")
        except OSError:  # drivers of old do not say
            return False

    def close(self) -> None:
        for file in (self.clock.file, self.load_file, self.status_file):
            file.close()


class JetsonGpu:
    """``load`` in permille, a mean of the driver over some tens of milliseconds, and ``cur_freq`` in hertz.

    The driver answers from what it knows: reading wakes no GPU.
    """

    name = "jetson_gpu"
    tier = Tier.FAST

    def __init__(self, parts: tuple[_Part, ...]) -> None:
        self._parts = parts

    def sample(self) -> Sequence[Reading]:
        """Return load and clocks; of a part that is powered down, its load alone."""
        readings = self.read()
        if not readings and not self.is_gated():
            raise SensorLostError("the GPU gives neither load nor clock")
        return readings

    def read(self) -> list[Reading]:
        """Return what can be read."""
        return [reading for part in self._parts for reading in part.read()]

    def is_gated(self) -> bool:
        """Tell whether a part is powered down."""
        return any(part.is_gated() for part in self._parts)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()


class JetsonGpuMaximum:
    """``max_freq``: the highest clock that power mode and owner allow now, in hertz."""

    name = "jetson_gpu_maximum"
    tier = Tier.SLOW

    def __init__(self, clocks: tuple[_Clock, ...]) -> None:
        self._clocks = clocks

    def sample(self) -> Sequence[Reading]:
        """Return the highest clock of each part."""
        readings = self.read()
        if not readings:
            raise SensorLostError("the GPU gives no highest clock")
        return readings

    def read(self) -> list[Reading]:
        """Return what can be read."""
        return [reading for clock in self._clocks for reading in clock.read()]

    def close(self) -> None:
        """Close the files."""
        for clock in self._clocks:
            clock.file.close()


def _part(folder: Path, root: Path) -> _Part:
    load = folder / "device/load"
    return _Part(
        clock=_clock("edgeprof_gpu_clock_hertz", folder / "cur_freq", root),
        busy=channel("edgeprof_gpu_busy_ratio", source_of(load, root), gpu=GPU),
        load_file=KernelFile(load),
        status_file=KernelFile(folder / "device/power/runtime_status"),
    )


def _clock(metric: str, file: Path, root: Path) -> _Clock:
    domain = _DOMAINS.get(file.parent.name, "sm")
    return _Clock(channel(metric, source_of(file, root), gpu=GPU, domain=domain), KernelFile(file))
