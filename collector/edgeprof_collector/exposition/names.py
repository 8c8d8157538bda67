"""What a channel of a device is called in Prometheus, wherever it gets there by."""

from edgeprof.catalogue import METRICS
from edgeprof.v1.telemetry_pb2 import Channel

Labels = tuple[tuple[str, str], ...]


def series_labels(device_id: str, channel: Channel) -> Labels | None:
    """The labels of a channel's series; its name is the channel's metric.

    ``None`` if this version cannot expose it: a newer agent knows the metric, and this catalogue does not.
    """
    metric = METRICS.get(channel.metric)
    if metric is None or set(channel.labels) != set(metric.labels):
        return None
    return ("device", device_id), *sorted(channel.labels.items())
