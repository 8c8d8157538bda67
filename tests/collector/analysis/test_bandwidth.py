from dataclasses import replace

import pytest

from edgeprof.plan import Variant
from edgeprof.run import PeakBandwidth, PeakMethod, RunRecord
from edgeprof_collector.analysis.kv_cache import kv_bytes_per_token
from edgeprof_collector.analysis.steps import step_verdicts
from edgeprof_collector.analysis.verdict import FigureName, StepVerdict

from .sample_run import DEVICE, GPU, MODEL, OPTIONS, QUICK, Scenario, sample_record

OFFLOADED = Scenario(device=replace(DEVICE, accelerators=(GPU,)), options={**OPTIONS, "gpu_layers": "99"})
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


def on_gpu(record: RunRecord, *peaks: tuple[PeakMethod, float]) -> StepVerdict:
    known = [
        PeakBandwidth(run_id="r", processor="gpu0", method=method, bytes_per_second=rate, source="its clock")
        for method, rate in peaks
    ]
    return step_verdicts(replace(record, peaks=tuple(known)), (), ())[2]


def test_a_gpus_peak_is_the_measured_one_or_else_the_computed_or_the_specified() -> None:
    record = sample_record(
        Scenario(device=replace(DEVICE, accelerators=(GPU,)), options={**OPTIONS, "gpu_layers": "99"})
    )
    computed, specified = (PeakMethod.COMPUTED, 288e9), (PeakMethod.SPECIFIED, 300e9)
    achieved = median(on_gpu(record), FigureName.ACHIEVED_BANDWIDTH)
    for peaks, scope, peak in (
        ((specified,), "gpu0, of its specified peak", 300e9),
        ((specified, computed), "gpu0, of its computed peak", 288e9),
    ):
        mbu = on_gpu(record, *peaks).figure(FigureName.MBU)
        assert mbu is not None
        assert mbu.scope == scope
        assert mbu.median == pytest.approx(achieved / peak)
    measured = replace(record, ceilings=(*record.ceilings, replace(record.ceilings[0], processor="gpu0")))
    mbu = on_gpu(measured, computed).figure(FigureName.MBU)
    assert mbu is not None
    assert mbu.scope == "gpu0"
    assert mbu.median == pytest.approx(achieved / 28e9)


def test_weights_that_might_stay_in_a_gpus_cache_have_no_mbu() -> None:
    model = replace(MODEL, weight_bytes_read_per_token=200 * 2**20)
    scenario = Scenario(
        device=replace(DEVICE, accelerators=(GPU,)), options={**OPTIONS, "gpu_layers": "99"}, model=model
    )
    step = on_gpu(sample_record(scenario), (PeakMethod.COMPUTED, 288e9))
    assert reason(step, FigureName.MBU).endswith("which may have up to 256 MiB")


def test_all_experts_must_fit_the_cache_though_a_token_reads_few() -> None:
    experts = replace(MODEL, expert_count=64, expert_used_count=4, weight_bytes_read_per_token=6 * 2**20)
    assert deep_decode(Scenario(model=experts, decode_rate=24)).figure(FigureName.MBU) is not None
    dense = replace(MODEL, weight_bytes_read_per_token=6 * 2**20)
    assert "fit the last-level cache" in reason(deep_decode(Scenario(model=dense)), FigureName.MBU)


def test_the_kv_type_that_the_engine_used_counts_and_not_the_one_asked_for() -> None:
    asked = {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}
    plan = replace(QUICK, variants=(Variant(name="q8", options=asked),))
    record = sample_record(Scenario(plan=plan))
    assert kv_bytes_per_token(record, 0) == KV_ELEMENTS * 34 / 32
    told = replace(record.loaded[0], options={**OPTIONS, "cache_type_k": "f16", "cache_type_v": "f16"})
    assert kv_bytes_per_token(replace(record, loaded=(told,)), 0) == KV_ELEMENTS * 2
    silent = replace(record.loaded[0], options={"threads": "4"})
    assert kv_bytes_per_token(replace(record, loaded=(silent,)), 0) == KV_ELEMENTS * 34 / 32


def test_mbu_needs_a_ceiling() -> None:
    assert reason(deep_decode(Scenario(read_bytes_per_second=0)), FigureName.MBU) == (
        "the CPU's bandwidth was not measured, and no other peak of it is known"
    )


def test_an_unknown_kv_type_is_not_guessed() -> None:
    step = deep_decode(Scenario(options={"threads": "4"}))
    assert reason(step, FigureName.ACHIEVED_BANDWIDTH) == "the KV cache's type is not known"


def test_weights_that_nobody_described_are_not_guessed() -> None:
    step = deep_decode(Scenario(model=replace(MODEL, weight_bytes_read_per_token=0)))
    assert reason(step, FigureName.MBU) == "the model's weights are not described"


@pytest.mark.parametrize(
    ("options", "quantisation", "bytes_per_element"),
    [
        ({"kv_bits": "none", "kv_group_size": "64"}, "BF16", 2),
        ({"kv_bits": "none", "kv_group_size": "64"}, "F32", 4),
        ({"kv_bits": "8", "kv_group_size": "64"}, "4-bit", 1 + 4 / 64),
        ({"kv_bits": "4", "kv_group_size": "32"}, "4-bit", 0.5 + 4 / 32),
    ],
)
def test_a_cache_given_by_its_bits_counts_its_scales(
    options: dict[str, str], quantisation: str, bytes_per_element: float
) -> None:
    record = sample_record(Scenario(options=options, model=replace(MODEL, quantisation=quantisation)))
    assert kv_bytes_per_token(record, 0) == KV_ELEMENTS * bytes_per_element


def test_bits_that_nobody_knows_are_not_guessed() -> None:
    assert kv_bytes_per_token(sample_record(Scenario(options={"kv_bits": "8"})), 0) is None
