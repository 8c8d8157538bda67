"""What each kind of NVIDIA GPU gives: the real pynvml on a stand-in for the driver's library."""

import os
from pathlib import Path

import pytest

from edgeprof_agent.sensors import nvml
from tests.agent.sensors.nvml.machine import Start

MIB = 1024**2
FAST_3090 = {
    "edgeprof_gpu_busy_ratio gpu0": 0.97,
    "edgeprof_gpu_memory_busy_ratio gpu0": 0.61,
    "edgeprof_gpu_memory_used_bytes gpu0": 5120 * MIB,
    "edgeprof_gpu_power_watts gpu0 instant": 351.87,
    "edgeprof_gpu_energy_joules_total gpu0": 812345678.901,
    "edgeprof_gpu_temperature_celsius gpu0 core": 71.0,
    "edgeprof_gpu_clock_hertz sm gpu0": 1.74e9,
    "edgeprof_gpu_clock_hertz memory gpu0": 9.751e9,
    "edgeprof_gpu_throttled_ratio gpu0 power": 1.0,
    "edgeprof_gpu_throttled_ratio gpu0 thermal": 0.0,
    "edgeprof_gpu_throttled_ratio gpu0 idle": 0.0,
    "edgeprof_gpu_throttled_ratio gpu0 other": 0.0,
}
SLOW_3090 = {
    "edgeprof_gpu_memory_total_bytes gpu0": 24576 * MIB,
    "edgeprof_gpu_clock_max_hertz sm gpu0": 2.1e9,
    "edgeprof_gpu_clock_max_hertz memory gpu0": 9.751e9,
    "edgeprof_gpu_power_watts gpu0 average": 347.21,
    "edgeprof_gpu_throttled_seconds_total gpu0 software_power_cap power": 93000.25,
    "edgeprof_gpu_throttled_seconds_total gpu0 thermal_policy thermal": 0.0,
    "edgeprof_gpu_throttled_seconds_total gpu0 software_slowdown thermal": 0.0,
    "edgeprof_gpu_throttled_seconds_total gpu0 hardware_slowdown thermal": 0.0,
    "edgeprof_gpu_throttled_seconds_total gpu0 hardware_power_brake power": 0.0,
    "edgeprof_gpu_pcie_transmitted_bytes_total gpu0": 5e9,
    "edgeprof_gpu_pcie_received_bytes_total gpu0": 71000000001,
    "edgeprof_memory_bandwidth_peak_bytes_per_second gpu0 computed": 936.096e9,
}


def test_a_gpu_gives_every_channel_in_base_units(start: Start) -> None:
    machine = start("rtx3090")
    assert machine("discover") == [
        ["nvml_gpu0", "fast", True],
        ["nvml_gpu0_slow", "slow", True],
        ["nvml_gpu0_workload", "slow", True],
    ]
    assert machine("sample") == {"nvml_gpu0": FAST_3090, "nvml_gpu0_slow": SLOW_3090, "nvml_gpu0_workload": {}}
    machine("close")
    machine("close")


@pytest.mark.parametrize(
    ("gpus", "driver", "mig"),
    [("rtx3090,rtx4090", 595, False), ("h200", 595, True), ("h200", 580, False), ("gb10,orin,rtx2080", 525, False)],
)
def test_readings_conform(start: Start, gpus: str, driver: int, mig: bool) -> None:
    machine = start(gpus, driver, mig=mig)
    machine("discover")
    assert machine("conform") > 10
    assert machine("close") == 0


def test_gpus_keep_their_numbers(start: Start) -> None:
    machine = start("orin,rtx3090,rtx2080")
    assert {name.split("_")[1] for name, _, _ in machine("discover")} == {"gpu1", "gpu2"}
    samples = machine("sample")
    assert samples["nvml_gpu1"]["edgeprof_gpu_clock_hertz sm gpu1"] == 1.74e9
    assert samples["nvml_gpu2"]["edgeprof_gpu_clock_hertz sm gpu2"] == 3e8


def test_a_driver_that_supports_nothing_is_absent(start: Start) -> None:
    machine = start("orin")
    assert machine("discover") == []
    assert machine("facts") == [
        {
            "name": "gpu0",
            "product": "Orin (nvgpu)",
            "vendor": "NVIDIA",
            "memory_total_bytes": None,
            "driver_version": "595.71.05",
            "unified_memory": True,
            "memory_clock_max_hertz": None,
            "memory_bus_bits": None,
        }
    ]


