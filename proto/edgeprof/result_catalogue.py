"""Every figure of a finished run that Prometheus sees, once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResultMetric:
    """A figure of a finished run as Prometheus sees it: a gauge with the labels ``RESULT_LABELS``."""

    name: str
    help: str


# A run is no label: a newer run of the same work replaces an older one.
RESULT_LABELS = ("device", "engine", "engine_version", "model", "quantisation", "plan", "step", "variant")

_RESULT_METRICS = (
    ResultMetric("edgeprof_result_prefill_tokens_per_second", "Median rate at which prompts were processed"),
    ResultMetric("edgeprof_result_decode_tokens_per_second", "Median decode rate, the first token excluded"),
    ResultMetric("edgeprof_result_aggregate_decode_tokens_per_second", "Median rate of sequences decoded together"),
    ResultMetric("edgeprof_result_ttft_seconds", "Median time from a request's start to its first token"),
    ResultMetric("edgeprof_result_itl_seconds", "Median over repetitions of the mean gap between tokens"),
    ResultMetric("edgeprof_result_call_seconds", "Median time of a call that processes several rows"),
    ResultMetric("edgeprof_result_row_seconds", "Median time of such a call by its rows"),
    ResultMetric("edgeprof_result_e2e_latency_seconds", "Median time from a request's start to its last token"),
    ResultMetric("edgeprof_result_load_seconds", "Median time to load the model; step is empty"),
    ResultMetric("edgeprof_result_prefill_energy_joules_per_token", "Median energy of a prompt token"),
    ResultMetric("edgeprof_result_decode_energy_joules_per_token", "Median energy of a decoded token"),
    ResultMetric(
        "edgeprof_result_achieved_bandwidth_bytes_per_second",
        "Bytes that an ideal engine must read per token, times the decode rate",
    ),
    ResultMetric("edgeprof_result_mbu_ratio", "Achieved bandwidth by the measured read peak of the processor"),
    ResultMetric(
        "edgeprof_result_peak_resident_bytes",
        "Peak resident memory of the workload in the whole run, or of a variant's own processes; step is empty",
    ),
    ResultMetric(
        "edgeprof_result_headroom_ratio",
        "Share of the device's memory left at the peak of the whole run; step and variant are empty",
    ),
)

RESULT_METRICS: dict[str, ResultMetric] = {metric.name: metric for metric in _RESULT_METRICS}
