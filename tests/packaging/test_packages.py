"""What is in the packages, and what the tools that judge their parts say. Needs neither root nor a running systemd."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.packaging.packages import ROOT, build

AARCH64, X86_64 = 183, 62
MOST_EXPOSURE = "29"


@pytest.fixture(scope="module", params=[("amd64", "3.11", X86_64), ("arm64", "3.10", AARCH64)], ids=lambda one: one[0])
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, int]:
    """A package unpacked, with its control files in DEBIAN, and for whom it was built."""
    architecture, python, machine = request.param
    folder = tmp_path_factory.mktemp(architecture)
    package = build(folder, architecture, python)
    run("dpkg-deb", "--raw-extract", package, folder / "tree")
    return folder / "tree", architecture, python, machine


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_library_is_for_the_packages_machine(unpacked: tuple[Path, str, str, int]) -> None:
    tree, architecture, python, machine = unpacked
    libraries = [file for file in tree.rglob("*.so*") if file.is_file()]
    # The machine of an ELF file stands at byte 18.
    assert {int.from_bytes(file.read_bytes()[18:20], "little") for file in libraries} == {machine}
    assert [file.name for file in libraries if "cygrpc.cpython-" in file.name] == [
        f"cygrpc.cpython-{python.replace('.', '')}-{'x86_64' if machine == X86_64 else 'aarch64'}-linux-gnu.so"
    ]
    control = (tree / "DEBIAN/control").read_text()
    assert f"Architecture: {architecture}\n" in control
    assert f"Depends: python3 (>= {python}~), python3 (<< 3.{int(python[2:]) + 1}~), " in control


def test_what_belongs_to_the_system_is_where_it_belongs(unpacked: tuple[Path, str, str, int]) -> None:
    tree = unpacked[0]
    assert (tree / "DEBIAN/conffiles").read_text().split() == [
        "/etc/edgeprof/agent.toml",
        "/etc/edgeprof/collector.toml",
    ]
    assert (tree / "usr/lib/sysusers.d/edgeprof.conf").read_text().count("\nu edgeprof") == 2
    for command in ("edgeprof", "edgeprof-agent"):
        target = (tree / "usr/bin" / command).resolve()
        assert target == (tree / "usr/lib/edgeprof/bin" / command).resolve()
        assert target.read_text().startswith("#!/usr/lib/edgeprof/bin/python3\n")
    assert (tree / "usr/share/edgeprof/prometheus/edgeprof-alerts.yml").exists()
    assert (tree / "usr/share/edgeprof/grafana/edgeprof-fleet.json").exists()
    assert not [path for path in tree.rglob("*") if path.name == "__pycache__"]
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", tree / "DEBIAN" / script)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (systemd)")
@pytest.mark.parametrize("unit", ["edgeprof-agent.service", "edgeprof-collector.service"])
def test_systemd_finds_the_units_valid_and_little_exposed(
    unpacked: tuple[Path, str, str, int], unit: str, tmp_path: Path
) -> None:
    judged = tmp_path / unit
    text = (unpacked[0] / "usr/lib/systemd/system" / unit).read_text()
    assert "ExecStart=/usr/bin/edgeprof" in text
    judged.write_text(
        text.replace("ExecStart=/usr/bin/edgeprof-agent", "ExecStart=/bin/true").replace(
            "ExecStart=/usr/bin/edgeprof", "ExecStart=/bin/true"
        )
    )

    complaints = subprocess.run(["systemd-analyze", "verify", judged], capture_output=True, text=True, check=False)
    assert (complaints.returncode, complaints.stderr) == (0, "")
    run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", judged)


def test_the_wheel_holds_all_that_is_read_as_it_runs(unpacked: tuple[Path, str, str, int]) -> None:
    (wheel,) = unpacked[0].parent.glob("edgeprof-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    committed = run(
        "git", "-C", ROOT, "ls-files", "agent/edgeprof_agent", "collector/edgeprof_collector", "proto/edgeprof"
    )
    assert {path.split("/", 1)[1] for path in committed.split()} <= names


def test_a_mac_script_refuses_other_systems_and_a_wheel_that_is_not_there(tmp_path: Path) -> None:
    script = ROOT / "packaging/macos/install.sh"
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    done = subprocess.run([script, "x.whl"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "install.sh: this is for macOS; on Debian and Ubuntu install the package edgeprof_*.deb\n",
    )
    uname = tmp_path / "uname"
    uname.write_text('#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n')
    uname.chmod(0o755)
    done = subprocess.run(
        [script, "x.whl"], capture_output=True, text=True, check=False, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert (done.returncode, done.stderr) == (2, "install.sh: x.whl is not there: make packages builds it\n")
