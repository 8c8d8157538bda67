"""The catalogue keeps Prometheus' rules for names, units and labels, and its own for resolutions."""

import re

import pytest

from edgeprof import catalogue, result_catalogue
from edgeprof.catalogue import METRICS, channel
from edgeprof.metric import Kind, Metric
from edgeprof.result_catalogue import RESULT_LABELS, RESULT_METRICS, ResultMetric
from edgeprof.telemetry import channel_to_message, check_layout
from edgeprof.v1.telemetry_pb2 import Layout

_BASE_UNITS = ("seconds", "bytes", "hertz", "celsius", "watts", "joules", "ratio")
_RATE_UNITS = (*_BASE_UNITS, "per_second", "joules_per_token")
_COUNTED = ("ticks", "messages", "events", "faults", "files")
_NAME = re.compile(r"edgeprof(_[a-z][a-z0-9]*|_e2e)+")
_LABEL = re.compile(r"[a-z][a-z_]*")
# Added by Prometheus or by the exposition itself.
_TAKEN_LABELS = {"device", "instance", "job", "le", "quantile"}

_EVERY_METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
_EVERY_RESULT = pytest.mark.parametrize("metric", RESULT_METRICS.values(), ids=RESULT_METRICS.keys())


def test_no_name_is_given_twice() -> None:
    names = [metric.name for metric in (*catalogue._METRICS, *result_catalogue._RESULT_METRICS)]

    assert len(names) == len(set(names))


@_EVERY_METRIC
def test_a_metric_has_a_good_name(metric: Metric) -> None:
    assert _NAME.fullmatch(metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.removesuffix("_total").endswith(
        (*_BASE_UNITS, *_COUNTED) if metric.kind is Kind.COUNTER else (*_BASE_UNITS, "bytes_per_second", "messages")
    )


@_EVERY_METRIC
def test_a_metric_has_good_labels(metric: Metric) -> None:
    assert all(_LABEL.fullmatch(label) for label in metric.labels)
    assert not set(metric.labels) & _TAKEN_LABELS
    assert len(metric.labels) == len(set(metric.labels))


@_EVERY_METRIC
def test_a_metric_has_a_help_of_one_line(metric: Metric) -> None:
    assert metric.help == metric.help.strip()
    assert metric.help
    assert "\n" not in metric.help


@_EVERY_METRIC
def test_values_of_a_metric_can_be_read_back(metric: Metric) -> None:
    labels = dict.fromkeys(metric.labels, "x")

    check_layout(Layout(layout=1, channels=[channel_to_message(channel(metric.name, "test", **labels))]))


@_EVERY_RESULT
def test_a_result_has_a_good_name_and_help(metric: ResultMetric) -> None:
    assert re.fullmatch(r"edgeprof_result(_[a-z0-9]+)+", metric.name)
    assert metric.name.endswith(_RATE_UNITS)
    assert metric.help
    assert "\n" not in metric.help


def test_result_labels_are_legal() -> None:
    assert all(_LABEL.fullmatch(label) for label in RESULT_LABELS)


def test_a_channel_has_the_resolution_of_its_metric_and_sorted_labels() -> None:
    made = channel("edgeprof_power_watts", "/sys/x", rail="cpu", chip="ina3221")

    assert made.labels == (("chip", "ina3221"), ("rail", "cpu"))
    assert made.resolution == METRICS["edgeprof_power_watts"].resolution


def test_a_channel_of_no_metric_is_refused() -> None:
    with pytest.raises(KeyError, match="edgeprof_wishes_total"):
        channel("edgeprof_wishes_total", "test")


@pytest.mark.parametrize("labels", [{}, {"chip": "a"}, {"chip": "a", "rail": "b", "phase": "c"}])
def test_a_channel_with_other_labels_is_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="has the labels"):
        channel("edgeprof_power_watts", "test", **labels)
