"""AMD cards that wake and sleep, and what they show."""

import os
from pathlib import Path

import pytest

from edgeprof_agent.sensors import amdgpu, hwmon
from edgeprof_agent.sensors.sensor import FollowsProcess, Sensor, SensorLostError
from tests.agent.sensors.amdgpu_structs import table
from tests.agent.sensors.devices import close

SLOT = "0000:03:00.0"


class Card:
    """A card of AMD that a test changes while it is read."""

    def __init__(
        self, root: Path, number: int = 0, slot: str = SLOT, status: str = "active", driver: str = "amdgpu"
    ) -> None:
        self.device = root / "sys/devices/pci0000:00" / slot
        self.write("uevent", f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_ID=1002:744C\nPCI_SLOT_NAME={slot}\n")
        self.write("power/runtime_status", f"{status}\n")
        self.write("power/runtime_suspended_time", "100\n")
        (self.device / f"drm/card{number}").mkdir(parents=True)
        (self.device / f"drm/card{number}/device").symlink_to(self.device)
        (root / "sys/class/drm").mkdir(parents=True, exist_ok=True)
        (root / f"sys/class/drm/card{number}").symlink_to(self.device / f"drm/card{number}")

    def write(self, name: str, content: str | bytes) -> None:
        path = self.device / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def monitor(self, root: Path, **files: str) -> None:
        for name, text in {"name": "amdgpu", **files}.items():
            self.write(f"hwmon/hwmon3/{name}", f"{text}\n")
        (self.device / "hwmon/hwmon3/device").symlink_to(self.device)
        (root / "sys/class/hwmon").mkdir(parents=True)
        (root / "sys/class/hwmon/hwmon3").symlink_to(self.device / "hwmon/hwmon3")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def discover(root: Path, clock: Clock | None = None) -> dict[str, Sensor]:
    return {sensor.name: sensor for sensor in amdgpu.discover(root, clock or Clock())}


def values(sensor: Sensor) -> dict[str, float]:
    return {
        " ".join((channel.metric.removeprefix("edgeprof_"), *(label for _, label in channel.labels))): value
        for channel, value in sensor.sample()
    }


def open_files(card: Card) -> set[str]:
    """The files of the card that are open: those that were read, since sensors keep them so."""
    targets = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
    return {target for target in targets if target.startswith(str(card.device.resolve()))}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of the open files")
def test_a_card_that_sleeps_is_not_touched_and_a_card_that_woke_gives_counts_first(tmp_path: Path) -> None:
    card, clock = Card(tmp_path, status="suspended"), Clock()
    card.write("gpu_busy_percent", "99\n")
    card.write("mem_info_vram_used", "1048576\n")
    sensor = discover(tmp_path, clock)["amdgpu_amd0"]
    assert values(sensor) == {}
    assert {Path(path).name for path in open_files(card)} == {"runtime_status", "runtime_suspended_time"}
    card.write("power/runtime_status", "active\n")
    assert values(sensor) == {"gpu_memory_used_bytes amd0": 1048576}
    clock.now += 14.9
    assert values(sensor) == {"gpu_memory_used_bytes amd0": 1048576}
    clock.now += 0.2
    assert values(sensor) == {"gpu_busy_ratio amd0": 0.99, "gpu_memory_used_bytes amd0": 1048576}
    card.write("power/runtime_status", "suspending\n")
    assert values(sensor) == {}
    close((sensor,))


def test_a_sleep_between_two_looks_is_noticed(tmp_path: Path) -> None:
    card, clock = Card(tmp_path), Clock()
    card.write("gpu_busy_percent", "50\n")
    sensor = discover(tmp_path, clock)["amdgpu_amd0"]
    assert values(sensor) == {"gpu_busy_ratio amd0": 0.5}
    card.write("power/runtime_suspended_time", "5100\n")
    assert values(sensor) == {}
    clock.now += 16
    assert values(sensor) == {"gpu_busy_ratio amd0": 0.5}
    close((sensor,))


def test_a_card_that_may_sleep_is_left_to_it_between_looks_unless_a_workload_runs(tmp_path: Path) -> None:
    card, clock = Card(tmp_path), Clock()
    card.write("gpu_busy_percent", "0\n")
    card.write("mem_info_vram_used", "1048576\n")
    card.write("power/control", "auto\n")
    sensor = discover(tmp_path, clock)["amdgpu_amd0"]
    counts = {"gpu_memory_used_bytes amd0": 1048576}
    everything = {"gpu_busy_ratio amd0": 0.0, **counts}
    seen = []
    for seconds in (4, 2, 50, 4, 5):
        clock.now += seconds
        seen.append(values(sensor))
    assert seen == [everything, counts, counts, everything, counts]
    assert isinstance(sensor, FollowsProcess)
    sensor.follow(4242)
    assert values(sensor) == everything
    sensor.follow(None)
    assert values(sensor) == counts
    close((sensor,))


def test_cards_are_numbered_by_their_places_and_those_of_other_drivers_are_left_out(tmp_path: Path) -> None:
    for number, slot in enumerate(("0000:83:00.0", "0000:03:00.0")):
        Card(tmp_path, number, slot).write("gpu_busy_percent", f"{number}\n")
    Card(tmp_path, 2, "0000:01:00.0", driver="nouveau").write("gpu_busy_percent", "9\n")
    sensors = discover(tmp_path)
    assert {name: values(sensor) for name, sensor in sensors.items()} == {
        "amdgpu_amd0": {"gpu_busy_ratio amd0": 0.01},
        "amdgpu_amd1": {"gpu_busy_ratio amd1": 0.0},
    }
    assert len({getattr(sensor, "worker", "") for sensor in sensors.values()}) == 2
    close(tuple(sensors.values()))


def test_both_powers_of_a_card_and_the_socket_of_an_apu(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.monitor(tmp_path, power1_average="331000000", power1_input="340500000")
    sensor = discover(tmp_path)["amdgpu_amd0"]
    assert values(sensor) == {"gpu_power_watts amd0 average": 331.0, "gpu_power_watts amd0 instant": 340.5}
    close((sensor,))
    card.write("hwmon/hwmon3/in1_label", "vddnb\n")
    sensor = discover(tmp_path)["amdgpu_amd0"]
    assert values(sensor) == {"power_watts amd0 power1": 340.5}
    close((sensor,))
    assert hwmon.discover(tmp_path) is None


def test_the_table_gives_what_no_file_does(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.write("gpu_metrics", table((1, 4), memory_busy=61, energy=2**16))
    sensor = discover(tmp_path)["amdgpu_amd0"]
    assert values(sensor) == {"gpu_memory_busy_ratio amd0": 0.61, "gpu_energy_joules_total amd0": 1.0}
    close((sensor,))
    card.write("mem_busy_percent", "60\n")
    sensor = discover(tmp_path)["amdgpu_amd0"]
    assert values(sensor) == {"gpu_memory_busy_ratio amd0": 0.6, "gpu_energy_joules_total amd0": 1.0}
    close((sensor,))


def test_a_limiter_that_held_since_the_sample_before_is_a_reason(tmp_path: Path) -> None:
    card = Card(tmp_path)
    held = {"prochot": 5, "sustained": 7, "fast": 0, "slow": 0, "core": 0, "gfx": 9, "soc": 0}
    card.write("gpu_metrics", table((3, 0), dram_reads=1, **held))
    sensor = discover(tmp_path)["amdgpu_amd0"]
    assert "gpu_throttled_ratio amd0 power" in values(sensor)  # found since discovery looked once
    card.write("gpu_metrics", table((3, 0), dram_reads=1, **{**held, "gfx": 10}))
    found = values(sensor)
    assert (found["gpu_throttled_ratio amd0 power"], found["gpu_throttled_ratio amd0 thermal"]) == (0, 1)
    close((sensor,))


def test_values_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.monitor(tmp_path, temp1_input="255000", temp2_input="60000", power1_average="-1")
    for name, text in {
        "gpu_busy_percent": "101",
        "mem_busy_percent": "",
        "mem_info_vram_used": "-1",
        "mem_info_gtt_used": "12" + "\0" * 4000,
        "gpu_metrics": "no table",
        "pp_dpm_sclk": "\0" * 4096,
        "pcie_bw": "",
    }.items():
        card.write(name, text)
    sensors = discover(tmp_path)
    assert {name: values(sensor) for name, sensor in sensors.items()} == {
        "amdgpu_amd0": {"gpu_host_memory_used_bytes amd0": 12, "gpu_temperature_celsius amd0 temp2": 60.0}
    }
    close(tuple(sensors.values()))


def test_a_card_that_is_gone_is_an_error_and_one_without_values_is_no_sensor(tmp_path: Path) -> None:
    card = Card(tmp_path)
    assert discover(tmp_path) == {}
    card.write("gpu_busy_percent", "1\n")
    sensor = discover(tmp_path)["amdgpu_amd0"]
    card.write("gpu_busy_percent", "")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
