"""Prometheus and VictoriaMetrics, each in a process of its own, and what is read back from them."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 60.0

_PROMETHEUS_CONFIG = """
storage:
  tsdb:
    out_of_order_time_window: 1h
"""

Samples = list[tuple[int, float]]


@dataclass(frozen=True)
class Database:
    """A running database that takes remote writes and answers queries as Prometheus does."""

    url: str
    flush_path: str = ""

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def query(self, expression: str) -> list[dict[str, Any]]:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            if self.flush_path:
                http.get(self.flush_path).raise_for_status()
            answer = http.get("/api/v1/query", params={"query": expression, "time": f"{time.time() + 1:.3f}"})
            answer.raise_for_status()
            found: list[dict[str, Any]] = answer.json()["data"]["result"]
            return found

    def samples(self, selector: str, window: str = "50m") -> dict[tuple[tuple[str, str], ...], Samples]:
        """The stored samples of each series, by its labels: times in milliseconds, and values."""
        return {
            _labels(series): [(round(float(at) * 1000), float(value)) for at, value in series["values"]]
            for series in self.query(f"{selector}[{window}]")
        }

    def count(self, selector: str) -> int:
        """How many samples the series have together, each repetition counted."""
        return sum(int(str(series["value"][1])) for series in self.query(f"count_over_time({selector}[50m])"))

    def wait_for_count(self, selector: str, count: int) -> None:
        """Wait until the series have at least so many samples."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.count(selector)) < count:
            assert time.monotonic() < deadline, f"{found} samples of {selector}, not {count}"
            time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def prometheus(folder: Path, port: int = 0, *, config: str = "") -> Iterator[Database]:
    """Prometheus, which takes samples of the last hour in any order, and has ``config`` besides."""
    folder.mkdir(exist_ok=True)
    config_file = folder / "prometheus.yml"
    config_file.write_text(_PROMETHEUS_CONFIG + config)
    port = port or free_port()
    command = [
        _program("prometheus"),
        f"--config.file={config_file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--log.level=error",
    ]
    with _running(command, f"http://127.0.0.1:{port}", "/-/ready"):
        yield Database(f"http://127.0.0.1:{port}")


@contextmanager
def victoria_metrics(folder: Path, port: int = 0) -> Iterator[Database]:
    """VictoriaMetrics, told that two samples of one millisecond are one."""
    port = port or free_port()
    command = [
        _program("victoria-metrics"),
        f"-storageDataPath={folder}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-dedup.minScrapeInterval=1ms",
        "-search.latencyOffset=0s",
        "-memory.allowedBytes=64MB",
        "-loggerLevel=ERROR",
    ]
    with _running(command, f"http://127.0.0.1:{port}", "/health"):
        yield Database(f"http://127.0.0.1:{port}", "/internal/force_flush")


DATABASES = pytest.mark.parametrize("start", [prometheus, victoria_metrics], ids=["prometheus", "victoria-metrics"])


@contextmanager
def _running(command: Sequence[str], url: str, ready_path: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_ready(process, url + ready_path)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with httpx.Client(trust_env=False) as http:
        while time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()[1].decode()
            try:
                if http.get(url).is_success:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package {name})")
    return found


def _labels(series: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(series["metric"].items()))
