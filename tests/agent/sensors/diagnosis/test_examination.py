import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeprof_agent.commands.doctor_text import report_text
from edgeprof_agent.sensors.diagnosis.examination import FamilyReport, examine
from edgeprof_agent.sensors.diagnosis.nvml import NVML, driver_problem
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State
from edgeprof_agent.sensors.diagnosis.registry import DIAGNOSES
from tests.agent.sensors.devices import NAMES, Device

NOBODY = 65534
INTEL = "vendor_id\t: GenuineIntel\nflags\t\t: fpu\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A root that everybody may look into, unlike pytest's own folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def obstacles(root: Path, family: str) -> tuple[Obstacle, ...]:
    (diagnosis,) = (found for found in DIAGNOSES if found.family == family)
    return tuple(diagnosis.obstacles(root))


def report(reports: tuple[FamilyReport, ...], family: str) -> FamilyReport:
    (found,) = (report for report in reports if report.family == family)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_of_every_family_is_measured_or_explained(name: str, tmp_path: Path) -> None:
    reports = examine(Device(name, tmp_path).root, gap_seconds=0)
    assert [found.family for found in reports] == [diagnosis.family for diagnosis in DIAGNOSES]
    for found, diagnosis in zip(reports, DIAGNOSES, strict=True):
        measured = {entry.metric for entry in found.measured}
        explained = {metric for obstacle in found.obstacles for metric in obstacle.metrics}
        assert measured | explained >= set(diagnosis.metrics)
        assert not measured & explained
        assert all(obstacle.remedies for obstacle in found.obstacles if obstacle.state is State.REFUSED)
    assert all(len(line) <= 80 for line in report_text(reports, colour=False).splitlines())


def test_this_machine_measures_its_own_processes() -> None:
    reports = examine(Path("/"), follow=os.getpid(), gap_seconds=0)
    assert "edgeprof_workload_resident_bytes" in {entry.metric for entry in report(reports, "workload").measured}


def test_energy_that_only_root_may_read_is_refused(open_root: Path) -> None:
    zone = "sys/class/powercap/intel-rapl:0"
    write(
        open_root, {f"{zone}/energy_uj": "5\n", f"{zone}/max_energy_range_uj": "262143328850\n", f"{zone}/name": "x\n"}
    )
    (open_root / zone / "energy_uj").chmod(0o000)
    with as_nobody():
        (found,) = report(examine(open_root, gap_seconds=0), "rapl").obstacles
    assert found.state is State.REFUSED
    assert found.source == f"/{zone}/energy_uj"
    assert any("systemd-tmpfiles" in remedy for remedy in found.remedies)
    text = report_text(examine_as_nobody(open_root), colour=False)
    assert "  refused   edgeprof_energy_joules_total\n" in text
    assert "    $ sudo systemd-tmpfiles --create /etc/tmpfiles.d/edgeprof.conf\n" in text
    assert "1 could be had with" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def examine_as_nobody(root: Path) -> tuple[FamilyReport, ...]:
    with as_nobody():
        return examine(root, gap_seconds=0)


def test_a_jetson_whose_debugfs_is_closed(open_root: Path) -> None:
    write(open_root, {"proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0"})
    write(open_root, {"sys/kernel/debug/bpmp/debug/clk/emc/rate": "204000000\n"})
    (open_root / "sys/kernel/debug").chmod(0o700)
    if os.geteuid() != 0:
        (open_root / "sys/kernel/debug").chmod(0o000)
    with as_nobody():
        *_, closed = obstacles(open_root, "jetson")
    assert closed.state is State.REFUSED
    assert any("remount,mode=0750" in remedy for remedy in closed.remedies)
    write(open_root, {"run/jtop.sock": ""})
    with as_nobody():
        *_, closed = obstacles(open_root, "jetson")
    assert "usermod -aG jtop" in closed.remedies[0]
    (open_root / "sys/kernel/debug").chmod(0o755)
    *_, still = obstacles(open_root, "jetson")
    assert still.state is State.ABSENT