def test_a_gpu_without_memory_of_its_own_says_so_and_gives_the_rest(start: Start) -> None:
    machine = start("gb10")
    machine("discover")
    machine.processes(f"C gb10 {machine.pid} 2048")
    machine("follow", machine.pid)
    samples = machine("sample")
    assert samples["nvml_gpu0_workload"] == {"edgeprof_workload_gpu_memory_bytes gpu0": 2048 * MIB}
    channels = {**samples["nvml_gpu0"], **samples["nvml_gpu0_slow"]}
    assert not [name for name in channels if name.startswith(("edgeprof_gpu_memory_used", "edgeprof_gpu_memory_total"))]
    assert not [name for name in channels if "bandwidth" in name or "clock_hertz memory" in name]
    assert channels["edgeprof_gpu_power_watts gpu0 instant"] == 47.05
    assert channels["edgeprof_gpu_module_power_watts gpu0 instant"] == 83.2
    assert channels["edgeprof_gpu_temperature_margin_celsius gpu0"] == 21
    assert machine("facts")[0]["unified_memory"]


def test_a_server_gpu_measures_its_memory(start: Start) -> None:
    machine = start("h200")
    assert ["nvml_gpu0_bandwidth", "slow", True] in machine("discover")
    first, second = machine("sample"), machine("sample")
    assert first["nvml_gpu0_bandwidth"] == {}  # it takes two samples
    assert second["nvml_gpu0_slow"]["edgeprof_memory_bandwidth_peak_bytes_per_second gpu0 computed"] == 4916.736e9
    assert second["nvml_gpu0_bandwidth"] == {
        "edgeprof_memory_bandwidth_bytes_per_second both gpu0 hardware_counter": 0.625 * 4916.736e9
    }
    assert second["nvml_gpu0"]["edgeprof_gpu_temperature_celsius gpu0 memory"] == 55
    assert second["nvml_gpu0_slow"]["edgeprof_gpu_memory_power_watts gpu0 average"] == 88.41
    assert machine("close") == 0


def test_instances_of_a_divided_gpu_have_memory_of_their_own(start: Start) -> None:
    machine = start("rtx3090,h200", mig=True)
    names = [name for name, _, _ in machine("discover") if "gpu1" in name]
    assert names == [f"nvml_gpu1{part}{kind}" for part in ("", "/mig0", "/mig1") for kind in ("", "_slow", "_workload")]
    machine.processes(f"C h200-1g {machine.pid} 900", f"C h200 {machine.pid} 900")
    machine("follow", machine.pid)
    samples = machine("sample")
    assert "edgeprof_gpu_busy_ratio gpu1" not in samples["nvml_gpu1"]
    assert samples["nvml_gpu1"]["edgeprof_gpu_power_watts gpu1 instant"] == 537.73
    assert samples["nvml_gpu1/mig0"] == {"edgeprof_gpu_memory_used_bytes gpu1/mig0": 70000 * MIB}
    assert samples["nvml_gpu1/mig1_slow"] == {"edgeprof_gpu_memory_total_bytes gpu1/mig1": 16384 * MIB}
    assert samples["nvml_gpu1/mig0_workload"] == {}
    assert samples["nvml_gpu1/mig1_workload"] == {"edgeprof_workload_gpu_memory_bytes gpu1/mig1": 900 * MIB}
    assert [fact["product"] for fact in machine("facts")][1:] == [
        "NVIDIA H200",
        "NVIDIA H200 MIG 3g.71gb",
        "NVIDIA H200 MIG 1g.18gb",
    ]


def test_power_of_gpus_without_its_fields_says_over_what_it_was_taken(start: Start) -> None:
    machine = start("rtx2080,rtx3090", 525)
    machine("discover")
    samples = machine("sample")
    assert samples["nvml_gpu0"]["edgeprof_gpu_power_watts gpu0 instant"] == 12.12
    assert "edgeprof_gpu_power_watts gpu0 average" not in samples["nvml_gpu0_slow"]
    assert samples["nvml_gpu1_slow"]["edgeprof_gpu_power_watts gpu1 average"] == 347.21
    assert "edgeprof_gpu_power_watts gpu1 instant" not in samples["nvml_gpu1"]


