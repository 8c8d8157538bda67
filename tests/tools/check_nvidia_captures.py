"""Checks the NVIDIA sensors against captures of ``nvidia-smi -q``.

Run by hand: ``python -m tests.tools.check_nvidia_captures FOLDER``. Each section of each ``*.txt`` becomes a GPU of the
stand-in, which answers NOT_SUPPORTED to what nvidia-smi has as N/A; the real sensors read it, and each of their
channels is compared with the text, in both directions. What nvidia-smi does not print cannot be checked: energy, PCIe
counters, performance counters and the width of the memory's bus.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.agent.sensors.nvml.machine import Machine, compile_stand_in

_SECTION = re.compile(r"^# (\w+) :: query \(-q\)\n.*?\n#+\n(.*?)(?=^#{20})", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(-?[\d.]+) (\S+)")
_PROCESS = re.compile(r"Process ID +: (\d+)\n +Type +: (\S+)\n.*?\n +Used GPU Memory +: (\d+) MiB")

# Per line of nvidia-smi: the stand-in's column, how many of its units make one of nvidia-smi's, the channel, and how
# many of the channel's units make one of nvidia-smi's.
_LINES: tuple[tuple[str, str, float, str, float], ...] = (
    ("Utilization/GPU", "busy_percent", 1, "edgeprof_gpu_busy_ratio gpu0", 0.01),
    ("Utilization/Memory", "memory_busy_percent", 1, "edgeprof_gpu_memory_busy_ratio gpu0", 0.01),
    ("FB Memory Usage/Total", "total_bytes", 2**20, "edgeprof_gpu_memory_total_bytes gpu0", 2**20),
    ("FB Memory Usage/Used", "used_bytes", 2**20, "edgeprof_gpu_memory_used_bytes gpu0", 2**20),
    ("GPU Power Readings/Average Power Draw", "power_average_mw", 1000, "edgeprof_gpu_power_watts gpu0 average", 1),
    (
        "GPU Power Readings/Instantaneous Power Draw",
        "power_instant_mw",
        1000,
        "edgeprof_gpu_power_watts gpu0 instant",
        1,
    ),
    (
        "GPU Memory Power Readings/Average Power Draw",
        "memory_power_average_mw",
        1000,
        "edgeprof_gpu_memory_power_watts gpu0 average",
        1,
    ),
    (
        "Module Power Readings/Instantaneous Power Draw",
        "module_power_instant_mw",
        1000,
        "edgeprof_gpu_module_power_watts gpu0 instant",
        1,
    ),
    ("Temperature/GPU Current Temp", "temperature_celsius", 1, "edgeprof_gpu_temperature_celsius gpu0 core", 1),
    ("Temperature/GPU T.Limit Temp", "margin_celsius", 1, "edgeprof_gpu_temperature_margin_celsius gpu0", 1),
    (
        "Temperature/Memory Current Temp",
        "memory_temperature_celsius",
        1,
        "edgeprof_gpu_temperature_celsius gpu0 memory",
        1,
    ),
    ("Clocks/SM", "sm_mhz", 1, "edgeprof_gpu_clock_hertz sm gpu0", 1e6),
    ("Clocks/Memory", "memory_mhz", 1, "edgeprof_gpu_clock_hertz memory gpu0", 1e6),
    ("Max Clocks/SM", "sm_max_mhz", 1, "edgeprof_gpu_clock_max_hertz sm gpu0", 1e6),
    ("Max Clocks/Memory", "memory_max_mhz", 1, "edgeprof_gpu_clock_max_hertz memory gpu0", 1e6),
    *(
        (
            f"Clocks Event Reasons Counters/{line}",
            column,
            1000,
            f"edgeprof_gpu_throttled_seconds_total gpu0 {limiter}",
            1e-6,
        )
        for line, column, limiter in (
            ("SW Power Capping", "power_cap_ns", "software_power_cap power"),
            ("SW Thermal Slowdown", "slowdown_ns", "software_slowdown thermal"),
            ("HW Thermal Slowdown", "hardware_slowdown_ns", "hardware_slowdown thermal"),
            ("HW Power Braking", "power_brake_ns", "hardware_power_brake power"),
        )
    ),
)
_UNPRINTED = ("power_usage_mw", "energy_mj", "thermal_ns", "pcie_tx_bytes", "pcie_rx_bytes", "bus_bits")
_REASON_BITS = {
    "Idle": 0x1,
    "Applications Clocks Setting": 0x2,
    "SW Power Cap": 0x4,
    "HW Slowdown": 0x8,
    "Sync Boost": 0x10,
    "SW Thermal Slowdown": 0x20,
    "HW Thermal Slowdown": 0x40,
    "HW Power Brake Slowdown": 0x80,
    "Display Clock Setting": 0x100,
}


@dataclass(frozen=True, slots=True)
class Capture:
    """One section: the text by the paths of its lines, and processes with their memory in MiB."""

    driver_major: int
    lines: dict[str, str]
    processes: tuple[tuple[str, int, int], ...]

    def number(self, path: str) -> float | None:
        """The number of a line; ``None`` for N/A."""
        found = _NUMBER.match(self.lines.get(path, "N/A"))
        return float(found[1]) if found else None

    def reasons(self) -> int:
        """The mask of the reasons that are active."""
        active = {
            path.rpartition("/")[2] for path, text in self.lines.items() if "Reasons/" in path and text == "Active"
        }
        return sum(_REASON_BITS[reason] for reason in active)


def main() -> None:
    """Check each capture and say what was found; end with 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the captures are")
    failed = False
    for path in sorted(parser.parse_args().folder.glob("*.txt")):
        for state, capture in read_captures(path.read_text()):
            checked, differences = check(capture)
            failed |= bool(differences)
            sys.stdout.write(f"{path.name} {state}: {checked} channels checked, {len(differences)} differ\n")
            sys.stdout.writelines(f"    {difference}\n" for difference in differences)
    sys.exit(failed)


