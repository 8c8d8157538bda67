"""A macOS that renames or removes something, or hangs: what it costs, and what doctor says."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeprof_agent.commands.doctor_text import report_text
from edgeprof_agent.sensors import registry
from edgeprof_agent.sensors.apple import family
from edgeprof_agent.sensors.apple.bindings import IO_REPORT
from edgeprof_agent.sensors.diagnosis.examination import FamilyReport, examine
from edgeprof_agent.sensors.registry import Family, discover_sensors
from tests.agent.sensors.apple.stand_in_library import STATE
from tests.agent.sensors.devices import Device, close

ULTRA, MAX = "apple-m1-ultra__macos-26.1__load", "apple-m5-max__macos-27.0__load-battery"
ALL = {"apple_energy", "apple_gpu", "apple_cores", "apple_memory", "apple_gpu_memory", "apple_constants", "apple_smc"}


@pytest.fixture
def ultra(tmp_path: Path) -> Device:
    return Device(ULTRA, tmp_path)


def change(device: Device, edit: Callable[[str], str]) -> None:
    """Change the Mac's state by a new file."""
    state = device.root / STATE
    new = state.with_suffix(".new")
    new.write_text(edit(state.read_text(encoding="utf-8")), encoding="utf-8")
    new.replace(state)


def names(device: Device) -> set[str]:
    sensors = device.discover()
    close(sensors)
    return {sensor.name for sensor in sensors} - {"apple_thermal_pressure"}


def doctor(device: Device) -> FamilyReport:
    (found,) = (report for report in examine(device.root, gap_seconds=0) if report.family == "apple")
    return found


def reason_of(report: FamilyReport, metric: str) -> str:
    (obstacle,) = (obstacle for obstacle in report.obstacles if metric in obstacle.metrics)
    return obstacle.reason


@pytest.mark.parametrize(
    ("group", "sensor", "metric"),
    [
        ("Energy Model", "apple_energy", "edgeprof_energy_joules_total"),
        ("GPU Stats", "apple_gpu", "edgeprof_gpu_busy_ratio"),
        ("CPU Stats", "apple_cores", "edgeprof_cpu_frequency_hertz"),
        ("AMC Stats", "apple_memory", "edgeprof_memory_moved_bytes_total"),
    ],
)
@pytest.mark.parametrize("how", ["renamed", "refused"])
def test_a_group_that_is_gone_costs_its_channels_and_no_other(
    ultra: Device, group: str, sensor: str, metric: str, how: str
) -> None:
    assert names(ultra) == ALL
    if how == "renamed":
        change(ultra, lambda text: text.replace(f"channel\t{group}\t", f"channel\t{group} 2\t"))
        expected = f"this macOS has no IOReport group {group}"
    else:
        change(ultra, lambda text: f"{text}refused\t{group}\n")
        expected = f"this macOS refuses a subscription to IOReport's {group}"
    assert names(ultra) == ALL - {sensor}
    report = doctor(ultra)
    assert expected in reason_of(report, metric)
    measured = {entry.metric for entry in report.measured}
    assert metric not in measured
    assert "edgeprof_gpu_temperature_celsius" in measured
    text = report_text((report,), colour=False)
    assert expected in " ".join(text.split())


def test_a_macos_without_the_library_keeps_the_rest(ultra: Device) -> None:
    (ultra.root / IO_REPORT).unlink()
    assert names(ultra) == {"apple_gpu_memory", "apple_constants", "apple_smc"}
    assert "/usr/lib/libIOReport.dylib cannot be loaded" in reason_of(doctor(ultra), "edgeprof_energy_joules_total")


def test_doctor_says_where_the_bandwidth_comes_from(tmp_path: Path) -> None:
    report = doctor(Device(MAX, tmp_path))
    assert "a coarse histogram of the bandwidth is read" in reason_of(report, "edgeprof_memory_moved_bytes_total")


def test_doctor_says_what_a_virtual_machine_cannot_see(tmp_path: Path) -> None:
    report = doctor(Device("apple-virtual-machine__macos-15.6__idle", tmp_path))
    assert "a virtual machine" in reason_of(report, "edgeprof_energy_joules_total")


def test_a_report_that_hangs_leaves_the_family_out_and_no_other(
    ultra: Device, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_DISCOVERY_SECONDS", 0.2)
    change(ultra, lambda text: f"{text}trouble\thang\n")
    with caplog.at_level(logging.WARNING):
        assert discover_sensors(ultra.root, [Family("apple", family.discover)]) == ()
    assert caplog.records[0].message.startswith("sensors of apple are left out: no answer")
    change(ultra, lambda text: text.replace("trouble\thang\n", ""))  # so that its thread ends
