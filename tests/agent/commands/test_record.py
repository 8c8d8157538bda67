import json
import tarfile
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.telemetry import Reading
from edgeprof_agent.commands.record import record
from edgeprof_agent.recording.golden import exposition
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.registry import discover_sensors
from tests.agent.sensors.apple import stand_in_library
from tests.agent.sensors.devices import NAMES, Device, close

PLANTED = {
    "proc/sys/kernel/hostname": "blue-heron\n",
    "etc/machine-id": "b08dfa6083e7567a1921a715000001fb\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nmaurice:x:1000:1000::/home/maurice:/bin/sh\n",
    "sys/class/dmi/id/product_serial": "PF3XK0Q1\n",
    "sys/class/dmi/id/product_name": "NUC of maurice PF3XK0Q1\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Cortex\nSerial\t\t: 10000000abcdef01\n",
    "proc/net/dev": "heading\nheading\nenxdeadbeef0001: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n",
    "sys/class/power_supply/hid-de:ad:be:ef:00:02-battery/type": "Battery\n",
    "sys/class/net/eth0/address": "de:ad:be:ef:00:03\n",
    "sys/class/thermal/thermal_zone0/type": "blue-heron deadbeef0003\n",
    "sys/class/thermal/thermal_zone0/temp": "42000\n",
    "etc/os-release": 'PRETTY_NAME="Blue OS 10.11.12.13 5a1bc0de-1234-5678-9abc-def012345678 fe80::dcad:beff:feef:1"\n',
}
SECRETS = (
    "blue-heron", "b08dfa6083e7567a1921a715000001fb", "maurice", "PF3XK0Q1", "10000000abcdef01", "deadbeef000",
    "de:ad:be:ef", "10.11.12.13", "5a1bc0de", "dcad:beff",
)  # fmt: skip


def plant(root: Path) -> None:
    for name, text in PLANTED.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def sample(root: Path) -> list[Reading]:
    sensors = discover_sensors(root)
    readings = [reading for sensor in sensors for reading in sensor.sample()]
    close(sensors)
    return readings


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_tree_gives_the_same_readings(name: str, tmp_path: Path) -> None:
    device = Device(name, tmp_path)
    recorded = record(tmp_path / "recording", device.root, gap_seconds=0)
    assert recorded.problems == {}
    tree = tmp_path / "recording/tree"
    if (tree / stand_in_library.STATE).exists():  # a Mac: its channels come from libraries, which play the recording
        stand_in_library.install(tree)
    else:
        assert recorded.not_in_tree == ()
        assert recorded.channels
    for process in device.root.glob("proc/[0-9]*/stat"):  # nobody's process is recorded; the workload's could be none
        assert not (tree / process.relative_to(device.root)).exists()
    assert sample(tree) == sample(device.root)
    facts = gather_device_facts(tree, "device-1", {})
    assert facts.hostname == "host-1"
    assert facts.board == gather_device_facts(device.root, "device-1", {}).board


def test_a_recording_of_this_machine_is_a_device_tree(tmp_path: Path) -> None:
    record(tmp_path / "recording", Path("/"), gap_seconds=0.2)
    folder = tmp_path / "recording"
    live = {line.rpartition(" ")[0] for line in (folder / "live.txt").read_text().splitlines()}
    golden = {line.rpartition(" ")[0] for line in (folder / "exposition.txt").read_text().splitlines()}
    description = json.loads((folder / "recording.json").read_text())
    assert golden
    assert len(live - golden) == len(description["not_in_tree"])
    assert not [line for line in description["not_in_tree"] if "of /proc/" in line]
    readings = sample(folder / "tree")
    assert {line.rpartition(" ")[0] for line in exposition(readings).splitlines()} <= golden
    assert json.loads((folder / "facts.json").read_text())["hostname"] == "host-1"
    assert list((folder / "later").rglob("stat"))


def test_no_secret_is_in_the_recording(tmp_path: Path) -> None:
    device = tmp_path / "device"
    plant(device)
    recorded = record(tmp_path / "recording", device, gap_seconds=0)
    everything = b"\n".join(
        str(path.relative_to(tmp_path)).encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
        for path in sorted((tmp_path / "recording").rglob("*"))
    ).decode()
    assert not [secret for secret in SECRETS if secret.lower() in everything.lower()]
    assert 'interface="enx02000000000' in everything
    assert recorded.masked["host"] == 1
    assert recorded.masked["mac"] == 3
    assert list((tmp_path / "recording/tree/sys/class/power_supply").glob("hid-02:00:00:00:00:0?-battery/type"))


def test_an_archive_names_its_device_and_no_user(tmp_path: Path) -> None:
    device = tmp_path / "device"
    plant(device)
    record(tmp_path / "recording.tar.gz", device, gap_seconds=0)
    with tarfile.open(tmp_path / "recording.tar.gz") as archive:
        members = archive.getmembers()
    (name,) = {member.name.partition("/")[0] for member in members}
    assert name.startswith("nuc-of-user-1-serial-")
    assert name.endswith("__recorded")
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "recording.tar.gz"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    with pytest.raises(EdgeprofError, match="exists already"):
        record(tmp_path / "recording", tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeprofError, match="cannot be written: No such file or directory"):
        record(tmp_path / "missing/recording", tmp_path)


def test_a_file_that_never_answers_costs_its_family_only(tmp_path: Path) -> None:
    device = tmp_path / "device"
    plant(device)
    (device / "sys/class/thermal/thermal_zone0/temp").unlink()
    (device / "sys/class/thermal/thermal_zone0/temp").mkdir()
    recorded = record(tmp_path / "recording", device, gap_seconds=0)
    assert recorded.channels == 2
