"""The package's whole life on a Debian with a real systemd: installed, run, stalled, upgraded, removed, purged."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.packaging.booted_tree import BootedTree, booted
from tests.packaging.packages import build
from tests.packaging.stopped_threads import all_but_the_main_thread_stopped

SPOOL, STORE = "var/lib/edgeprof/spool.db", "var/lib/edgeprof-collector/edgeprof.sqlite"
AGENT, COLLECTOR = "edgeprof-agent.service", "edgeprof-collector.service"
ENGINE = Path(__file__).parents[1] / "agent/engines/standalone_engine.py"
PLAN = """
name = "service"
repetitions = 1

[[steps]]
kind = "decode"
decode_tokens = 4

[gates]
wait_seconds = 0
"""


@pytest.mark.timeout(900)
@pytest.mark.prove(short=0, whole=1)
def test_the_package_lives_as_it_should(tmp_path: Path, proof_seed: int) -> None:
    package = build(tmp_path / "packages")
    with booted(tmp_path / "tree") as tree:
        shutil.copy(package, tree.root / "srv/edgeprof.deb")
        _install(tree)
        _connect(tree)
        _run_a_job(tree)
        _stall_the_sampler(tree)
        _stop_without_loss(tree)
        _upgrade(tree, package, tmp_path)
        _remove_and_purge(tree)
        _live_without_the_package(tree)


def _install(tree: BootedTree) -> None:
    tree.run("dpkg", "--install", "/srv/edgeprof.deb")
    assert tree.unit(AGENT, "ActiveState") == "active"
    assert tree.unit(AGENT, "Type") == "notify"
    assert tree.unit(AGENT, "UnitFileState") == "enabled"
    assert tree.unit(AGENT, "StatusText").startswith("not connected to the collector at 127.0.0.1:7743")
    assert tree.unit(COLLECTOR, "ActiveState") == "inactive", "it begins when its owner says so"
    assert tree.run("stat", "--format=%a %U:%G", "/etc/edgeprof/agent.toml") == "640 root:edgeprof\n"
    for unit in (AGENT, COLLECTOR):
        tree.run("systemd-analyze", "security", "--threshold=29", unit)


def _connect(tree: BootedTree) -> None:
    tree.run("systemctl", "enable", "--now", COLLECTOR)
    tree.until_status(AGENT, "connected to")
    tree.until_status(COLLECTOR, "1 devices are connected")


def _run_a_job(tree: BootedTree) -> None:
    """A model is written and an engine is run within the unit's walls."""
    shutil.copy(ENGINE, tree.root / "opt/engine")
    (tree.root / "opt/engine").chmod(0o755)
    (tree.root / "etc/edgeprof/agent.toml").write_text('[allowed]\nprograms = ["/opt/engine"]\n')
    tree.run("systemctl", "restart", AGENT)
    tree.until_status(COLLECTOR, "1 devices are connected")
    (tree.root / "srv/plan.toml").write_text(PLAN)
    work = ("--plan", "/srv/plan.toml", "--model", "synth:tiny@q8_0", "--engine", "/opt/engine")
    tree.run("edgeprof", "run", "all", *work, "--wait", "--collector", "http://127.0.0.1:7744")
    assert "decode rate" in tree.run("edgeprof", "show", "--collector", "http://127.0.0.1:7744")


def _stall_the_sampler(tree: BootedTree) -> None:
    """Its thread stops, the event loop goes on: the watchdog is fed no more, and systemd starts the agent again."""
    override = tree.root / f"etc/systemd/system/{AGENT}.d/watchdog.conf"
    override.parent.mkdir()
    override.write_text("[Service]\nWatchdogSec=6\nRestartSec=1\n")
    tree.run("systemctl", "daemon-reload")
    tree.run("systemctl", "restart", AGENT)
    tree.until_status(COLLECTOR, "1 devices are connected")
    before = tree.unit(AGENT, "MainPID")
    with all_but_the_main_thread_stopped(tree.host_pid(before)):
        tree.until(lambda: tree.unit(AGENT, "Result") == "watchdog", "the watchdog never acted")
    tree.until(lambda: tree.unit(AGENT, "MainPID") not in ("0", before), "the agent was not started again")
    journal = tree.journal(AGENT)
    assert "the sampler has been stuck for" in journal
    assert "Watchdog timeout (limit 6s)!" in journal
    assert tree.unit(AGENT, "NRestarts") == "1"
    tree.until_status(COLLECTOR, "1 devices are connected")
    override.unlink()
    tree.run("systemctl", "daemon-reload")


