from dataclasses import replace

import pytest

from edgeprof_collector.analysis.steps import step_verdicts
from edgeprof_collector.analysis.verdict import FigureName, StepVerdict

from .sample_run import DEVICE, GPU, MODEL, OPTIONS, Scenario, sample_record

WEIGHTS, KV_ELEMENTS = MODEL.weight_bytes_read_per_token, MODEL.kv_elements_per_token


def deep_decode(scenario: Scenario) -> StepVerdict:
    """The step that decodes 48 tokens after 512."""
    return step_verdicts(sample_record(scenario), (), ())[2]


def median(step: StepVerdict, name: FigureName) -> float:
    figure = step.figure(name)
    assert figure is not None
    return figure.median


def reason(step: StepVerdict, name: FigureName) -> str:
    assert step.figure(name) is None
    [found] = [absent.reason for absent in step.absent if absent.name is name]
    return found


@pytest.mark.parametrize(
    ("key_type", "value_type", "bytes_per_element"),
    [("f16", "f16", 2), ("q8_0", "q8_0", 34 / 32), ("F16", "q4_0", (2 + 18 / 32) / 2)],
)
def test_bytes_per_token_are_weights_and_the_kv_cache_at_the_mean_depth(
    key_type: str, value_type: str, bytes_per_element: float
) -> None:
    scenario = Scenario(options={**OPTIONS, "cache_type_k": key_type, "cache_type_v": value_type})
    per_token = WEIGHTS + KV_ELEMENTS * bytes_per_element * (512 + 24)
    rate = scenario.decode_rate_at(512)
    step = deep_decode(scenario)
    assert median(step, FigureName.ACHIEVED_BANDWIDTH) == pytest.approx(per_token * rate, rel=1e-6)
    assert median(step, FigureName.MBU) == pytest.approx(per_token * rate / 28e9, rel=1e-6)


def test_mbu_is_not_defined_when_the_weights_fit_the_last_level_cache() -> None:
    step = deep_decode(Scenario(device=replace(DEVICE, last_level_cache_bytes=WEIGHTS)))
    assert "fit the last-level cache" in reason(step, FigureName.MBU)
    assert step.figure(FigureName.ACHIEVED_BANDWIDTH) is not None


def test_mbu_needs_the_bandwidth_of_the_processor_that_ran_the_model() -> None:
    device = replace(DEVICE, accelerators=(GPU,))
    offloaded = Scenario(device=device, options={**OPTIONS, "gpu_layers": "99"})
    assert "gpu0" in reason(deep_decode(offloaded), FigureName.MBU)
    on_cpu = Scenario(device=device, options={**OPTIONS, "gpu_layers": "0"})
    assert deep_decode(on_cpu).figure(FigureName.MBU) is not None


def test_mbu_needs_a_ceiling() -> None:
    assert (
        reason(deep_decode(Scenario(read_bytes_per_second=0)), FigureName.MBU) == "the CPU's bandwidth was not measured"
    )


def test_an_unknown_kv_type_is_not_guessed() -> None:
    step = deep_decode(Scenario(options={"threads": "4"}))
    assert reason(step, FigureName.ACHIEVED_BANDWIDTH) == "the KV cache's type is not known"


def test_weights_that_nobody_described_are_not_guessed() -> None:
    step = deep_decode(Scenario(model=replace(MODEL, weight_bytes_read_per_token=0)))
    assert reason(step, FigureName.MBU) == "the model's weights are not described"
