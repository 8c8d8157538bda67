"""What the collector says of itself."""

from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

_COMMIT_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class CollectorHealth:
    """The collector's own counters. Whoever does the work counts it here."""

    def __init__(self) -> None:
        # The text format has no place for creation times: each would be a gauge beside its counter. The switch is
        # the library's and process-wide, but nothing else in this process has counters.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library forgot its return type
        self._registry = CollectorRegistry()
        self.connected_devices = Gauge(
            "edgeprof_collector_connected_devices", "Devices with an open stream", registry=self._registry
        )
        self.messages = Counter(
            "edgeprof_collector_messages", "Messages received from devices", registry=self._registry
        )
        self.frames = Counter("edgeprof_collector_frames", "Telemetry frames received", registry=self._registry)
        self.bad_frames = Counter(
            "edgeprof_collector_bad_frames", "Telemetry frames that cannot be read", registry=self._registry
        )
        self.gaps = Counter(
            "edgeprof_collector_gaps", "Stretches of messages that were lost on devices", registry=self._registry
        )
        self.refusals = Counter(
            "edgeprof_collector_refusals",
            "Hellos, certificates, identities, devices beyond the limit and layouts that were refused",
            ["thing"],
            registry=self._registry,
        )
        self.commit_seconds = Histogram(
            "edgeprof_collector_commit_seconds",
            "Time that the store took to commit a batch of messages",
            buckets=_COMMIT_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self.retired_frames = Counter(
            "edgeprof_collector_retired_frames", "Frames given up as too old or too many", registry=self._registry
        )
        self.retired_runs = Counter(
            "edgeprof_collector_retired_runs", "Runs given up as too old or too many", registry=self._registry
        )
        self.thinned_frames = Counter(
            "edgeprof_collector_thinned_frames",
            "Frames brought to one value a second, or 10 s, to save space",
            registry=self._registry,
        )
        self.retired_unsent_frames = Counter(
            "edgeprof_collector_retired_unsent_frames",
            "Frames given up or thinned before every destination of remote write had them",
            registry=self._registry,
        )
        self.certificate_expiry_seconds = Gauge(
            "edgeprof_collector_certificate_expiry_timestamp_seconds",
            "When a certificate of the collector ends, in seconds since 1970",
            ["certificate"],
            registry=self._registry,
        )
        self.device_certificate_expiry_seconds = Gauge(
            "edgeprof_device_certificate_expiry_timestamp_seconds",
            "When the certificate of an enrolled device ends, in seconds since 1970",
            ["device"],
            registry=self._registry,
        )
        self._add_remote_write()
        self._registry.register(_ProcessCollector(psutil.Process()))

    def _add_remote_write(self) -> None:
        """What the senders count, by the destination's name."""
        by = ["destination"]
        name = "edgeprof_collector_remote_write"
        self.remote_write_samples = Counter(
            f"{name}_samples", "Samples that a destination has taken", by, registry=self._registry
        )
        self.remote_write_failed_samples = Counter(
            f"{name}_failed_samples",
            "Samples that a destination refused, and were set aside",
            by,
            registry=self._registry,
        )
        self.remote_write_retries = Counter(
            f"{name}_retries", "Requests that were sent again", by, registry=self._registry
        )
        self.remote_write_unreadable_blocks = Counter(
            f"{name}_unreadable_blocks", "Blocks of stored frames that cannot be read", by, registry=self._registry
        )
        self.remote_write_lag_seconds = Gauge(
            f"{name}_lag_seconds", "Age of the oldest stored data not sent yet", by, registry=self._registry
        )

    def text(self) -> str:
        """Return the page of these metrics."""
        return generate_latest(self._registry).decode()


class _ProcessCollector:
    """CPU time and memory of this process under Prometheus' usual names, on every platform that psutil knows."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    def collect(self) -> Iterator[Metric]:
        cpu = self._process.cpu_times()
        yield CounterMetricFamily(
            "process_cpu_seconds", "User and system CPU time of the collector", value=cpu.user + cpu.system
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory of the collector", value=self._process.memory_info().rss
        )
