from dataclasses import replace

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof.device import Accelerator
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.placement import Placement, placement
from edgeprof_collector.analysis.series import Series

from .sample_run import DEVICE, GPU, MODEL, OPTIONS, Scenario, sample_record

APU = Accelerator(name="amd1", product="AMD Radeon Graphics", vendor="AMD", unified_memory=True)
SECOND_CARD = replace(GPU, name="gpu1")


def run_on(*accelerators: Accelerator, **options: str) -> RunRecord:
    """A run whose engine tells these options, and nothing else of where the model is."""
    told = {name: value for name, value in OPTIONS.items() if name != "gpu_layers"} | options
    return sample_record(Scenario(device=replace(DEVICE, accelerators=accelerators), options=told))


def held(record: RunRecord, gpu: str, count: float) -> Series:
    """Memory of the workload on a GPU, all the time."""
    times = np.array([record.requests[0].start_monotonic_ns, record.requests[-1].end_monotonic_ns], np.int64)
    key = channel("edgeprof_workload_gpu_memory_bytes", "/proc/PID/fdinfo", gpu=gpu)
    return Series(channel=key, times_monotonic_ns=times, values=np.full(2, count))


@pytest.mark.parametrize(
    ("record", "processor"),
    [
        (run_on(), "cpu"),
        (run_on(GPU, gpu_layers="0"), "cpu"),
        (run_on(GPU, device="cpu"), "cpu"),
        (run_on(GPU, gpu_layers="-1"), "gpu0"),
        (run_on(GPU, device="cuda"), "gpu0"),
        (run_on(GPU, gpu_layers=str(MODEL.layer_count + 1)), "gpu0"),
        (run_on(GPU, APU, gpu_layers="-1"), "gpu0"),
    ],
)
def test_options_tell_where_the_model_ran(record: RunRecord, processor: str) -> None:
    assert placement(record, (), 0) == Placement(processor)


@pytest.mark.parametrize(
    ("record", "unknown"),
    [
        (run_on(GPU), "the engine does not tell whether the model ran on the CPU or on gpu0"),
        (run_on(GPU, SECOND_CARD, gpu_layers="-1"), "the engine does not tell on which of gpu0, gpu1 the model ran"),
        (run_on(GPU, gpu_layers="9"), "only 9 of the model's 16 layers and its output ran on a GPU"),
    ],
)
def test_what_nobody_tells_is_not_guessed(record: RunRecord, unknown: str) -> None:
    assert placement(record, (), 0) == Placement(None, unknown)


def test_the_memory_of_the_workload_tells_which_gpu() -> None:
    record = run_on(GPU, SECOND_CARD, APU)
    memory = (held(record, "gpu1", 900e6), held(record, "amd1", 3e6))
    assert placement(record, memory, 0) == Placement("gpu1")


def test_a_model_on_two_gpus_is_on_none() -> None:
    record = run_on(GPU, SECOND_CARD, gpu_layers="-1")
    memory = (held(record, "gpu0", 500e6), held(record, "gpu1", 400e6))
    assert placement(record, memory, 0) == Placement(None, "the model is spread over gpu0, gpu1")
