from pathlib import Path

import psutil
import pytest

from edgeprof_agent.sensors import disk, network
from edgeprof_agent.sensors.disk import PsutilDisks
from edgeprof_agent.sensors.network import PsutilNetwork
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import close

HEADINGS = "Inter-|   Receive      |  Transmit\n face |bytes packets errs|bytes packets\n"


def counters(sensor: Sensor | None) -> dict[tuple[str, ...], float]:
    assert sensor is not None
    found = {
        (channel.metric.split("_")[2], *dict(channel.labels).values()): value for channel, value in sensor.sample()
    }
    close((sensor,))
    return found


def test_only_whole_disks_are_counted(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/diskstats").write_text(
        "   8       0 sda 10 0 100 5 20 0 300 9 0 8 14\n"  # 14 fields: kernels before 4.18
        "   8       1 sda1 10 0 99 5 20 0 299 9 0 8 14\n"
        " 253       0 dm-0 10 0 98 5 20 0 298 9 0 8 14 0 0 0 0 0 0\n"
    )
    for folder in ("sda/device", "dm-0/dm"):
        (tmp_path / "sys/block" / folder).mkdir(parents=True)
    assert counters(disk.discover(tmp_path)) == {("read", "sda"): 100 * 512, ("written", "sda"): 300 * 512}


def test_a_tree_without_disks_has_no_disk_sensor(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/diskstats").write_text("   1       0 ram0 0 0 0 0 0 0 0 0 0 0 0\n")
    assert disk.discover(tmp_path) is None


def test_psutil_disks() -> None:
    readings = PsutilDisks().sample()
    assert {dict(channel.labels)["disk"] for channel, _ in readings} == set(psutil.disk_io_counters(perdisk=True))
    assert all(value >= 0 for _, value in readings)


def test_loopback_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/dev").write_text(
        f"{HEADINGS}    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth0:1234 5 0 0 0 0 0 0 678 9 0 0 0 0 0 0\n"
    )
    assert counters(network.discover(tmp_path)) == {("received", "eth0"): 1234, ("transmitted", "eth0"): 678}


def test_an_alias_keeps_its_colon(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/dev").write_text(f"{HEADINGS}eth0:1: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n")
    assert counters(network.discover(tmp_path)) == {("received", "eth0:1"): 5, ("transmitted", "eth0:1"): 6}


def test_interfaces_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    net_dev = tmp_path / "proc/net/dev"
    net_dev.write_text(HEADINGS)
    sensor = network.discover(tmp_path)
    assert sensor is not None
    assert sensor.sample() == []
    net_dev.write_text(f"{HEADINGS} wlan0: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n")
    first = sensor.sample()
    assert [value for _, value in first] == [5, 6]
    assert sensor.sample()[0].channel is first[0].channel
    net_dev.write_text(HEADINGS)
    assert sensor.sample() == []
    close((sensor,))


def test_psutil_network() -> None:
    interfaces = {dict(channel.labels)["interface"] for channel, _ in PsutilNetwork().sample()}
    assert interfaces == set(psutil.net_io_counters(pernic=True)) - {"lo", "lo0"}


@pytest.mark.parametrize("family", [disk, network])
def test_a_tree_without_proc_has_neither(family: object, tmp_path: Path) -> None:
    assert family.discover(tmp_path) is None  # type: ignore[attr-defined]  # a module is no type
