"""What it costs a collector to send on what it stores: samples per second of its CPU time, into a real Prometheus.

    python -m benchmarks.remote_write [--devices 20] [--frames 100]

The store holds so many run frames of each device, 620 samples each, the last of now. A collector in a process of its
own, with nothing else to do, sends all of it to a Prometheus, which is then asked how many samples it has. Both
processes' CPU time is counted, all their threads together; starting is not.
"""

import argparse
import http.client
import json
import multiprocessing
import shutil
import sqlite3
import tempfile
import time
import urllib.parse
from pathlib import Path

import psutil

from benchmarks.intake import BOOT_ID, RUN_FRAMES, SimulatedDevice, run_collector
from benchmarks.process_clock import cpu_seconds
from benchmarks.prometheus_receiver import running_prometheus
from edgeprof.telemetry import Placement, channel_to_message
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.store.protocol import Arrival, Delivery, Greeting
from edgeprof_collector.store.sqlite import SqliteStore

_NAME = "prometheus"
_PATIENCE_SECONDS = 170.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--frames", type=int, default=100, help="of each device, one a second")
    arguments = parser.parse_args()
    if not shutil.which("prometheus"):
        print("Prometheus is not installed (packaging/system-packages.sh installs it): not measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), arguments.devices, arguments.frames))


def measure(folder: Path, devices: int, frames: int) -> str:
    """Fill a store and have it sent; return one line."""
    store = folder / "edgeprof.sqlite"
    fill(store, devices, frames)
    samples = devices * frames * RUN_FRAMES.samples
    with running_prometheus(folder) as (prometheus, port):
        destination = RemoteWrite(url=f"http://127.0.0.1:{port}/api/v1/write", name=_NAME, send_stored=True)
        config = CollectorConfig(grpc_port=0, http_port=0, store=str(store), remote_write=(destination,))
        ready_file = folder / "ready"
        process = multiprocessing.get_context("spawn").Process(target=run_collector, args=(config, ready_file))
        process.start()
        collector = psutil.Process(process.pid)
        try:
            while not ready_file.exists():
                time.sleep(0.01)
            began = time.perf_counter()
            before = cpu_seconds(collector), cpu_seconds(prometheus)
            wait_for_cursor(store, devices * frames)
            seconds = time.perf_counter() - began
            sending, receiving = cpu_seconds(collector) - before[0], cpu_seconds(prometheus) - before[1]
            resident = collector.memory_info().rss
        finally:
            process.terminate()
            process.join()
        arrived = count_samples(port)
    return (
        f"remote write of {devices} devices' run frames: {arrived} of {samples} samples arrived; "
        f"{samples / sending / 1e6:.2f} M samples/s of one core to send, {samples / receiving / 1e6:.2f} M of one for "
        f"Prometheus to receive; {samples / seconds / 1e6:.2f} M samples/s on the clock; {resident / 1e6:.0f} MB "
        "resident"
    )


def fill(path: Path, devices: int, frames: int) -> None:
    """Store frames of every device, one a second, up to now."""
    now_ns = time.time_ns()
    store = SqliteStore(path)
    for number in range(devices):
        device_id, device = f"device-{number:04}", SimulatedDevice(RUN_FRAMES)
        store.admit([Greeting(DeviceFacts(device_id=device_id), BOOT_ID, 0, 0, now_ns)])
        layouts = [
            Layout(layout=layout, channels=[channel_to_message(one) for one in channels])
            for channels, layout in device.layouts.items()
        ]
        arrivals = []
        for sequence in range(1, frames + 1):
            message, wall_ns = device.frame(sequence), now_ns - (frames - sequence + 1) * 10**9
            arrivals.append(Arrival(sequence, message.SerializeToString(), message, wall_ns, Placement.EXACT))
        store.commit([Delivery(device_id, BOOT_ID, layouts, arrivals, now_ns)])
    store.close()


def cursor(path: Path) -> int:
    """The last frame that the destination has had."""
    connection = sqlite3.connect(path)
    row = connection.execute("SELECT frame_id FROM destinations WHERE name = ?", (_NAME,)).fetchone()
    connection.close()
    return int(row[0]) if row else 0


def wait_for_cursor(path: Path, frame: int) -> None:
    """Wait until the destination has had a frame."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while cursor(path) < frame:
        if time.monotonic() > deadline:
            raise TimeoutError(f"frame {frame} is not sent")
        time.sleep(0.05)


def count_samples(port: int) -> int:
    """How many samples Prometheus has of all devices."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    # Metric by metric: without their names, series of two metrics would be the same.
    metrics = ("edgeprof_cpu_core_busy_ratio", "edgeprof_cpu_frequency_hertz")
    expression = " + ".join(f"sum(count_over_time({metric}[1h]))" for metric in metrics)
    query = urllib.parse.urlencode({"query": expression})
    connection.request("GET", f"/api/v1/query?{query}")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return int(answer["data"]["result"][0]["value"][1])


if __name__ == "__main__":
    main()
