"""Runs on every family of device: the facts and channels are those of the device trees' golden files.

A golden file shows each channel once, under load. Here what depends on load follows the run's; counters grow from
where the file has them.
"""

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msgspec

from edgeprof.catalogue import METRICS, channel
from edgeprof.device import Accelerator, DeviceFacts
from edgeprof.metric import Kind
from edgeprof.run import PeakBandwidth, PeakMethod, RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.series import Series, collect_series

from .sample_run import DEVICE, OPTIONS, Scenario, sample_run
from .sample_telemetry import SECOND_NS, Machine, Probe

FOLDER = Path(__file__).parents[2] / "fixtures/devices"
NAMES = (*sorted(path.name for path in FOLDER.iterdir()), "nvidia")
_LINE = re.compile(r"(\w+)\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_PEAK = "edgeprof_memory_bandwidth_peak_bytes_per_second"
# How fast counters grow under full load, per second, where the load's own power does not say it.
_GROWTH = {
    "edgeprof_gpu_throttled_seconds_total": 0.25,
    "edgeprof_cpu_throttled_seconds_total": 0.1,
    "edgeprof_cpu_throttle_events_total": 1.0,
    "edgeprof_overcurrent_events_total": 0.5,
    "edgeprof_pressure_seconds_total": 0.05,
    "edgeprof_memory_moved_bytes_total": 20e9,
    "edgeprof_workload_gpu_engine_seconds_total": 0.95,
    "edgeprof_gpu_pcie_received_bytes_total": 2e9,
    "edgeprof_gpu_pcie_transmitted_bytes_total": 1e8,
    "edgeprof_major_page_faults_total": 3.0,
    "edgeprof_workload_major_page_faults_total": 2.0,
    "edgeprof_swap_in_bytes_total": 1e6,
    "edgeprof_swap_out_bytes_total": 1e6,
}
_WITH_LOAD = re.compile(r"busy_ratio$|memory_bandwidth_bytes_per_second$|pcie_bytes_per_second$")

NVIDIA = """
edgeprof_energy_joules_total{chip="rapl",rail="package-0"} 262156
edgeprof_temperature_celsius{chip="coretemp",place="Package id 0"} 58
edgeprof_gpu_busy_ratio{gpu="gpu0"} 0.97
edgeprof_gpu_memory_used_bytes{gpu="gpu0"} 1181116006
edgeprof_workload_gpu_memory_bytes{gpu="gpu0"} 912680550
edgeprof_gpu_power_watts{gpu="gpu0",window="instant"} 297.4
edgeprof_gpu_power_watts{gpu="gpu0",window="average"} 295.1
edgeprof_gpu_energy_joules_total{gpu="gpu0"} 8112455.2
edgeprof_gpu_temperature_celsius{gpu="gpu0",place="core"} 71
edgeprof_gpu_clock_hertz{domain="sm",gpu="gpu0"} 2640000000
edgeprof_gpu_clock_hertz{domain="memory",gpu="gpu0"} 11251000000
edgeprof_gpu_throttled_ratio{gpu="gpu0",reason="power"} 1
edgeprof_gpu_throttled_ratio{gpu="gpu0",reason="idle"} 0
edgeprof_gpu_throttled_seconds_total{gpu="gpu0",limiter="software_power_cap",reason="power"} 12.5
edgeprof_gpu_throttled_seconds_total{gpu="gpu0",limiter="thermal_policy",reason="thermal"} 0
edgeprof_gpu_pcie_received_bytes_total{gpu="gpu0"} 98765432
edgeprof_gpu_pcie_transmitted_bytes_total{gpu="gpu0"} 87654321
edgeprof_memory_bandwidth_bytes_per_second{direction="both",memory="gpu0",source="hardware_counter"} 511000000000
edgeprof_memory_bandwidth_peak_bytes_per_second{memory="gpu0",source="computed"} 720064000000
edgeprof_pressure_seconds_total{resource="cpu",share="some"} 12.25
"""


@dataclass(frozen=True, slots=True)
class Family:
    """A device with the channels that it has, each with its value under load."""

    device: DeviceFacts
    channels: dict[Channel, float]

    def probes(self, machine: Machine) -> dict[Channel, Probe]:
        """The channels over a run, with the CPU time of workload and agent."""
        cpu = {channel("edgeprof_workload_cpu_seconds_total", "self"): machine.workload_cpu_seconds}
        ours = ("edgeprof_sensor", "edgeprof_workload_cpu")
        return cpu | {
            key: _probe(key, value, machine) for key, value in self.channels.items() if not key.metric.startswith(ours)
        }


def family(name: str) -> Family:
    """A device tree's family, ``nvidia`` (a PC with an NVIDIA card), which has no tree."""
    if name == "nvidia":
        gpu = Accelerator(
            name="gpu0", product="NVIDIA GeForce RTX 4080 SUPER", vendor="NVIDIA", memory_total_bytes=2**34
        )
        return Family(replace(DEVICE, accelerators=(gpu,)), _channels(NVIDIA))
    facts = json.loads((FOLDER / name / "facts.json").read_text(encoding="utf-8"))
    device = msgspec.convert({"architecture": "aarch64", "agent_version": "0.1.0", **facts}, DeviceFacts)
    return Family(device, _channels((FOLDER / name / "exposition.txt").read_text(encoding="utf-8")))


@cache
def family_run(name: str) -> tuple[RunRecord, tuple[Series, ...]]:
    """A run on a family's device, on its GPU if it has one, and its telemetry."""
    found = family(name)
    options = {**OPTIONS, "gpu_layers": "-1" if found.device.accelerators else "0"}
    scenario = Scenario(device=found.device, options=options, read_bytes_per_second=0)
    record, telemetry = sample_run(scenario, found.probes)
    return replace(record, peaks=tuple(_peaks(found))), collect_series(telemetry)


def _channels(text: str) -> dict[Channel, float]:
    found = {}
    for line in text.split("\n"):
        if match := _LINE.fullmatch(line):
            metric, labels, value = match.groups()
            found[channel(metric, "golden", **dict(_LABEL.findall(labels)))] = float(value)
    return found


def _peaks(found: Family) -> list[PeakBandwidth]:
    processors = {each.name: each.name for each in found.device.accelerators if not each.unified_memory}
    shared = [each.name for each in found.device.accelerators if each.unified_memory]
    peaks = []
    for key, value in found.channels.items():
        if key.metric == _PEAK:
            labels = dict(key.labels)
            for processor in [labels["memory"]] if labels["memory"] in processors else ["cpu", *shared]:
                method = PeakMethod(labels["source"])
                peaks.append(
                    PeakBandwidth(
                        run_id="r", processor=processor, method=method, bytes_per_second=value, source="its golden file"
                    )
                )
    return peaks


def _probe(key: Channel, value: float, machine: Machine) -> Probe:
    if METRICS[key.metric].kind is Kind.COUNTER:
        if "joules" in key.metric:
            times = 3 if "gpu" in key.metric else 1  # what the run's power is of the rest
            return lambda time_ns: value + times * machine.joules(time_ns)
        # What stood at 0 under load, such as a limiter, stays there.
        growth = _GROWTH.get(key.metric, 0.0) / machine.cores if value else 0.0
        return lambda time_ns: value + growth * machine.workload_cpu_seconds(time_ns)
    if "watts" in key.metric:  # in proportion to the run's power, with the noise that every monitor has
        return lambda time_ns: value * machine.load(time_ns).watts / 24 + time_ns // (SECOND_NS // 10) % 3 * 1e-3
    return lambda time_ns: value * _share(key.metric, machine.load(time_ns).busy_ratio)


def _share(metric: str, busy_ratio: float) -> float:
    """The share that a load leaves of what a gauge has under full load."""
    if "throttled" in metric:
        return float(busy_ratio > 0.5)
    if _WITH_LOAD.search(metric):
        return min(busy_ratio, 1.0)
    is_clock = metric in ("edgeprof_gpu_clock_hertz", "edgeprof_cpu_frequency_hertz")
    return 1.0 if busy_ratio > 0.5 or not is_clock else 1 / 3