def read_captures(text: str) -> Iterator[tuple[str, Capture]]:
    """Read each section, such as idle and load."""
    for section in _SECTION.finditer(text):
        lines = _by_path(section[2])
        processes = tuple((kind, int(pid), int(used)) for pid, kind, used in _PROCESS.findall(section[2]))
        yield section[1], Capture(int(lines["Driver Version"].partition(".")[0]), lines, processes)


def check(capture: Capture) -> tuple[int, list[str]]:
    """Return how many channels were compared, and what differs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        machine = Machine(
            compile_stand_in(folder, capture.driver_major, f"-DCAPTURED={_row(capture)}"), "captured", folder, mig=False
        )
        machine.processes(*(f"{kind[0]} captured {pid} {used}" for kind, pid, used in capture.processes))
        machine("discover")
        published = {name: value for readings in machine("sample").values() for name, value in readings.items()}
        differences = _compare(capture, published)
        for kind, pid, used in capture.processes:
            machine("follow", pid)
            followed = machine("sample")["nvml_gpu0_workload"].get("edgeprof_workload_gpu_memory_bytes gpu0")
            if followed != used * 2**20:
                differences.append(f"process {pid} ({kind}) has {used} MiB, the sensor gives {followed}")
        machine("close")
        if machine.end():
            differences.append("the sensors' process failed")
    return len(published) + len(capture.processes), differences


def _compare(capture: Capture, published: dict[str, float]) -> list[str]:
    unmatched = {name: value for name, value in published.items() if "throttled_ratio" not in name}
    differences = []
    for path, _, _, channel, unit in _LINES:
        printed, value = capture.number(path), unmatched.pop(channel, None)
        expected = None if printed is None else printed * unit
        if (expected is None) != (value is None) or (
            expected is not None and value is not None and abs(value - expected) > 1e-9 * abs(expected)
        ):
            differences.append(f"{channel} is {value}, nvidia-smi has {capture.lines.get(path)}")
    differences += [f"{name} is {value}, nvidia-smi has no such line" for name, value in unmatched.items()]
    active = {name.rpartition(" ")[2] for name, value in published.items() if "throttled_ratio" in name and value}
    mask = capture.reasons()
    expected_reasons = {
        reason
        for reason, bits in (("power", 0x84), ("thermal", 0x60), ("idle", 0x1), ("other", 0x112))
        if mask & bits or (reason == "other" and mask & 0x8 and not mask & 0xC0)
    }
    if active != expected_reasons:
        differences.append(f"the reasons are {sorted(active)}, nvidia-smi's mask is {mask:#x}")
    return differences


def _row(capture: Capture) -> str:
    """The capture as a row of the stand-in's table."""
    values = {column: capture.number(path) for path, column, _, _, _ in _LINES}
    scales = {column: scale for _, column, scale, _, _ in _LINES}
    columns = {
        **{
            column: "NONE" if value is None else f"{round(value * scales[column])}LL"
            for column, value in values.items()
        },
        **dict.fromkeys(_UNPRINTED, "NONE"),
        "reserved_bytes": "0",
        "reasons": str(capture.reasons()),
        "major": "9",
        "has_processes": "1",
        "key": '"captured"',
        "name": '"a GPU that was captured"',
        "uuid": '"GPU-captured"',
    }
    return f"{{{', '.join(f'.{column} = {value}' for column, value in columns.items())}}}"


def _by_path(text: str) -> dict[str, str]:
    """Lines by the titles that they are indented under, from below the GPU's own: ``Temperature/GPU Current Temp``."""
    lines: dict[str, str] = {}
    titles: list[str] = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        title, colon, value = line.strip().partition(" : ")
        titles[depth:] = [title.strip()]
        if colon:
            lines["/".join(titles[1:] or titles)] = value.strip()
    return lines


if __name__ == "__main__":
    main()
