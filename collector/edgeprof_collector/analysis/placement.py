"""Which processor ran a variant's model: by its options in force, and by the memory that it took on each GPU."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof.device import Accelerator
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import highest_during, series_of
from edgeprof_collector.analysis.thresholds import PLACED_WEIGHTS_RATIO

CPU = "cpu"
_LAYERS_OPTION, _DEVICE_OPTION = "gpu_layers", "device"
_WORKLOAD_MEMORY = ("edgeprof_workload_gpu_memory_bytes", "edgeprof_workload_gpu_host_memory_bytes")


@dataclass(frozen=True, slots=True)
class Placement:
    """The processor that ran a model: ``cpu`` or an accelerator's name; ``None`` where ``unknown`` says why not."""

    processor: str | None
    unknown: str = ""


def placement(record: RunRecord, series: Sequence[Series], variant: int) -> Placement:
    """Where a variant's model ran."""
    accelerators = record.started.device.accelerators
    options = options_in_force(record, variant)
    layers, device = options.get(_LAYERS_OPTION, ""), options.get(_DEVICE_OPTION, "").lower()
    if not accelerators or layers == "0" or device == CPU:
        return Placement(CPU)
    layer_count = record.started.model.layer_count
    if layers.isdecimal() and int(layers) <= layer_count:
        return Placement(None, f"only {layers} of the model's {layer_count} layers and its output ran on a GPU")
    used = _gpus_with_weights(record, series, variant)
    if used:
        return Placement(used[0]) if len(used) == 1 else Placement(None, f"the model is spread over {', '.join(used)}")
    return _by_elimination(accelerators, on_a_gpu=bool(layers or device))


def _by_elimination(accelerators: Sequence[Accelerator], *, on_a_gpu: bool) -> Placement:
    """The only GPU, or the only one with memory of its own, if the options say that a GPU ran the model."""
    names = [each.name for each in accelerators]
    if not on_a_gpu:
        return Placement(None, f"the engine does not tell whether the model ran on the CPU or on {' or '.join(names)}")
    for candidates in (names, [each.name for each in accelerators if not each.unified_memory]):
        if len(candidates) == 1:
            return Placement(candidates[0])
    return Placement(None, f"the engine does not tell on which of {', '.join(names)} the model ran")


def _gpus_with_weights(record: RunRecord, series: Sequence[Series], variant: int) -> list[str]:
    """GPUs on which the workload held a telling share of the weights while the variant was measured."""
    requests = [each for each in record.requests if each.step is not None and each.step.variant == variant]
    if not requests:
        return []
    start_ns = min(each.start_monotonic_ns for each in requests)
    end_ns = max(each.end_monotonic_ns for each in requests)
    held: dict[str, float] = {}
    for metric in _WORKLOAD_MEMORY:
        for each in series_of(series, metric):
            gpu = dict(each.channel.labels)["gpu"]
            held[gpu] = held.get(gpu, 0.0) + (highest_during(each, start_ns, end_ns) or 0.0)
    least_bytes = record.started.model.weight_bytes_read_per_token * PLACED_WEIGHTS_RATIO
    return sorted(gpu for gpu, count in held.items() if count and count >= least_bytes)
