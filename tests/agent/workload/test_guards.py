import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Limits
from edgeprof_agent.models.outline import ModelOutline, outline_of
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.workload.guards import check_limits, loadable_bytes, refuse_what_does_not_fit
from edgeprof_agent.workload.limit_reached import LimitReachedError

from .runs import plan_of

GIB = 1 << 30
LIMITS = Limits(time_seconds=60.0, temperature_celsius=90.0, memory_headroom_ratio=0.1)


def test_what_must_stay_free_is_a_share_of_all_memory() -> None:
    assert loadable_bytes(Limits(memory_headroom_ratio=0.25), 6 * GIB, 8 * GIB) == 4 * GIB
    assert loadable_bytes(Limits(memory_headroom_ratio=0.25), 1 * GIB, 8 * GIB) == 0


def test_a_model_that_fits_passes() -> None:
    model = outline_of(planned_facts(parse_spec("synth:llama-3.2-1b@q4_0")))
    refuse_what_does_not_fit(model, plan_of(limits=LIMITS), 3 * GIB, 8 * GIB)


@pytest.mark.parametrize(
    ("name", "available"), [("synth:llama-3.2-1b@q4_0", 1 * GIB), ("synth:llama-3.1-8b@f16", 8 * GIB)]
)
def test_a_model_that_does_not_fit_is_refused_with_figures_and_a_way_out(name: str, available: int) -> None:
    model = outline_of(planned_facts(parse_spec(name)))
    with pytest.raises(EdgeprofError) as refusal:
        refuse_what_does_not_fit(model, plan_of(limits=LIMITS), available, 8 * GIB)
    text = str(refusal.value)
    assert text.startswith(f"{name} needs ")
    assert f"{available / GIB:.1f} GiB of 8.0 GiB are available and the plan keeps 10% free" in text
    assert "smaller shape or a smaller quantisation" in text


def test_of_a_file_that_is_still_to_be_fetched_the_size_is_held_against_the_memory() -> None:
    model = ModelOutline(name="hf:maker/model/large.gguf", format="gguf", file_bytes=4 * GIB)
    refuse_what_does_not_fit(model, plan_of(limits=LIMITS), 5 * GIB, 8 * GIB)
    with pytest.raises(EdgeprofError, match=r"hf:maker/model/large.gguf needs 4\.1 GiB of memory"):
        refuse_what_does_not_fit(model, plan_of(limits=LIMITS), 4 * GIB, 8 * GIB)


@pytest.mark.parametrize(
    ("elapsed", "celsius", "available", "cause"),
    [
        (60.0, 50.0, 4 * GIB, "the run took 60 s and its limit is 60 s"),
        (10.0, 90.0, 4 * GIB, "the device reached 90.0 °C and the limit is 90 °C"),
        (10.0, 50.0, GIB // 2, "0.5 GiB of memory were left, 6.2% of all, and 10% must stay free"),
    ],
)
def test_a_limit_that_is_reached_is_named(elapsed: float, celsius: float, available: int, cause: str) -> None:
    with pytest.raises(LimitReachedError) as reached:
        check(elapsed, celsius, available)
    assert str(reached.value) == cause


def test_within_the_limits_a_run_goes_on() -> None:
    check(59.9, 89.9, GIB)
    check(59.9, None, GIB)


def check(elapsed: float, celsius: float | None, available: int) -> None:
    check_limits(
        LIMITS,
        elapsed_seconds=elapsed,
        temperature_celsius=celsius,
        memory_available_bytes=available,
        memory_total_bytes=8 * GIB,
    )
