"""AMD GPUs on Linux, by the files of the kernel's driver. None takes a privilege."""

import time
from collections.abc import Iterator
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof_agent.sensors import drm_hwmon
from edgeprof_agent.sensors.amdgpu_levels import CurrentClock, HighestClock
from edgeprof_agent.sensors.amdgpu_memory import find_memory
from edgeprof_agent.sensors.amdgpu_pcie import PcieTraffic
from edgeprof_agent.sensors.amdgpu_table import FirmwareTable
from edgeprof_agent.sensors.drm_card import DrmCard, find_cards
from edgeprof_agent.sensors.drm_part import IntegerFile, Part, SensorPlan, build_sensors
from edgeprof_agent.sensors.drm_sleep import Clock, SleepWatch
from edgeprof_agent.sensors.kernel_file import read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor

_CLOCKS = (("sm", "pp_dpm_sclk"), ("memory", "pp_dpm_mclk"))  # "sm": the shaders, as on every vendor's GPU
# The driver's own counts. GTT is host memory that the GPU uses, which on an APU is most of what models take.
_USED = (
    ("edgeprof_gpu_memory_used_bytes", "mem_info_vram_used"),
    ("edgeprof_gpu_host_memory_used_bytes", "mem_info_gtt_used"),
)
_TOTAL = (
    ("edgeprof_gpu_memory_total_bytes", "mem_info_vram_total"),
    ("edgeprof_gpu_host_memory_total_bytes", "mem_info_gtt_total"),
)


def amd_cards(root: Path) -> tuple[DrmCard, ...]:
    """Return the cards of the amdgpu driver: ``amd0`` and on."""
    return find_cards(root, "amd", ("amdgpu",))


def is_apu(card: DrmCard) -> bool:
    """Tell whether the GPU shares its chip and memory with a CPU: only then has it a voltage called VDDNB."""
    return card.hwmon is not None and (card.hwmon / "in1_label").exists()


def discover(root: Path, clock: Clock = time.monotonic) -> tuple[Sensor, ...]:
    """Return up to three sensors for each card that gives values, or will when it is awake."""
    sensors: list[Sensor] = []
    for card in amd_cards(root):
        plans = (
            SensorPlan("", Tier.FAST, tuple(_now(card, root))),
            SensorPlan("_totals", Tier.SLOW, tuple(_totals(card, root))),
            SensorPlan("_pcie", Tier.SLOW, tuple(_pcie(card, root)), own_worker=True),
        )
        sensors += build_sensors(card, plans, lambda device: SleepWatch(device, clock))
    return tuple(sensors)


def _now(card: DrmCard, root: Path) -> Iterator[Part]:
    yield from _shares(card, root)
    yield from _sizes(card, root, _USED)
    for domain, file in _CLOCKS:
        path = card.device / file
        if path.exists():
            yield CurrentClock(
                channel("edgeprof_gpu_clock_hertz", source_of(path, root), gpu=card.name, domain=domain), path
            )
    if card.hwmon is not None:
        yield from drm_hwmon.temperatures(card.hwmon, card.name, root)
        yield from _powers(card, card.hwmon, root)
    path = card.device / "gpu_metrics"
    if path.exists():
        with_memory_busy = not (card.device / "mem_busy_percent").exists()
        yield FirmwareTable(card.name, path, source_of(path, root), with_memory_busy=with_memory_busy)


def _shares(card: DrmCard, root: Path) -> Iterator[Part]:
    """The firmware's averages of how busy the GPU and its memory were, in percent."""
    for metric, file in (
        ("edgeprof_gpu_busy_ratio", "gpu_busy_percent"),
        ("edgeprof_gpu_memory_busy_ratio", "mem_busy_percent"),
    ):
        path = card.device / file
        if path.exists():
            yield IntegerFile(channel(metric, source_of(path, root), gpu=card.name), path, _ratio)


def _sizes(card: DrmCard, root: Path, files: tuple[tuple[str, str], ...]) -> Iterator[Part]:
    for metric, file in files:
        path = card.device / file
        if path.exists():
            yield IntegerFile(channel(metric, source_of(path, root), gpu=card.name), path, _bytes, is_counted=True)


def _powers(card: DrmCard, hwmon: Path, root: Path) -> Iterator[Part]:
    """Power in microwatts. Cards have the average, the momentary value, or both; an APU's is that of the socket."""
    average, instant = hwmon / "power1_average", hwmon / "power1_input"
    if is_apu(card):
        path = instant if instant.exists() else average
        rail = read_text(hwmon / "power1_label") or "power1"
        if path.exists():
            yield IntegerFile(
                channel("edgeprof_power_watts", source_of(path, root), chip=card.name, rail=rail), path, _watts
            )
        return
    for window, path in (("average", average), ("instant", instant)):
        if path.exists():
            found = channel("edgeprof_gpu_power_watts", source_of(path, root), gpu=card.name, window=window)
            yield IntegerFile(found, path, _watts)


def _totals(card: DrmCard, root: Path) -> Iterator[Part]:
    yield from _sizes(card, root, _TOTAL)
    for domain, file in _CLOCKS:
        path = card.device / file
        if path.exists():
            found = channel("edgeprof_gpu_clock_max_hertz", source_of(path, root), gpu=card.name, domain=domain)
            yield HighestClock(found, path)
    memory = find_memory(root, card.slot)
    levels = card.device / "pp_dpm_mclk"
    if memory and levels.exists():
        source = source_of(memory.properties, root)
        peak = channel("edgeprof_memory_bandwidth_peak_bytes_per_second", source, memory=card.name, source="computed")
        yield HighestClock(peak, levels, memory.peak_bytes_per_second(1.0))


def _pcie(card: DrmCard, root: Path) -> Iterator[Part]:
    path = card.device / "pcie_bw"
    if path.exists():
        received, sent = (
            channel("edgeprof_gpu_pcie_bytes_per_second", source_of(path, root), gpu=card.name, direction=direction)
            for direction in ("received", "transmitted")
        )
        yield PcieTraffic(received, sent, path)


def _ratio(percent: int) -> float | None:
    return percent / 100 if 0 <= percent <= 100 else None


def _bytes(size: int) -> float | None:
    return size if size >= 0 else None


def _watts(raw_uw: int) -> float | None:
    return raw_uw / 1e6 if raw_uw >= 0 else None
