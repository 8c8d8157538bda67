"""Telemetry of a machine whose power, load and memory are known at every moment."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeprof.catalogue import METRICS, channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame, channel_to_message, encode_frame, quantise
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry

SECOND_NS = 1_000_000_000
BOOT_ID = bytes(range(16))
Probe = Callable[[int], float | None]


@dataclass(frozen=True, slots=True)
class Load:
    """What the machine did in a stretch of time."""

    start_ns: int
    end_ns: int
    watts: float
    busy_ratio: float
    resident_bytes: int


class Machine:
    """Answers what a perfect sensor would read at a moment."""

    def __init__(self, loads: Sequence[Load], cores: int, background_cpu_ratio: float) -> None:
        self.cores = cores
        self.background_cpu_ratio = background_cpu_ratio
        self._loads = [load for load in loads if load.end_ns > load.start_ns]
        self._starts = [load.start_ns for load in self._loads]
        self._joules_before = [0.0]
        self._busy_before = [0.0]
        for load in self._loads:
            seconds = (load.end_ns - load.start_ns) / SECOND_NS
            self._joules_before.append(self._joules_before[-1] + load.watts * seconds)
            self._busy_before.append(self._busy_before[-1] + self._own_share(load) * seconds)

    def load(self, time_ns: int) -> Load:
        return self._loads[self._index(time_ns)]

    def joules(self, time_ns: int) -> float:
        index = self._index(time_ns)
        return self._joules_before[index] + self._loads[index].watts * self._into(index, time_ns)

    def workload_cpu_seconds(self, time_ns: int) -> float:
        index = self._index(time_ns)
        busy = self._busy_before[index] + self._own_share(self._loads[index]) * self._into(index, time_ns)
        return busy * self.cores

    def busy_ratio(self, time_ns: int, interval_ns: int) -> float:
        own = self.workload_cpu_seconds(time_ns) - self.workload_cpu_seconds(time_ns - interval_ns)
        return min(own / self.cores / (interval_ns / SECOND_NS) + self.background_cpu_ratio, 1.0)

    def celsius(self, time_ns: int) -> float:
        """Heat follows the power of the last half minute."""
        start_ns = self._starts[0]
        joules = sum(
            self.joules(time_ns - ago * SECOND_NS) * weight
            for ago, weight in ((0, 1), (30, -1))
            if time_ns - ago * SECOND_NS > start_ns
        )
        return 38 + joules / 30 * 1.2

    def _own_share(self, load: Load) -> float:
        """What the others leave to the workload."""
        return min(load.busy_ratio, 1 - self.background_cpu_ratio)

    def _index(self, time_ns: int) -> int:
        return min(max(bisect_right(self._starts, time_ns) - 1, 0), len(self._loads) - 1)

    def _into(self, index: int, time_ns: int) -> float:
        load = self._loads[index]
        return (min(max(time_ns, load.start_ns), load.end_ns) - load.start_ns) / SECOND_NS


Probes = Callable[[Machine], dict[Channel, Probe]]


def sample_telemetry(
    loads: Sequence[Load],
    *,
    run_id: str,
    hertz: int,
    cores: int,
    memory_total_bytes: int,
    background_cpu_ratio: float,
    energy: bool,
    gpus: Sequence[str],
    probes_of: Probes | None = None,
) -> RunTelemetry:
    """Frames of a second each, with a fast block of ``hertz`` ticks and a slow one of a single tick.

    ``probes_of`` gives the channels in place of those of a PC.
    """
    machine = Machine(loads, cores, background_cpu_ratio)
    if probes_of is None:
        probes = _host_probes(machine, memory_total_bytes, SECOND_NS // hertz)
        probes |= _energy_probes(machine) if energy else {}
        for gpu in gpus:
            probes |= _gpu_probes(machine, gpu)
    else:
        probes = probes_of(machine)
    fast = {key: probe for key, probe in probes.items() if METRICS[key.metric].tier is Tier.FAST}
    slow = {key: probe for key, probe in probes.items() if METRICS[key.metric].tier is Tier.SLOW}
    numbers = {tuple(fast): 1, tuple(slow): 2}
    telemetry = RunTelemetry()
    for layout, number in numbers.items():
        telemetry.layouts.append(Layout(layout=number, channels=[channel_to_message(each) for each in layout]))
    start_ns = loads[0].start_ns
    for second in range(math.ceil((loads[-1].end_ns - start_ns) / SECOND_NS)):
        frame_ns = start_ns + second * SECOND_NS
        times = [frame_ns + (tick + 1) * SECOND_NS // hertz for tick in range(hertz)]
        frame = SampledFrame(
            run_id=run_id,
            start_monotonic_ns=frame_ns,
            end_monotonic_ns=frame_ns + SECOND_NS,
            blocks=(_block(fast, times), _block(slow, times[-1:])),
        )
        telemetry.frames.append(encode_frame(frame, BOOT_ID, numbers.__getitem__))
    return telemetry


def _block(probes: dict[Channel, Probe], times: Sequence[int]) -> SampledBlock:
    def column(key: Channel, probe: Probe) -> tuple[int | None, ...]:
        values = (probe(time_ns) for time_ns in times)
        return tuple(None if value is None else quantise(value, key.resolution) for value in values)

    return SampledBlock(
        channels=tuple(probes),
        times_monotonic_ns=tuple(times),
        columns=tuple(column(key, probe) for key, probe in probes.items()),
    )


def _host_probes(machine: Machine, memory_total_bytes: int, interval_ns: int) -> dict[Channel, Probe]:
    def resident(time_ns: int) -> float | None:
        return machine.load(time_ns).resident_bytes or None

    def share_of_resident(share: float) -> Probe:
        return lambda time_ns: None if (found := resident(time_ns)) is None else found * share

    def core_busy(core: int) -> Probe:
        return lambda time_ns: min(machine.busy_ratio(time_ns, interval_ns) * (1 - 0.03 * core), 1)

    def clock(core: int) -> Probe:
        return lambda time_ns: 1.4e9 + (2.4e9 - 5e7 * core) * machine.load(time_ns).busy_ratio

    probes: dict[Channel, Probe] = {
        channel("edgeprof_cpu_busy_ratio", "/proc/stat"): lambda time_ns: machine.busy_ratio(time_ns, interval_ns),
        channel("edgeprof_memory_available_bytes", "/proc/meminfo"): (
            lambda time_ns: memory_total_bytes * 0.8 - (resident(time_ns) or 0)
        ),
        channel("edgeprof_workload_cpu_seconds_total", "/proc/[pid]/stat"): machine.workload_cpu_seconds,
        channel("edgeprof_workload_resident_bytes", "/proc/[pid]/statm"): resident,
        channel("edgeprof_workload_resident_file_bytes", "/proc/[pid]/status"): share_of_resident(0.64),
        channel("edgeprof_workload_resident_anonymous_bytes", "/proc/[pid]/status"): share_of_resident(0.36),
        channel("edgeprof_temperature_celsius", "temp1_input", chip="k10temp", place="Tctl"): machine.celsius,
        channel("edgeprof_temperature_celsius", "temp1_input", chip="nvme", place="Composite"): lambda _: 61.0,
        channel("edgeprof_agent_cpu_seconds_total", "self"): lambda time_ns: time_ns / SECOND_NS * 0.004,
        channel("edgeprof_sampler_lateness_seconds", "self"): lambda time_ns: 0.0002 + time_ns % 7 * 1e-5,
    }
    for core in range(machine.cores):
        probes[channel("edgeprof_cpu_core_busy_ratio", "/proc/stat", core=str(core))] = core_busy(core)
        probes[channel("edgeprof_cpu_frequency_hertz", "scaling_cur_freq", core=str(core))] = clock(core)
    return probes


def _energy_probes(machine: Machine) -> dict[Channel, Probe]:
    source = "/sys/class/powercap/intel-rapl:0/energy_uj"
    return {
        channel("edgeprof_energy_joules_total", source, chip="rapl", rail="package-0"): machine.joules,
        channel("edgeprof_energy_joules_total", source, chip="rapl", rail="package-0/core"): (
            lambda time_ns: machine.joules(time_ns) * 0.7
        ),
    }


def _gpu_probes(machine: Machine, gpu: str) -> dict[Channel, Probe]:
    def busy(time_ns: int) -> float:
        return machine.load(time_ns).busy_ratio

    return {
        channel("edgeprof_gpu_busy_ratio", "nvml", gpu=gpu): busy,
        channel("edgeprof_gpu_memory_used_bytes", "nvml", gpu=gpu): (
            lambda time_ns: 0.4 * 2**30 + (machine.load(time_ns).resident_bytes or 0)
        ),
        channel("edgeprof_gpu_power_watts", "nvml", gpu=gpu, window="instant"): lambda time_ns: 9 + 50 * busy(time_ns),
        channel("edgeprof_gpu_temperature_celsius", "nvml", gpu=gpu, place="core"): machine.celsius,
        channel("edgeprof_gpu_clock_hertz", "nvml", gpu=gpu, domain="sm"): lambda time_ns: (
            2.1e8 + 1.2e9 * busy(time_ns)
        ),
        channel("edgeprof_gpu_throttled_ratio", "nvml", gpu=gpu, reason="power"): (
            lambda time_ns: float(busy(time_ns) > 0.95)
        ),
    }
