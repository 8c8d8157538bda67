"""A run with MLX on a small folder."""

import dataclasses

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Variant
from edgeprof.run import ModelLoaded, Request, RunStarted, RunState

from .runs import Device, job, plan_of


def test_mlx_runs_a_plan_with_two_variants(device: Device) -> None:
    variants = (Variant(name="float"), Variant(name="8 bits", options={"kv_bits": "8", "prefill_step": "16"}))
    plan = dataclasses.replace(plan_of(), variants=variants)
    finished = device.run(job(plan, "synth:tiny@hf-f16", "mlx"))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    (started,) = device.all(RunStarted)
    assert (started.engine.name, started.model.format, started.model.quantisation) == ("mlx", "safetensors", "F16")
    assert [each.options["kv_bits"] for each in started.engine.options] == ["none", "8"]
    assert [loaded.weights_bytes for loaded in device.all(ModelLoaded)] == [
        started.model.weight_bytes_read_per_token
    ] * 2
    for request in device.all(Request):
        assert request.step is not None
        step = plan.steps[request.step.step]
        assert len(request.token_gaps_ns) == step.decode_tokens
        assert request.reused_tokens == request.index * (step.prompt_tokens + step.decode_tokens)


@pytest.mark.parametrize(
    ("model", "engine", "cause"),
    [
        (
            "synth:tiny@q8_0",
            "mlx",
            "a GGUF file, and the engine mlx reads a Hugging Face folder: take the engine llama",
        ),
        (
            "synth:tiny@mlx-q4",
            "llama-cpp-python",
            "a Hugging Face folder, and the engine llama-cpp-python reads a GGUF",
        ),
    ],
)
def test_a_model_that_the_engine_cannot_read_is_refused_before_it_is_written(
    device: Device, model: str, engine: str, cause: str
) -> None:
    with pytest.raises(EdgeprofError) as refused:
        device.run(job(plan_of(), model, engine))
    assert str(refused.value).startswith(f"{model}: {cause}")
    assert not (device.environment.cache_folder / "models").exists()


def test_a_file_of_the_wrong_form_is_refused_too(device: Device, model: str) -> None:
    with pytest.raises(EdgeprofError, match="a GGUF file, and the engine mlx reads a Hugging Face folder"):
        device.run(job(plan_of(), model, "mlx"))
