"""What comes before a run, where no model is named."""

import asyncio

import psutil
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Limits
from edgeprof.run import PhaseKind
from edgeprof_agent.ceilings.kept import keep_memory_bandwidth, kept_memory_bandwidth
from edgeprof_agent.ceilings.memory_bandwidth import MemoryBandwidth
from edgeprof_agent.workload.preparation import Preparation, prepare

from .runs import Device, job, plan_of

SLOW = MemoryBandwidth(
    read_kernel="memchr",
    read_threads=1,
    read_bytes_per_second=1e8,
    copy_kernel="memcpy",
    copy_threads=1,
    copy_bytes_per_second=1e8,
)


def prepared(device: Device, *variants: str, model: str = "") -> Preparation:
    async def prepare_and_close() -> Preparation:
        preparation = await prepare(job(plan_of(*variants), model), device.environment)
        for engine in preparation.engines.values():
            await engine.close()
        return preparation

    return asyncio.run(prepare_and_close())


def test_a_shape_is_chosen_by_the_bandwidth_that_was_kept(device: Device) -> None:
    environment = device.environment
    keep_memory_bandwidth(environment.cache_folder, environment.boot_id, environment.facts, SLOW)
    model = prepared(device).model
    assert model.name == "synth:smollm2-135m@q4_0"
    assert model.synthetic
    assert all(progress.phase is PhaseKind.PREPARE for progress in device.progress)


def test_without_one_it_is_measured_and_kept(device: Device) -> None:
    device.with_a_cache_of(1 << 20)
    no_room = Limits(memory_headroom_ratio=1.0)
    with pytest.raises(EdgeprofError, match="memory"):
        asyncio.run(prepare(job(plan_of(limits=no_room), ""), device.environment))
    environment = device.environment
    assert kept_memory_bandwidth(environment.cache_folder, environment.boot_id, environment.facts)


def test_variants_are_loaded_in_turn_where_not_all_fit(device: Device, model: str) -> None:
    assert prepared(device, "good", "good", model=model).side_by_side
    many = ["good"] * 2000
    assert not prepared(device, *many, model=model).side_by_side


def test_a_refused_model_leaves_no_engine_behind(device: Device) -> None:
    with pytest.raises(EdgeprofError):
        prepared(device, model="synth:nothing")
    assert psutil.Process().children() == []


def test_progress_of_writing_a_model_is_told_now_and_then(device: Device) -> None:
    prepared(device, model="synth:tiny-odd@q8_0")
    ratios = [progress.done_ratio for progress in device.progress]
    assert ratios == sorted(ratios)
    assert len(ratios) < 20
