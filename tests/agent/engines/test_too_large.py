"""A model that memory has no room for is refused before its engine is told to load it, for every engine alike."""

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.plan import Limits, Plan, Step, StepKind
from edgeprof_agent.workload.preparation import Preparation, prepare
from tests.agent.engines.conformance import EACH_ENGINE, Subject, model_of, put_programs_on_the_path
from tests.agent.workload.runs import Device

ROOM_BYTES = 512 << 20
LARGE_BYTES = ROOM_BYTES + (16 << 20)


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_programs_on_the_path(tmp_path, monkeypatch)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def limits_that_leave(room_bytes: int) -> Limits:
    """Limits by which a run may take so many bytes of what is available now."""
    memory = psutil.virtual_memory()
    return Limits(memory_headroom_ratio=max(0.0, (memory.available - room_bytes) / memory.total))


def prepared(device: Device, subject: Subject, model: str) -> Preparation:
    plan = Plan(
        name="short",
        steps=(Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=8),),
        limits=limits_that_leave(ROOM_BYTES),
    )
    command = JobCommand(job_id="job-1", version=1, plan=plan, model=model, engine=subject.name)

    async def prepare_and_close() -> Preparation:
        preparation = await prepare(command, replace(device.environment, servers=subject.servers))
        for engine in preparation.engines.values():
            await engine.close()
        return preparation

    return asyncio.run(prepare_and_close())


def enlarged(model: Path, folder: Path) -> Path:
    """The same model with weights that go on, in a hole of the disk, beyond what a run may take."""
    if model.is_dir():
        large = Path(shutil.copytree(model, folder / model.name))
        weights = large / "model.safetensors"
    else:
        large = weights = Path(shutil.copy(model, folder))
    os.truncate(weights, LARGE_BYTES)
    return large


@EACH_ENGINE
def test_the_small_model_passes(subject: Subject, model_folder: Path, device: Device) -> None:
    model = model_of(subject, model_folder)
    assert prepared(device, subject, str(model)).model.path == str(model)


@EACH_ENGINE
def test_a_file_or_folder_that_is_too_large_is_refused_before_it_is_read(
    subject: Subject, model_folder: Path, tmp_path: Path, device: Device
) -> None:
    large = enlarged(model_of(subject, model_folder), tmp_path)
    with pytest.raises(EdgeprofError, match=r"needs 0\.[5-9] GiB of memory"):
        prepared(device, subject, str(large))
    assert not (device.environment.cache_folder / "fingerprints").exists()  # it was not read
    assert psutil.Process().children(recursive=True) == []


@EACH_ENGINE
def test_a_shape_that_is_too_large_is_refused_before_it_is_written(
    subject: Subject, model_folder: Path, device: Device
) -> None:
    quantisation = model_of(subject, model_folder).stem.partition("@")[2]
    with pytest.raises(EdgeprofError, match=r"synth:llama-3.1-8b@.* needs .* GiB of memory"):
        prepared(device, subject, f"synth:llama-3.1-8b@{quantisation}")
    assert not (device.environment.cache_folder / "models").exists()
    assert psutil.Process().children(recursive=True) == []
