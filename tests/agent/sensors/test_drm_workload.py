from pathlib import Path

from edgeprof_agent.sensors import drm_workload
from tests.agent.sensors.devices import close

SLOT = "0000:03:00.0"


def device(root: Path) -> None:
    folder = root / "sys/class/drm/card0/device"
    folder.mkdir(parents=True)
    (folder / "uevent").write_text(f"DRIVER=xe\nPCI_ID=8086:E20B\nPCI_SLOT_NAME={SLOT}\n")
    (root / "proc").mkdir()
    (root / "proc/stat").write_text("cpu  0 0 0 0\n")


def process(root: Path, pid: int, parent: int) -> Path:
    folder = root / f"proc/{pid}"
    (folder / "fd").mkdir(parents=True)
    (folder / "fdinfo").mkdir()
    (folder / "stat").write_text(f"{pid} (engine) R {parent} " + "0 " * 40)
    return folder


def descriptor(folder: Path, number: int, target: str, **values: str) -> None:
    (folder / f"fd/{number}").symlink_to(target)
    lines = [f"drm-{name.replace('_', '-')}:\t{value}\n" for name, value in values.items()]
    (folder / f"fdinfo/{number}").write_text("".join(lines))


def test_users_of_descendants_are_added_up_once_each(tmp_path: Path) -> None:
    device(tmp_path)
    parent, child = process(tmp_path, 10, 1), process(tmp_path, 11, 10)
    user = {"pdev": SLOT, "total_vram0": "4 MiB", "cycles_ccs": "10", "total_cycles_ccs": "100"}
    descriptor(parent, 3, "/dev/dri/renderD128", client_id="1", **user)
    descriptor(parent, 4, "/dev/dri/renderD128", client_id="1", **user)
    descriptor(child, 3, "/dev/dri/card0", client_id="2", **user)
    descriptor(child, 4, "/tmp/file", client_id="3", **user)
    descriptor(child, 5, "/dev/dri/renderD129", client_id="4", **{**user, "pdev": "0000:99:00.0"})
    descriptor(process(tmp_path, 12, 1), 3, "/dev/dri/renderD128", client_id="5", **user)
    now = [50.0]
    sensor = drm_workload.discover(tmp_path, lambda: now[0])
    assert sensor is not None
    assert not sensor.sample()
    sensor.follow(10)
    assert [(channel.metric, value) for channel, value in sensor.sample()] == [
        ("edgeprof_workload_gpu_memory_bytes", 8 * 2**20),
        ("edgeprof_workload_gpu_engine_seconds_total", 0.0),
    ]
    now[0] += 2
    later = (child / "fdinfo/3").read_text().replace("\t100\n", "\t120\n").replace("ccs:\t10\n", "ccs:\t20\n")
    (child / "fdinfo/3").write_text(later)
    assert sensor.sample()[-1].value == 1.0
    sensor.follow(None)
    assert not sensor.sample()
    close((sensor,))


def test_a_process_that_ended_or_is_not_ours_gives_nothing(tmp_path: Path) -> None:
    device(tmp_path)
    folder = process(tmp_path, 10, 1)
    (folder / "fd").rmdir()
    sensor = drm_workload.discover(tmp_path)
    assert sensor is not None
    sensor.follow(10)
    assert not sensor.sample()
    close((sensor,))


def test_a_device_without_cards_has_no_such_sensor(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("")
    assert drm_workload.discover(tmp_path) is None
