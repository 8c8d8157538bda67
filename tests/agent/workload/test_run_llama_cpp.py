"""A run with the real engine on a small model."""

import dataclasses

from edgeprof.plan import Variant
from edgeprof.run import ModelLoaded, Phase, Request, RunStarted, RunState

from .runs import Device, job, plan_of

ENGINE = "llama-cpp-python"


def test_llama_cpp_runs_a_plan_with_two_variants(device: Device) -> None:
    variants = tuple(Variant(name=f"{width} cache", options={"cache_type_k": width}) for width in ("f16", "q8_0"))
    plan = dataclasses.replace(plan_of(), variants=variants)
    finished = device.run(job(plan, "synth:tiny@q8_0", ENGINE))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    (started,) = device.all(RunStarted)
    assert (started.engine.name, started.model.name, started.model.synthetic) == (ENGINE, "synth:tiny@q8_0", True)
    assert [each.options["cache_type_k"] for each in started.engine.options] == ["f16", "q8_0"]
    f16, q8_0 = device.all(ModelLoaded)
    assert f16.kv_cache_bytes is not None
    assert q8_0.kv_cache_bytes is not None
    assert q8_0.kv_cache_bytes < f16.kv_cache_bytes
    assert f16.weights_bytes is not None
    assert finished.peak_resident_bytes is not None
    assert finished.peak_resident_bytes > f16.weights_bytes

    requests = {(request.step, request.index): request for request in device.all(Request)}
    assert len(requests) == 2 * 2 * (1 + 1 + 2)
    for (reference, index), request in requests.items():
        assert reference is not None
        step = plan.steps[reference.step]
        assert len(request.token_gaps_ns) == step.decode_tokens
        assert (request.prefill_end_monotonic_ns > 0) is (step.prompt_tokens > 0)
        assert request.reused_tokens == index * (step.prompt_tokens + step.decode_tokens)
        assert request.start_monotonic_ns < request.end_monotonic_ns
    assert all(phase.note != "cut short" for phase in device.all(Phase))


def test_an_option_that_llama_cpp_cannot_honour_ends_the_run_before_a_step(device: Device, model: str) -> None:
    plan = dataclasses.replace(plan_of(), variants=(Variant(name="odd", options={"context": "16"}),))
    finished = device.run(job(plan, model, ENGINE))
    assert finished.state is RunState.FAILED
    assert finished.cause.startswith("the option 'context' is 16, but the plan needs ")
    assert device.all(Request) == []