def test_a_memory_temperature_of_0_degrees_is_none(start: Start) -> None:
    machine = start("rtx2080")
    machine("discover")
    sample = machine("sample")["nvml_gpu0"]
    assert "edgeprof_gpu_temperature_celsius gpu0 core" in sample
    assert "edgeprof_gpu_temperature_celsius gpu0 memory" not in sample


def test_old_drivers_have_other_calls_for_temperature_and_reasons(start: Start) -> None:
    machine = start("rtx3090", 525)
    machine("discover")
    sample = machine("sample")["nvml_gpu0"]
    assert sample["edgeprof_gpu_temperature_celsius gpu0 core"] == 71.0
    assert sample["edgeprof_gpu_throttled_ratio gpu0 power"] == 1.0


def test_a_driver_of_2021_gives_what_it_knows(start: Start) -> None:
    machine = start("rtx3090", 470)
    assert [name for name, _, _ in machine("discover")] == ["nvml_gpu0", "nvml_gpu0_slow"]
    sample = machine("sample")["nvml_gpu0"]
    assert sample["edgeprof_gpu_busy_ratio gpu0"] == 0.97
    assert "edgeprof_gpu_memory_used_bytes gpu0" not in sample  # its first version counts the reserve as used
    (fact,) = machine("facts")
    assert fact["memory_total_bytes"] is None
    assert not fact["unified_memory"]


def test_fields_that_meant_something_else_in_a_driver_are_not_read_from_it(start: Start) -> None:
    machine = start("rtx4090", 580)
    machine("discover")
    throttled = {name: value for name, value in machine("sample")["nvml_gpu0_slow"].items() if "throttled" in name}
    assert throttled == {
        "edgeprof_gpu_throttled_seconds_total gpu0 software_power_cap power": 0.041,
        "edgeprof_gpu_throttled_seconds_total gpu0 thermal_policy thermal": 7.3,
    }


def test_counters_of_pcie_that_wrap_too_soon_are_left_out(start: Start) -> None:
    machine = start("rtx4090")
    machine("discover")
    assert not [name for name in machine("sample")["nvml_gpu0_slow"] if "pcie" in name]


def test_the_workload_is_told_from_other_processes(start: Start) -> None:
    machine = start("rtx3090,rtx4090")
    machine("discover")
    machine.processes(
        f"C rtx3090 {machine.pid} 3000", "C rtx3090 1 700", f"G rtx4090 {machine.pid} 40", "C rtx4090 1 90"
    )
    nothing: dict[str, dict[str, float]] = {"nvml_gpu0_workload": {}, "nvml_gpu1_workload": {}}
    assert nothing.items() <= machine("sample").items()  # nobody is followed
    machine("follow", os.getpid())  # the machine is a child of this process
    samples = machine("sample")
    assert samples["nvml_gpu0_workload"] == {"edgeprof_workload_gpu_memory_bytes gpu0": 3000 * MIB}
    assert samples["nvml_gpu1_workload"] == {"edgeprof_workload_gpu_memory_bytes gpu1": 40 * MIB}
    machine.processes(f"C rtx3090 {machine.pid} -1")
    assert machine("sample")["nvml_gpu0_workload"] == {}  # in use, and nobody knows how much
    machine("follow", 0)
    assert nothing.items() <= machine("sample").items()


def test_facts(start: Start) -> None:
    facts = start("rtx3090,rtx2080")("facts")
    assert [fact["name"] for fact in facts] == ["gpu0", "gpu1"]
    assert facts[1] == {
        "name": "gpu1",
        "product": "NVIDIA GeForce RTX 2080",
        "vendor": "NVIDIA",
        "memory_total_bytes": 8192 * MIB,
        "driver_version": "595.71.05",
        "unified_memory": False,
        "memory_clock_max_hertz": 7_000_000_000,
        "memory_bus_bits": 256,
    }


def test_a_tree_elsewhere_has_none_of_this_machines_gpus(tmp_path: Path) -> None:
    assert nvml.discover(tmp_path) == ()
    assert nvml.accelerators(tmp_path) == ()
