"""What held a device back, as kernel, drivers and firmware tell it themselves: by place, reason and time.

Of the reasons that a GPU gives for a lower clock, those count that hold it back against its owner's wish while it is
busy: power, heat and current. That it is idle, or set to a lower clock, is none.
"""

from collections.abc import Iterator, Sequence

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, mean_during, series_of
from edgeprof_collector.analysis.verdict import ThrottleReason, Throttling

_SECOND_NS = 1_000_000_000
_GPU_COUNTER = "edgeprof_gpu_throttled_seconds_total"
_TIMED = (_GPU_COUNTER, "edgeprof_gpu_throttled_ratio", "edgeprof_throttled_ratio")
_CPU_SECONDS, _CPU_EVENTS = "edgeprof_cpu_throttled_seconds_total", "edgeprof_cpu_throttle_events_total"
_CPU = (_CPU_SECONDS, _CPU_EVENTS)
# What holds a clock back, for people.
CAUSES = {
    ThrottleReason.POWER: "the power limit",
    ThrottleReason.THERMAL: "heat",
    ThrottleReason.CURRENT: "the current limit",
}
_REASONS = {reason.value: reason for reason in ThrottleReason}
_Key = tuple[str, ThrottleReason]


def throttling_during(series: Sequence[Series], start_ns: int, end_ns: int) -> tuple[Throttling, ...]:
    """What held back whom in a window; nothing for what was watched and held nothing back."""
    return (
        *_timed(series, start_ns, end_ns),
        *_counted_by_cpus(series, start_ns, end_ns),
        *_alarms(series, start_ns, end_ns),
    )


def throttle_sources(series: Sequence[Series]) -> tuple[str, ...]:
    """Places that tell when they are held back."""
    watched = {_place(each) for metric in _TIMED for each in series_of(series, metric)}
    watched |= {_package(each) for metric in _CPU for each in series_of(series, metric)}
    return tuple(sorted(watched))


def _timed(series: Sequence[Series], start_ns: int, end_ns: int) -> Iterator[Throttling]:
    """By limiters' counters and by gauges of what holds now. They overlap, so the longest of each reason counts."""
    found: dict[_Key, Throttling] = {}
    for metric in _TIMED:
        for each in series_of(series, metric):
            reason = _REASONS.get(dict(each.channel.labels)["reason"])
            seconds = _held_seconds(each, start_ns, end_ns)
            if reason is None or not seconds:
                continue
            key = (_place(each), reason)
            if key not in found or seconds > (found[key].seconds or 0.0):
                found[key] = Throttling(place=key[0], reason=reason, seconds=seconds, source=each.channel.source)
    yield from found.values()


def _held_seconds(series: Series, start_ns: int, end_ns: int) -> float | None:
    duration_seconds = (end_ns - start_ns) / _SECOND_NS
    if series.channel.metric == _GPU_COUNTER:
        increase = counter_increase(series, start_ns, end_ns)
        return None if increase is None else min(increase, duration_seconds)
    share = mean_during(series, start_ns, end_ns)
    return None if share is None else share * duration_seconds


def _counted_by_cpus(series: Sequence[Series], start_ns: int, end_ns: int) -> Iterator[Throttling]:
    """Heat, by the counters of Intel's packages. A stretch is added when it ends, so that it may be longer."""
    events = {each.channel.labels: each for each in series_of(series, _CPU_EVENTS)}
    times = {each.channel.labels: each for each in series_of(series, _CPU_SECONDS)}
    for labels in sorted(events | times):
        count = counter_increase(events[labels], start_ns, end_ns) if labels in events else None
        seconds = counter_increase(times[labels], start_ns, end_ns) if labels in times else None
        if count or seconds:
            counter = events.get(labels) or times[labels]
            yield Throttling(
                place=_package(counter),
                reason=ThrottleReason.THERMAL,
                seconds=seconds or None,
                event_count=None if count is None else max(round(count), 1),
                source=counter.channel.source,
            )


def _alarms(series: Sequence[Series], start_ns: int, end_ns: int) -> Iterator[Throttling]:
    """Over-current alarms, at which a Jetson's hardware divides its clocks."""
    for each in series_of(series, "edgeprof_overcurrent_events_total"):
        if count := counter_increase(each, start_ns, end_ns):
            yield Throttling(
                place=f"supply ({dict(each.channel.labels)['event']})",
                reason=ThrottleReason.CURRENT,
                event_count=max(round(count), 1),
                source=each.channel.source,
            )


def _place(series: Series) -> str:
    labels = dict(series.channel.labels)
    return labels.get("gpu") or labels["place"]


def _package(series: Series) -> str:
    labels = dict(series.channel.labels)
    package = f"CPU package {labels['package']}"
    return package if labels["scope"] == "package" else f"cores of {package}"
