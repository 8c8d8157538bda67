"""The service of systemd, by systemd's own tools, in a tree that nothing runs on."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.commands.service import install_service
from edgeprof_agent.service import systemd

COMMAND = Path("/opt/edgeprof/bin/edgeprof-agent")
# "Under 3.0", in tenths.
MOST_EXPOSURE = "29"
# What any system has.
ACCOUNTS = {"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd.lock"}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemctl") is None or shutil.which("systemd-sysusers") is None or os.geteuid() != 0,
    reason="needs root and systemd's tools (Debian's package systemd)",
)


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}


@needs_systemd
def test_the_service_is_written_enabled_and_has_a_user(tmp_path: Path) -> None:
    systemd.install(tmp_path, COMMAND)

    assert run("systemctl", f"--root={tmp_path}", "is-enabled", systemd.UNIT) == "enabled\n"
    unit = (tmp_path / "etc/systemd/system" / systemd.UNIT).read_text()
    assert f"ExecStart={COMMAND} run --config /{systemd.CONFIG} " in unit
    assert "edgeprof:x:" in (tmp_path / "etc/passwd").read_text()
    groups = (tmp_path / "etc/group").read_text().splitlines()
    assert {line.split(":")[0] for line in groups if line.endswith(":edgeprof")} == {"video", "render"}
    assert (tmp_path / systemd.CONFIG).stat().st_mode & 0o777 == 0o640


@needs_systemd
def test_installing_again_keeps_the_owners_configuration_and_takes_the_new_command(tmp_path: Path) -> None:
    systemd.install(tmp_path, COMMAND)
    (tmp_path / systemd.CONFIG).write_text('collector = "desk.lan:7743"\n')

    systemd.install(tmp_path, Path("/opt/edgeprof-2/bin/edgeprof-agent"))

    assert (tmp_path / systemd.CONFIG).read_text() == 'collector = "desk.lan:7743"\n'
    assert "ExecStart=/opt/edgeprof-2/" in (tmp_path / "etc/systemd/system" / systemd.UNIT).read_text()


@needs_systemd
@pytest.mark.parametrize("keep_data", [False, True])
def test_uninstalling_leaves_nothing_but_what_is_to_be_kept(tmp_path: Path, keep_data: bool) -> None:
    systemd.install(tmp_path, COMMAND)
    for folder in ("var/lib/edgeprof", "var/cache/edgeprof/models"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").touch()

    systemd.uninstall(tmp_path, keep_data=keep_data)

    kept = {systemd.CONFIG, "var/lib/edgeprof/file", "var/cache/edgeprof/models/file"}
    left = {path for path in everything(tmp_path) - ACCOUNTS if not path.endswith("-")}  # not the tools' own copies
    assert left == (kept if keep_data else set())
    assert ("edgeprof:" in (tmp_path / "etc/passwd").read_text()) == keep_data
    assert (tmp_path / "etc/edgeprof").exists() == keep_data


def test_what_a_package_has_installed_is_left_to_it(tmp_path: Path) -> None:
    unit = tmp_path / "usr/lib/systemd/system" / systemd.UNIT
    unit.parent.mkdir(parents=True)
    unit.touch()

    with pytest.raises(EdgeprofError, match="has installed this service: systemctl enable --now edgeprof-agent"):
        systemd.install(tmp_path, COMMAND)
    with pytest.raises(EdgeprofError, match="has installed this service: apt remove edgeprof"):
        systemd.uninstall(tmp_path, keep_data=False)
    assert everything(tmp_path) == {f"usr/lib/systemd/system/{systemd.UNIT}"}


def test_a_command_that_the_services_user_cannot_reach_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home/ada"
    home.mkdir(parents=True)
    home.chmod(0o700)

    with pytest.raises(EdgeprofError, match=r"user edgeprof may not enter /home/ada, .*: install it elsewhere"):
        systemd.install(tmp_path, Path("/home/ada/venv/bin/edgeprof-agent"))
    assert not (tmp_path / "etc").exists()


def test_what_is_not_installed_cannot_be_uninstalled(tmp_path: Path) -> None:
    with pytest.raises(EdgeprofError, match="no service was installed by install-service"):
        systemd.uninstall(tmp_path, keep_data=False)


def test_only_root_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EdgeprofError, match=r"only root can do this: sudo /.*edgeprof-agent install-service$"):
        install_service(tmp_path)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (systemd)")
def test_systemd_finds_the_unit_valid_and_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / systemd.UNIT
    unit.write_text(systemd.unit_text("/bin/true"))

    complaints = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (complaints.returncode, complaints.stderr) == (0, "")
    run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", unit)
