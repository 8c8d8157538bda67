"""Intel GPUs on Linux, by the files of the kernel's drivers i915 and xe.

Neither shows how busy a GPU is without a privilege. Clocks and limits are those of a GT, a slice of the GPU with a
clock of its own; the first renders and computes. Source: the kernel's Documentation/ABI/testing/
sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon, i915's intel_gt_sysfs_pm.c, xe's xe_gt_freq.c and
xe_gt_throttle.c.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof_agent.sensors import drm_hwmon
from edgeprof_agent.sensors.drm_card import DrmCard, find_cards
from edgeprof_agent.sensors.drm_part import IntegerFile, Part, SensorPlan, build_sensors
from edgeprof_agent.sensors.drm_sleep import Clock, SleepWatch
from edgeprof_agent.sensors.intel_gpu_throttle import LimitReasons
from edgeprof_agent.sensors.kernel_file import source_of
from edgeprof_agent.sensors.sensor import Sensor


@dataclass(frozen=True, slots=True)
class _Gt:
    """Where the files of one GT are: its clock, its highest clock, and the beginning of its reasons' names."""

    domain: str
    clock: Path
    highest: Path
    reasons: Path
    reason_prefix: str


def intel_cards(root: Path) -> tuple[DrmCard, ...]:
    """Return the cards of the drivers i915 and xe: ``intel0`` and on."""
    return find_cards(root, "intel", ("i915", "xe"))


def is_integrated(card: DrmCard) -> bool:
    """Tell whether the GPU is part of the processor, which puts it at this place on the first bus."""
    return card.slot == "0000:00:02.0"


def discover(root: Path, clock: Clock = time.monotonic) -> tuple[Sensor, ...]:
    """Return up to two sensors for each card that gives values, or will when it is awake."""
    sensors: list[Sensor] = []
    for card in intel_cards(root):
        gts = tuple(_gts(card))
        plans = (
            SensorPlan("", Tier.FAST, tuple(_now(card, gts, root))),
            SensorPlan("_totals", Tier.SLOW, tuple(_highest(card, gts, root))),
        )
        sensors += build_sensors(card, plans, lambda device: SleepWatch(device, clock))
    return tuple(sensors)


def _gts(card: DrmCard) -> Iterator[_Gt]:
    if card.driver == "xe":
        for index, folder in enumerate(sorted(card.device.glob("tile[0-9]*/gt[0-9]*"))):
            freq = folder / "freq0"
            yield _Gt(_domain(index), freq / "act_freq", freq / "rp0_freq", freq / "throttle", "reason_")
        return
    for index, folder in enumerate(sorted(card.folder.glob("gt/gt[0-9]*"))):
        files = folder / "rps_act_freq_mhz", folder / "rps_RP0_freq_mhz"
        yield _Gt(_domain(index), *files, folder, "throttle_reason_")


def _domain(index: int) -> str:
    return f"gt{index}" if index else "sm"  # "sm": where kernels run, as on every vendor's GPU


def _now(card: DrmCard, gts: tuple[_Gt, ...], root: Path) -> Iterator[Part]:
    if card.hwmon is not None:
        yield from drm_hwmon.temperatures(card.hwmon, card.name, root)
        yield from _energies(card, card.hwmon, root)
    for gt in gts:
        if gt.clock.exists():
            source = source_of(gt.clock, root)
            found = channel("edgeprof_gpu_clock_hertz", source, gpu=card.name, domain=gt.domain)
            yield IntegerFile(found, gt.clock, _hertz)
    for gt in gts[:1]:
        if (gt.reasons / f"{gt.reason_prefix}pl1").exists():
            yield LimitReasons(card.name, gt.reasons, gt.reason_prefix, source_of(gt.reasons, root))


def _energies(card: DrmCard, hwmon: Path, root: Path) -> Iterator[Part]:
    """Energy in microjoules: of the card, which older drivers do not label, and of parts such as its package."""
    for path, label in drm_hwmon.labelled_inputs(hwmon, "energy"):
        source = source_of(path, root)
        if label in {None, "card"}:
            found = channel("edgeprof_gpu_energy_joules_total", source, gpu=card.name)
        else:
            found = channel("edgeprof_energy_joules_total", source, chip=card.name, rail=str(label))
        yield IntegerFile(found, path, _joules)


def _highest(card: DrmCard, gts: tuple[_Gt, ...], root: Path) -> Iterator[Part]:
    for gt in gts:
        if gt.highest.exists():
            source = source_of(gt.highest, root)
            found = channel("edgeprof_gpu_clock_max_hertz", source, gpu=card.name, domain=gt.domain)
            yield IntegerFile(found, gt.highest, _hertz)


def _hertz(raw_mhz: int) -> float | None:
    return raw_mhz * 1e6 if raw_mhz > 0 else None  # 0 while it is switched off


def _joules(raw_uj: int) -> float | None:
    return raw_uj / 1e6 if raw_uj >= 0 else None