def _stop_without_loss(tree: BootedTree) -> None:
    """What the agent has when it is stopped with the collector away is delivered when both are back."""
    tree.run("systemctl", "restart", AGENT)
    tree.until_status(COLLECTOR, "1 devices are connected")
    tree.run("systemctl", "stop", COLLECTOR)
    tree.until(lambda: " 0 messages" not in tree.unit(AGENT, "StatusText"), "nothing was sampled meanwhile")
    tree.run("systemctl", "stop", AGENT)
    assert tree.unit(AGENT, "Result") == "success"
    epoch, newest = _spooled(tree)
    assert newest > _stored(tree, epoch), "nothing waits"
    tree.run("systemctl", "start", COLLECTOR)
    tree.run("systemctl", "start", AGENT)
    tree.until(lambda: _stored(tree, epoch) >= newest, "what was spooled never arrived")
    with closing(sqlite3.connect(tree.root / STORE)) as store:
        assert store.execute("SELECT cause FROM gaps").fetchall() == [], "nothing was lost"


def _spooled(tree: BootedTree) -> tuple[bytes, int]:
    """The epoch of a spool whose agent is stopped, and the last sequence in it."""
    with closing(sqlite3.connect(tree.root / SPOOL)) as spool:
        ((epoch, newest),) = spool.execute("SELECT epoch, MAX(position) - epoch_start FROM messages, state")
    return bytes(epoch), int(newest)


def _stored(tree: BootedTree, epoch: bytes) -> int:
    """The last sequence of an epoch that the collector has stored."""
    with closing(sqlite3.connect(tree.root / STORE)) as store:
        ((stored,),) = store.execute("SELECT stored_sequence FROM spools WHERE epoch = ?", (epoch,))
    return int(stored)


def _upgrade(tree: BootedTree, package: Path, scratch: Path) -> None:
    """A newer package with other defaults: its owner's configuration stays, what nobody touched is renewed."""
    newer = scratch / "newer"
    subprocess.run(["dpkg-deb", "--raw-extract", package, newer], check=True)
    control = newer / "DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 1:", 1))
    for name in ("agent", "collector"):
        config = newer / f"etc/edgeprof/{name}.toml"
        config.write_text(config.read_text() + "# newer\n")
    subprocess.run(["dpkg-deb", "-Znone", "--build", newer, tree.root / "srv/newer.deb"], check=True)
    before = tree.unit(AGENT, "MainPID"), tree.unit(COLLECTOR, "MainPID")
    tree.run("dpkg", "--force-confdef", "--force-confold", "--install", "/srv/newer.deb")
    assert tree.unit(AGENT, "MainPID") not in ("0", before[0])
    assert tree.unit(COLLECTOR, "MainPID") not in ("0", before[1])
    tree.until_status(COLLECTOR, "1 devices are connected")
    folder = tree.root / "etc/edgeprof"
    assert (folder / "agent.toml").read_text() == '[allowed]\nprograms = ["/opt/engine"]\n'
    assert (folder / "agent.toml.dpkg-dist").read_text().endswith("# newer\n")
    assert (folder / "collector.toml").read_text().endswith("# newer\n")


def _remove_and_purge(tree: BootedTree) -> None:
    tree.run("dpkg", "--remove", "edgeprof")
    assert tree.try_to_run("systemctl", "is-active", AGENT).stdout == "inactive\n"
    assert (tree.root / "etc/edgeprof/agent.toml").exists()
    assert (tree.root / SPOOL).exists()
    assert not (tree.root / "usr/lib/edgeprof").exists()
    shutil.rmtree(tree.root / f"etc/systemd/system/{AGENT}.d")  # the test's own

    tree.run("dpkg", "--purge", "edgeprof")
    left = tree.run("find", "/", "-xdev", "-name", "*edgeprof*", "-not", "-path", "/proc/*", "-not", "-path", "/sys/*")
    assert left.split() == ["/srv/edgeprof.deb"]
    assert tree.try_to_run("getent", "passwd", "edgeprof", "edgeprof-collector").stdout == ""


def _live_without_the_package(tree: BootedTree) -> None:
    """The same environment where somebody has put it by hand: the agent installs itself, and is gone again."""
    tree.run("dpkg-deb", "--extract", "/srv/edgeprof.deb", "/srv/unpacked")
    shutil.move(tree.root / "srv/unpacked/usr/lib/edgeprof", tree.root / "opt/profiler")
    shutil.rmtree(tree.root / "srv/unpacked")
    command = tree.root / "opt/profiler/bin/edgeprof-agent"
    command.write_text(command.read_text().replace("/usr/lib/edgeprof/", "/opt/profiler/"))

    assert "The service is installed and started.\n" in tree.run("/opt/profiler/bin/edgeprof-agent", "install-service")
    assert tree.unit(AGENT, "ActiveState") == "active"
    assert "/opt/profiler/bin/edgeprof-agent" in tree.unit(AGENT, "ExecStart")
    assert (tree.root / SPOOL).exists()

    tree.run("/opt/profiler/bin/edgeprof-agent", "uninstall-service")
    assert tree.try_to_run("systemctl", "is-active", AGENT).stdout == "inactive\n"
    left = tree.run("find", "/etc", "/var", "/usr", "/run", "-xdev", "-name", "*edgeprof*")
    assert left == ""
    assert tree.try_to_run("getent", "passwd", "edgeprof").stdout == ""
