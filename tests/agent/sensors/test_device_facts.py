import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from edgeprof import __version__
from edgeprof.device import Accelerator
from edgeprof_agent.sensors import cpu_topology
from edgeprof_agent.sensors.device_facts import gather_device_facts, refresh_device_facts


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_this_machine() -> None:
    facts = gather_device_facts(Path("/"), "device-1", {"rack": "3"})
    assert facts.device_id == "device-1"
    assert facts.labels == {"rack": "3"}
    assert facts.memory_total_bytes == psutil.virtual_memory().total
    assert facts.logical_cores == psutil.cpu_count()
    assert facts.agent_version == __version__
    assert facts.os
    assert facts.kernel
    assert facts.hostname
    if sys.platform == "linux":
        assert facts.physical_cores == psutil.cpu_count(logical=False)


def test_an_empty_tree_tells_what_this_machine_must(tmp_path: Path) -> None:
    facts = gather_device_facts(tmp_path, "device-1", {})
    assert facts.logical_cores >= 1
    assert facts.memory_total_bytes > 0
    assert facts.os
    untold = (facts.board, facts.soc, facts.cpu_model, facts.last_level_cache_bytes, facts.power_source, facts.firmware)
    assert untold == (None,) * 6


@pytest.mark.parametrize(
    ("supplies", "source"),
    [
        ({}, None),
        ({"AC": {"type": "Mains", "online": "1"}}, "mains"),
        ({"AC": {"type": "Mains", "online": "0"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, "battery"),
        ({"AC": {"type": "Mains", "online": "1"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, "mains"),
        ({"usb": {"type": "USB", "online": "1"}, "BAT0": {"type": "Battery", "status": "Charging"}}, "mains"),
        ({"BAT0": {"type": "Battery", "status": "Full"}}, None),
        ({"mouse": {"type": "Battery", "status": "Discharging", "scope": "Device"}}, None),
    ],
)
def test_power_source(supplies: dict[str, dict[str, str]], source: str | None, tmp_path: Path) -> None:
    for supply, files in supplies.items():
        write(tmp_path / "sys/class/power_supply" / supply, files)
    assert gather_device_facts(tmp_path, "device-1", {}).power_source == source


@pytest.mark.parametrize(
    ("tables", "board"),
    [
        ({"sys_vendor": "LENOVO", "product_name": "20XK0015GE"}, "LENOVO 20XK0015GE"),
        ({"product_name": "Default string", "board_vendor": "ASRock", "board_name": "B660M"}, "ASRock B660M"),
        ({"product_name": "System Product Name"}, None),
        ({"product_name": "NUC"}, "NUC"),
    ],
)
def test_boards_named_by_firmware(tables: dict[str, str], board: str | None, tmp_path: Path) -> None:
    write(tmp_path / "sys/class/dmi/id", tables)
    assert gather_device_facts(tmp_path, "device-1", {}).board == board


def test_a_cache_shared_by_cores_counts_once_and_two_count_twice(tmp_path: Path) -> None:
    for core in range(4):
        half = "0-1" if core < 2 else "2-3"
        for index, (level, kind, size, shared) in enumerate(
            [("1", "Data", "32K", str(core)), ("1", "Instruction", "64K", str(core)), ("3", "Unified", "16M", half)]
        ):
            folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/cache/index{index}"
            write(folder, {"level": level, "type": kind, "size": size, "shared_cpu_list": shared})
    assert cpu_topology.last_level_cache_bytes(tmp_path) == 2 * 16 * 1024**2


def test_cores_of_several_packages(tmp_path: Path) -> None:
    for core, (package, core_id) in enumerate([("0", "0"), ("0", "0"), ("1", "0"), ("1", "0")]):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/topology"
        write(folder, {"physical_package_id": package, "core_id": core_id})
    assert cpu_topology.logical_cores(tmp_path) == 4
    assert cpu_topology.physical_cores(tmp_path) == 2


def test_governors_that_differ_are_all_named(tmp_path: Path) -> None:
    for policy, name in (("policy0", "schedutil"), ("policy4", "performance"), ("policy6", "schedutil")):
        write(tmp_path / "sys/devices/system/cpu/cpufreq" / policy, {"scaling_governor": f"{name}\n"})
    assert cpu_topology.governor(tmp_path) == "performance, schedutil"


def test_limits_of_cores_that_differ_name_the_cores(tmp_path: Path) -> None:
    for policy, cores, limit in (
        ("policy0", "0 1 2 3", 1_800_000),
        ("policy4", "4 5", 2_400_000),
        ("policy7", "7", 1_800_000),
    ):
        files = {"affected_cpus": f"{cores}\n", "scaling_max_freq": f"{limit}\n"}
        write(tmp_path / "sys/devices/system/cpu/cpufreq" / policy, files)
    assert cpu_topology.clock_limits_hertz(tmp_path) == {"cpu 0-3,7": 1.8e9, "cpu 4-5": 2.4e9}
    assert cpu_topology.clock_limits_hertz(tmp_path / "nowhere") == {}


def test_power_limits_that_are_lifted_are_no_limits(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    write(
        zone, {"name": "package-0\n", "constraint_0_name": "long_term\n", "constraint_0_power_limit_uw": "28000000\n"}
    )
    write(zone, {"constraint_1_name": "short_term\n", "constraint_1_power_limit_uw": "4095000000\n"})
    write(zone, {"constraint_2_name": "peak_power\n", "constraint_2_power_limit_uw": "0\n"})
    write(tmp_path / "sys/class/powercap/intel-rapl:0:0", {"name": "dram\n", "constraint_0_name": "long_term\n"})
    write(tmp_path / "sys/class/powercap/intel-rapl:0:0", {"constraint_0_power_limit_uw": "9000000\n"})
    assert gather_device_facts(tmp_path, "device-1", {}).power_limits_watts == {"package-0 long_term": 28.0}


def test_what_changes_while_a_device_runs_is_read_again_and_nothing_else(tmp_path: Path) -> None:
    policy = tmp_path / "sys/devices/system/cpu/cpufreq/policy0"
    write(policy, {"affected_cpus": "0", "scaling_governor": "powersave", "scaling_max_freq": "1400000"})
    write(tmp_path / "sys/firmware/acpi", {"platform_profile": "low-power"})
    write(tmp_path / "sys/class/power_supply/AC", {"type": "Mains", "online": "0"})
    write(tmp_path / "sys/class/power_supply/BAT0", {"type": "Battery", "status": "Discharging"})
    before = gather_device_facts(tmp_path, "device-1", {})
    assert refresh_device_facts(before, tmp_path) == before
    write(policy, {"scaling_governor": "performance", "scaling_max_freq": "4200000"})
    write(tmp_path / "sys/firmware/acpi", {"platform_profile": "performance"})
    write(tmp_path / "sys/class/power_supply/AC", {"online": "1"})
    write(tmp_path / "proc/sys/kernel", {"hostname": "renamed"})
    after = refresh_device_facts(before, tmp_path)
    assert after == replace(
        before,
        governor="performance",
        clock_limits_hertz={"cpu": 4.2e9},
        power_mode="performance",
        power_source="mains",
    )


def test_accelerators_are_described_again_when_their_driver_is_another(tmp_path: Path) -> None:
    gone = Accelerator(name="gpu0", product="RTX 3060", vendor="NVIDIA", driver_version="550.54.15")
    facts = replace(gather_device_facts(tmp_path, "device-1", {}), accelerators=(gone,))
    write(tmp_path / "sys/module/nvidia", {"version": "550.54.15\n"})
    assert refresh_device_facts(facts, tmp_path).accelerators == (gone,)
    write(tmp_path / "sys/module/nvidia", {"version": "570.86.10\n"})
    assert refresh_device_facts(facts, tmp_path).accelerators == ()  # a tree elsewhere has no driver to ask
