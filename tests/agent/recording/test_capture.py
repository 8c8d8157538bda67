import os
from pathlib import Path, PurePosixPath

import pytest

from edgeprof_agent.recording.capture import Limits, capture, plan_capture, read_bounded
from edgeprof_agent.recording.touched_path import touched_path


def write(path: Path, text: str = "1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_whatever_is_looked_at_is_noted_however_it_is_read(tmp_path: Path) -> None:
    names = ("opened", "read", "by_number", "found", "asked_for", "resolved")
    for name in names:
        write(tmp_path / "sys" / name)
    write(tmp_path / "sys/never")
    touched: set[str] = set()
    root = touched_path(tmp_path, touched)
    with (root / "sys/opened").open() as file:
        file.read()
    (root / "sys/read").read_bytes()
    os.close(os.open(root / "sys/by_number", os.O_RDONLY))
    assert list(root.glob("sys/fou*"))
    assert (root / "sys/asked_for").exists()
    assert (root / "sys/resolved").resolve().name == "resolved"
    plan = plan_capture(tmp_path, touched)
    assert {path.name for path in plan.files} == set(names)
    assert root == tmp_path


def test_links_of_sysfs_are_kept_and_lead_to_where_they_led(tmp_path: Path) -> None:
    write(tmp_path / "sys/devices/platform/chip.0/hwmon/hwmon0/name")
    (tmp_path / "sys/class/hwmon").mkdir(parents=True)
    (tmp_path / "sys/class/hwmon/hwmon0").symlink_to("../../devices/platform/chip.0/hwmon/hwmon0")
    plan = plan_capture(tmp_path, [str(tmp_path / "sys/class/hwmon/hwmon0/name")])
    assert plan.files == {PurePosixPath("sys/devices/platform/chip.0/hwmon/hwmon0/name")}
    assert plan.links == {PurePosixPath("sys/class/hwmon/hwmon0"): "../../devices/platform/chip.0/hwmon/hwmon0"}


def test_links_out_of_the_tree_and_in_circles_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys/out").symlink_to("../../../secret")
    (tmp_path / "sys/absolute").symlink_to("/etc/passwd")
    (tmp_path / "sys/circle").symlink_to("circle")
    plan = plan_capture(tmp_path, [str(tmp_path / "sys" / name) for name in ("out", "absolute", "circle")])
    assert not plan.files
    assert not plan.links


def test_processes_are_left_out(tmp_path: Path) -> None:
    paths = [write(tmp_path / "proc" / name / "stat") for name in ("4242", "self", "net")]
    plan = plan_capture(tmp_path, map(str, paths))
    assert plan.files == {PurePosixPath("proc/net/stat")}


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    write(tmp_path / "large", "x" * 101)
    write(tmp_path / "small", "x" * 100)
    files = [PurePosixPath(name) for name in ("fifo", "large", "missing", "small")]
    found = capture(tmp_path, files, Limits(file_bytes=100))
    assert {path.name: reason for path, reason in found.refused.items()} == {
        "fifo": "not a regular file",
        "large": "larger than 100 bytes",
        "missing": "No such file or directory",
    }
    assert found.contents == {PurePosixPath("small"): b"x" * 100}


def test_a_recording_is_bounded_in_all(tmp_path: Path) -> None:
    files = [PurePosixPath(write(tmp_path / name, "x" * 60).name) for name in ("a", "b")]
    found = capture(tmp_path, files, Limits(total_bytes=100))
    assert [path.name for path in found.contents] == ["a"]
    assert list(capture(tmp_path, files, Limits(total_seconds=-1)).refused) == files


def test_a_folder_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        read_bounded(tmp_path, 10)


def test_a_sleeping_device_is_not_woken(tmp_path: Path) -> None:
    device = "sys/devices/pci0000:00/0000:03:00.0"
    names = ("power/runtime_status", "vendor", "hwmon/hwmon3/name", "hwmon/hwmon3/temp1_input", "pp_dpm_sclk")
    files = [PurePosixPath(device, name) for name in names]
    for file in files:
        write(tmp_path / file, "suspended\n")
    asleep = capture(tmp_path, files, Limits())
    assert {file.name: reason for file, reason in asleep.refused.items()} == {
        "temp1_input": "its device is asleep",
        "pp_dpm_sclk": "its device is asleep",
    }
    write(tmp_path / device / "power/runtime_status", "active\n")
    assert not capture(tmp_path, files, Limits()).refused


def test_programs_that_sensors_run_are_left_out(tmp_path: Path) -> None:
    program = write(tmp_path / "usr/bin/tegrastats")
    program.chmod(0o755)
    assert not plan_capture(tmp_path, [str(program)]).files
