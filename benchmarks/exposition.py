"""What a scrape of a fleet costs: CPU time of the page with gzip, and for how long the event loop is held.

    python -m benchmarks.exposition [--devices 10000] [--rounds 5]

Every device has 50 series with values of their own. Beside it, the Prometheus library's own exposition of a tenth of
the fleet, through a custom collector as its documentation recommends, with gzip of the same level; scaled up by ten.
"""

import argparse
import asyncio
import random
import statistics
import time
import zlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edgeprof.catalogue import METRICS, channel
from edgeprof.metric import Kind
from edgeprof.telemetry import Channel, channel_to_message, dequantise, encode_block
from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page

SERIES_PER_DEVICE = 50
CPU_BUDGET_SECONDS = 0.5
HOLD_BUDGET_SECONDS = 0.05
SCALE = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="scrapes; the median is printed")
    arguments = parser.parse_args()
    asyncio.run(compare(arguments.devices, arguments.rounds))


async def compare(devices: int, rounds: int) -> None:
    """Scrape in turn our page and the library's."""
    channels = device_channels()
    page = fleet_page(devices, channels)
    registry = library_registry(devices // SCALE, channels)
    ours, library, size = [], [], 0
    holds: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        size = sum([len(chunk) async for chunk in page.gzip()])
        ours.append(time.process_time() - began)
        holds += await loop_turns(page)
        began = time.process_time()
        zlib.compress(generate_latest(registry), 1)
        library.append((time.process_time() - began) * SCALE)
    cpu_seconds, library_seconds = statistics.median(ours), statistics.median(library)
    print(
        f"/metrics of {devices} devices x {SERIES_PER_DEVICE} series, {size / 1e6:.1f} MB gzip: "
        f"{cpu_seconds:.2f} s CPU, {cpu_seconds / CPU_BUDGET_SECONDS:.2f} of the budget of {CPU_BUDGET_SECONDS}; "
        f"loop held {max(holds) * 1e3:.0f} ms at most, budget {HOLD_BUDGET_SECONDS * 1e3:.0f}; "
        f"prometheus_client {library_seconds:.2f} s ({SCALE} x a {SCALE}th of the fleet), "
        f"{library_seconds / cpu_seconds:.1f} times as much"
    )


async def loop_turns(page: Page) -> list[float]:
    """CPU seconds of each turn of the event loop during a scrape."""
    turns: list[float] = []
    watch = asyncio.create_task(watch_loop(turns))
    async for _ in page.gzip():
        pass
    watch.cancel()
    return turns


def device_channels() -> list[Channel]:
    """Fifty channels: every metric of the catalogue once, and cores until it is fifty."""
    once = [channel(one.name, "sim", **dict.fromkeys(one.labels, "0")) for one in METRICS.values()]
    cores = range(1, SERIES_PER_DEVICE - len(once) + 1)
    return [*once, *(channel("edgeprof_cpu_core_busy_ratio", "sim", core=str(core)) for core in cores)]


def fleet_page(devices: int, channels: list[Channel]) -> Page:
    """The page of a fleet, each device with one frame."""
    chooser = random.Random(1)
    health = CollectorHealth()
    latest = LatestValues(health)
    layouts = {1: Layout(layout=1, channels=[channel_to_message(one) for one in channels])}
    for name in device_names(devices):
        steps = [[chooser.randrange(1, 1_000_000)] for _ in channels]
        latest.on_connected(name)
        latest.on_frame(name, layouts, Frame(end_monotonic_ns=1, blocks=[encode_block(1, 0, [1000], steps)]))
    return Page([latest], health)


def library_registry(devices: int, channels: list[Channel]) -> CollectorRegistry:
    """The same values for the Prometheus library."""
    chooser = random.Random(1)
    values = {
        name: [dequantise(chooser.randrange(1, 1_000_000), one.resolution) for one in channels]
        for name in device_names(devices)
    }

    class FleetCollector:
        def collect(self) -> Iterator[Metric]:
            families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
            for position, one in enumerate(channels):
                metric = METRICS[one.metric]
                kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
                family = families.setdefault(
                    metric.name, kind(metric.name, metric.help, labels=["device", *dict(one.labels)])
                )
                for name, row in values.items():
                    family.add_metric([name, *dict(one.labels).values()], row[position])
            yield from families.values()

    registry = CollectorRegistry()
    registry.register(FleetCollector())
    return registry


def device_names(count: int) -> Iterator[str]:
    """Names as long as a hostname."""
    return (f"device-{number:05}" for number in range(count))


async def watch_loop(turns: list[float]) -> None:
    """Note, turn after turn of the event loop, how much CPU time it spent before it came back here."""
    while True:
        began = time.thread_time()
        await asyncio.sleep(0)
        turns.append(time.thread_time() - began)


if __name__ == "__main__":
    main()
