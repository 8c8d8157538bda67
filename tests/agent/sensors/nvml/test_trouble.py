"""GPUs and drivers that fail, hang, go away and come back in mid-run."""

from pathlib import Path

import pytest

from tests.agent.sensors.nvml.machine import Start


@pytest.mark.parametrize(
    ("trouble", "error"),
    [("lost", "SensorLostError: the GPU is gone: GPU is lost"), ("unloaded", "SensorLostError: the GPU is gone:")],
)
def test_a_gpu_that_went_away_is_found_again(start: Start, trouble: str, error: str) -> None:
    machine = start("h200")
    machine("discover")
    machine("sample")
    before = machine("sample")
    machine.trouble(trouble)
    machine("follow", machine.pid)
    for _ in range(2):
        samples = machine("sample")
        assert all(set(sample) == {"error"} for sample in samples.values())
    assert samples["nvml_gpu0"]["error"].startswith(error)
    machine.trouble("")
    machine("follow", 0)
    assert machine("sample") == {**before, "nvml_gpu0_bandwidth": {}}  # which needs two samples again
    assert machine("sample") == before
    assert machine("close") == 0


def test_one_lost_gpu_leaves_the_others(start: Start) -> None:
    machine = start("rtx3090,rtx4090")
    machine("discover")
    before = machine("sample")
    machine.trouble("lost rtx3090")
    samples = machine("sample")
    assert set(samples["nvml_gpu0"]) == {"error"}
    assert samples["nvml_gpu1"] == before["nvml_gpu1"]
    assert samples["nvml_gpu1_slow"] == before["nvml_gpu1_slow"]


def test_an_instance_that_was_removed_leaves_the_others(start: Start) -> None:
    machine = start("h200", mig=True)
    machine("discover")
    machine.trouble("lost h200-3g")
    samples = machine("sample")
    assert set(samples["nvml_gpu0/mig0"]) == {"error"}
    assert "error" not in samples["nvml_gpu0/mig1"]


def test_a_gpu_that_answers_nothing_any_more_is_lost(start: Start) -> None:
    machine = start("rtx3090")
    machine("discover")
    machine.trouble("nothing")
    sample = machine("sample")["nvml_gpu0"]
    assert sample == {"error": "SensorLostError: the GPU answers no query any more"}


def test_one_call_that_fails_costs_its_channels_alone(start: Start) -> None:
    machine = start("rtx3090")
    machine("discover")
    before = machine("sample")["nvml_gpu0"]
    machine.trouble("fields")
    fewer = machine("sample")["nvml_gpu0"]
    assert set(before) - set(fewer) == {
        "edgeprof_gpu_power_watts gpu0 instant",
        "edgeprof_gpu_energy_joules_total gpu0",
    }


def test_counters_that_another_program_took_do_not_end_the_rest(start: Start) -> None:
    machine = start("h200")
    machine("discover")
    machine("sample")
    machine.trouble("counters")
    samples = machine("sample")
    assert samples["nvml_gpu0_bandwidth"]["error"].startswith("SensorLostError: the counters give no memory traffic:")
    assert "error" not in samples["nvml_gpu0"]
    machine.trouble("")
    machine("sample")
    assert machine("sample")["nvml_gpu0_bandwidth"]
    assert machine("close") == 0


def test_counters_grow(start: Start) -> None:
    machine = start("rtx3090")
    machine("discover")
    before = machine("sample")
    machine.trouble("later")
    after = machine("sample")
    grown = {
        name: round(value - before[sensor][name], 9)
        for sensor, readings in after.items()
        for name, value in readings.items()
        if value != before[sensor][name]
    }
    assert grown == {
        "edgeprof_gpu_energy_joules_total gpu0": pytest.approx(300),
        "edgeprof_gpu_throttled_seconds_total gpu0 software_power_cap power": pytest.approx(0.25),
        "edgeprof_gpu_pcie_transmitted_bytes_total gpu0": 40e6,
        "edgeprof_gpu_pcie_received_bytes_total gpu0": 900e6,
    }


def test_a_driver_that_hangs_blocks_its_worker_alone(start: Start) -> None:
    machine = start("rtx3090")
    machine("discover")
    machine("start")
    machine("tick")
    assert machine("fetch") == ["nvml_gpu0"]
    machine.trouble("hang")
    assert machine("tick") == [1.0]
    assert machine("blocked") == ["memory", "nvml_gpu0_slow", "nvml_gpu0_workload"]
    assert machine("tick") == [1.0]
    machine.trouble("")
    assert set(machine("fetch")) == {"nvml_gpu0"}
    machine("stop")


def test_a_gpu_that_sleeps_is_not_woken(start: Start, tmp_path: Path) -> None:
    status = tmp_path / "pci/0000:0c:00.0/power/runtime_status"
    status.parent.mkdir(parents=True)
    status.write_text("active\n")
    machine = start("rtx3090,rtx4090")
    machine("discover")
    machine("follow", machine.pid)
    before = machine("sample")
    status.write_text("suspended\n")
    machine.trouble("lost rtx3090")  # any call would now fail
    asleep = machine("sample")
    assert {sensor: readings for sensor, readings in asleep.items() if "gpu0" in sensor} == {
        "nvml_gpu0": {},
        "nvml_gpu0_slow": {},
        "nvml_gpu0_workload": {},
    }
    assert asleep["nvml_gpu1"] == before["nvml_gpu1"]
    machine.trouble("")
    status.write_text("active\n")
    assert machine("sample") == before


def test_a_library_without_its_driver_is_absent(start: Start) -> None:
    machine = start("rtx3090")
    machine.trouble("unloaded")
    assert machine("discover") == []
    assert machine("facts") == []
