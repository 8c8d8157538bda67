"""The programs that edgeprof is measured beside, each sampling this machine once a second.

Their plug-ins are those for what edgeprof's agent reads when it is idle: cores, memory, swap and paging, pressure,
disks, network interfaces, clocks, temperatures, energy; "as it comes" is a program with the plug-ins that it has
switched on when it is installed.
"""

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeprof.errors import EdgeprofError

INSTALL = "packaging/benchmark-packages.sh installs it"

_COLLECTD_PLUGINS = ("cpu", "memory", "swap", "vmem", "disk", "interface", "cpufreq", "thermal")
_NODE_EXPORTER = "prometheus-node-exporter"
_NODE_OPTIONS = (
    "--collector.disable-defaults",
    *("--collector.cpu", "--collector.cpufreq", "--collector.diskstats", "--collector.hwmon", "--collector.meminfo"),
    *("--collector.netdev", "--collector.pressure", "--collector.rapl", "--collector.stat"),
    *("--collector.thermal_zone", "--collector.vmstat"),
)
_GLANCES_PLUGINS = "cpu,percpu,mem,memswap,diskio,network,sensors"

_PATH = "/usr/bin:/usr/sbin"  # where Debian puts them: not this project's own environment
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs. One with a ``metrics_port`` samples only when it is scraped there."""

    name: str
    pid: int
    metrics_port: int | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that may be installed. ``command`` starts it, given an empty folder and a free port.

    The folder's path has no blanks: collectd splits it at them.
    """

    name: str
    program: str
    command: Callable[[Path, int], list[str]]
    is_scraped: bool = False

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        """Start it, and end it afterwards.

        Raises:
            EdgeprofError: it ended while it was measured.
        """
        folder.mkdir()
        port = _free_port()
        environment = {"PATH": _PATH, "HOME": str(folder), "TMPDIR": str(folder)}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(self.command(folder, port), stdout=log, stderr=log, env=environment)
        try:
            if self.is_scraped:
                _await_listener(port, process)
            yield Running(self.name, process.pid, port if self.is_scraped else None)
            if process.poll() is not None:
                last_words = (folder / "log").read_text(encoding="utf-8", errors="replace")[-300:]
                raise EdgeprofError(f"{self.name} ended while it was measured: {last_words}")
        finally:
            process.terminate()
            process.wait()


def installed() -> tuple[list[Peer], list[str]]:
    """Return the peers that are installed here, and the names of those that are not."""
    there = [peer for peer in _PEERS if shutil.which(peer.program, path=_PATH)]
    return there, sorted({peer.program for peer in _PEERS if peer not in there})


def scrape(port: int) -> None:
    """Ask for the page as Prometheus does."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
        answer.read()


def _collectd(*plugins: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        """It sends its values by its own protocol to a port of loopback, where nobody reads them."""
        lines = [
            f'BaseDir "{folder}"',
            f'PIDFile "{folder}/pid"',
            'TypesDB "/usr/share/collectd/types.db"',
            'Hostname "benchmark"',
            "FQDNLookup false",
            "Interval 1",
            *(f"LoadPlugin {plugin}" for plugin in (*plugins, "network")),
            f'<Plugin network>\n  Server "127.0.0.1" "{port}"\n</Plugin>',
        ]
        (folder / "collectd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ["collectd", "-f", "-C", str(folder / "collectd.conf")]

    return command


def _node_exporter(*options: str) -> Callable[[Path, int], list[str]]:
    return lambda _, port: [_NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{port}", *options]


def _glances(*options: str) -> Callable[[Path, int], list[str]]:
    """Quiet, it reads everything each second and draws nothing."""
    return lambda *_: ["glances", "--quiet", "--time", "1", "--disable-check-update", *options]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_listener(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


_PEERS = (
    Peer("collectd", "collectd", _collectd(*_COLLECTD_PLUGINS)),
    Peer("collectd, processes too", "collectd", _collectd(*_COLLECTD_PLUGINS, "processes")),
    Peer("node_exporter", _NODE_EXPORTER, _node_exporter(*_NODE_OPTIONS), is_scraped=True),
    Peer("node_exporter as it comes", _NODE_EXPORTER, _node_exporter(), is_scraped=True),
    Peer("glances", "glances", _glances("--disable-plugin", "all", "--enable-plugin", _GLANCES_PLUGINS)),
    Peer("glances as it comes", "glances", _glances()),
)