@pytest.mark.parametrize(
    ("family", "files", "state", "words"),
    [
        ("rapl", {"proc/cpuinfo": INTEL}, State.REFUSED, "modprobe intel_rapl_msr"),
        ("rapl", {"proc/cpuinfo": INTEL.replace("fpu", "fpu hypervisor")}, State.ABSENT, "virtual machine"),
        ("rapl", {"proc/cpuinfo": "processor\t: 0\n"}, State.ABSENT, "only Intel and AMD"),
        ("rapl", {"sys/class/powercap/intel-rapl:0/name": "package-0\n"}, State.ABSENT, "give no value"),
        (
            "memory_traffic",
            {
                "sys/bus/event_source/devices/uncore_imc_0/type": "12\n",
                "proc/sys/kernel/perf_event_paranoid": "2\n",
            },
            State.REFUSED,
            "kernel.perf_event_paranoid=0",
        ),
        (
            "memory_traffic",
            {"proc/cpuinfo": INTEL.replace("fpu", "fpu cqm_mbm_total")},
            State.REFUSED,
            "mount -t resctrl",
        ),
        ("memory_traffic", {"proc/cpuinfo": INTEL}, State.ABSENT, "neither processor nor kernel"),
        (
            "pressure",
            {
                "proc/sys/kernel/osrelease": "6.8\n",
                "boot/config-6.8": "CONFIG_PSI=y\nCONFIG_PSI_DEFAULT_DISABLED=y\n",
                "boot/extlinux/extlinux.conf": "APPEND root=x\n",
            },
            State.REFUSED,
            "psi=1/' /boot/extlinux/extlinux.conf",
        ),
        (
            "pressure",
            {"proc/sys/kernel/osrelease": "6.8\n", "boot/config-6.8": "# CONFIG_PSI is not set\n"},
            State.ABSENT,
            "built without CONFIG_PSI",
        ),
        ("hwmon", {"proc/cpuinfo": INTEL}, State.REFUSED, "sensors-detect"),
        ("hwmon", {"proc/cpuinfo": "processor\t: 0\n"}, State.ABSENT, "no chip with a driver"),
        (
            "nvml",
            {
                "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
                "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
                "etc/os-release": 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
            },
            State.REFUSED,
            "ubuntu-drivers install",
        ),
        ("nvml", {"sys/bus/pci/devices/0000:01:00.0/vendor": "0x8086\n"}, State.ABSENT, "no NVIDIA GPU"),
        ("nvml", {"proc/driver/nvidia/version": "NVRM version\n"}, State.ABSENT, "does not tell"),
        ("cpu_throttle", {"proc/cpuinfo": "vendor_id\t: AuthenticAMD\n"}, State.ABSENT, "only Intel"),
        ("memory", {"proc/meminfo": "MemTotal: 1 kB\nSwapTotal: 0 kB\n"}, State.ABSENT, "no swap"),
        ("cpu", {}, State.ABSENT, "is /proc mounted"),
    ],
)
def test_reasons_and_remedies(family: str, files: dict[str, str], state: State, words: str, tmp_path: Path) -> None:
    write(tmp_path, files)
    found = obstacles(tmp_path, family)[0]
    assert found.state is state
    assert words in " ".join((found.reason, *found.remedies))
    assert all(len(line) <= 74 for remedy in found.remedies for line in remedy.split("\n"))


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("Driver/library version mismatch", "sudo reboot"),
        ("Insufficient Permissions", "usermod -aG video,render"),
        ("Driver Not Loaded", "sudo modprobe nvidia"),
    ],
)
def test_what_a_driver_answers(problem: str, remedy: str) -> None:
    found = driver_problem(problem)
    assert found.metrics == NVML
    assert found.reason == problem
    assert remedy in found.remedies[0]
