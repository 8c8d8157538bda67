"""What the same samples cost Prometheus: its remote-write receiver, fed as a sharded sender feeds it."""

import http.client
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.process_clock import cpu_seconds

# The default of a sender since Prometheus 2.43: max_samples_per_send.
SAMPLES_PER_REQUEST = 2000
SERIES = 80
_PATIENCE_SECONDS = 30.0


def measure_prometheus(folder: Path, samples: int) -> str:
    """Send so many samples of 80 series to a Prometheus of this machine; say what that cost it, in one line."""
    if not shutil.which("prometheus"):
        return "Prometheus is not installed (packaging/system-packages.sh installs it): not compared"
    bodies = [snappy_block(body) for body in write_requests(samples)]
    with running_prometheus(folder) as (process, port):
        before, began = cpu_seconds(process), time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body in bodies:
            connection.request("POST", "/api/v1/write", body, _HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.client.NO_CONTENT:
                return f"Prometheus answered {answer.status}: not compared"
        seconds, cpu = time.perf_counter() - began, cpu_seconds(process) - before
    sent = len(bodies) * SAMPLES_PER_REQUEST
    return (
        f"Prometheus' remote-write receiver: {sent / cpu / 1e6:.2f} M samples/s of one core in requests of "
        f"{SAMPLES_PER_REQUEST} samples of {SERIES} series; {seconds:.1f} s on the clock for {cpu:.1f} s of CPU"
    )


_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


@contextmanager
def running_prometheus(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """A Prometheus of its own that scrapes nothing; its process and its port."""
    config = folder / "prometheus.yml"
    config.write_text("{}\n", encoding="ascii")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver",
            "--log.level=error",
        ]
    )
    try:
        _await_ready(port)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait()


def _await_ready(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == http.client.OK:
                return
        except ConnectionRefusedError:
            pass  # not listening yet
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise TimeoutError("Prometheus does not get ready")
        time.sleep(0.1)


def write_requests(samples: int) -> Iterator[bytes]:
    """Remote write 1.0's WriteRequest messages: 80 series whose samples are 100 ms apart, up to now."""
    labels = [_series_labels(number) for number in range(SERIES)]
    ticks = SAMPLES_PER_REQUEST // SERIES
    requests = samples // SAMPLES_PER_REQUEST
    first_ms = round(time.time() * 1000) - requests * ticks * 100
    for request in range(requests):
        series = []
        for number, described in enumerate(labels):
            points = b"".join(
                _field(2, _double(1, (request * 31 + number * 7 + tick) % 1000 / 1000) + _varint_field(2, at_ms))
                for tick in range(ticks)
                for at_ms in [first_ms + (request * ticks + tick) * 100]
            )
            series.append(_field(1, described + points))
        yield b"".join(series)


def _series_labels(number: int) -> bytes:
    pairs = (("__name__", "edgeprof_cpu_core_busy_ratio"), ("core", str(number)), ("device", "jetson-0001"))
    return b"".join(_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in pairs)


def snappy_block(content: bytes) -> bytes:
    """Snappy's block format with literals alone, which costs its reader the least.

    Source: https://github.com/google/snappy/blob/main/format_description.txt
    """
    parts = [_varint(len(content))]
    for start in range(0, len(content), 65536):
        literal = content[start : start + 65536]
        parts.append(bytes([61 << 2]) + (len(literal) - 1).to_bytes(2, "little") + literal)
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)
