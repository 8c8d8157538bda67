import subprocess
import sys
from dataclasses import replace

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.plan_file import built_in_plan
from edgeprof_agent.models.choice import choose_shape, estimate_seconds, memory_needed_bytes
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import PUBLISHED_SHAPES, parse_spec
from edgeprof_agent.models.speed import assumed_speed, step_seconds

GB = 10**9
QUICK = built_in_plan("quick")
MODEL = planned_facts(parse_spec("synth:llama-3.2-1b@q4_0"))
DECODE = Plan(name="decode", steps=(Step(kind=StepKind.DECODE, decode_tokens=100),), rest_seconds=0)


@pytest.mark.parametrize(
    ("memory", "bandwidth", "cores", "name"),
    [
        (0.6 * GB, 10 * GB, 4, "synth:smollm2-360m@q4_0"),  # a board with 1 GB
        (22 * GB, 68 * GB, 2, "synth:qwen2.5-0.5b@q4_0"),  # two cores of a server
        (6 * GB, 15 * GB, 4, "synth:qwen2.5-0.5b@q4_0"),  # Raspberry Pi 5
        (12 * GB, 90 * GB, 8, "synth:qwen2.5-1.5b@q4_0"),  # Apple M2
        (56 * GB, 400 * GB, 64, "synth:llama-3.1-8b@q4_0"),  # a large machine
        (30 * GB, 0.5 * GB, 1, "synth:smollm2-135m@q4_0"),  # nothing is fast enough: the smallest
    ],
)
def test_the_largest_model_that_fits_memory_and_time_is_chosen(
    memory: float, bandwidth: float, cores: int, name: str
) -> None:
    assert choose_shape(int(memory), bandwidth, cores, QUICK) == name


def test_a_longer_context_leaves_room_for_less() -> None:
    step = Step(kind=StepKind.DECODE, decode_tokens=8, depth_tokens=50_000)
    chosen = choose_shape(2 * GB, 500 * GB, 64, replace(QUICK, steps=(step,)))
    assert chosen != choose_shape(2 * GB, 500 * GB, 64, QUICK)


def test_a_device_too_small_for_any_model_is_told_what_is_missing() -> None:
    with pytest.raises(EdgeprofError) as caught:
        choose_shape(100_000_000, 10 * GB, 4, QUICK)
    assert str(caught.value) == (
        "even the smallest model, synth:smollm2-135m@q4_0, needs 0.31 GB of memory, and a run may take 0.10 GB: "
        "free some, or name the file of a smaller one"
    )


def test_what_is_chosen_fits_to_the_byte() -> None:
    needed = memory_needed_bytes(MODEL, QUICK.context_tokens)
    assert choose_shape(needed, 900 * GB, 128, QUICK) == MODEL.name
    assert choose_shape(needed - 1, 900 * GB, 128, QUICK) == "synth:qwen2.5-0.5b@q4_0"


def test_memory_counts_weights_and_context() -> None:
    assert memory_needed_bytes(MODEL, 0) > MODEL.file_bytes
    per_token = memory_needed_bytes(MODEL, 1001) - memory_needed_bytes(MODEL, 1)
    assert per_token == 1000 * 2 * 16 * 8 * 64 * 2  # tokens, key and value, layers, heads, length, bytes


def test_decoding_takes_the_time_of_reading_the_weights() -> None:
    slow, fast = (estimate_seconds(MODEL, DECODE, bandwidth, 4) for bandwidth in (10 * GB, 20 * GB))
    reading = 5 * 100 * (MODEL.weight_bytes_read_per_token + 100 * 2 * MODEL.kv_elements_per_token) / (0.4 * 10 * GB)
    assert slow - fast == pytest.approx(reading / 2)


def test_a_prompt_takes_the_time_of_its_arithmetic() -> None:
    plan = Plan(name="prefill", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=1000),), rest_seconds=0)
    one, two = (estimate_seconds(MODEL, plan, 10 * GB, cores) for cores in (1, 2))
    parameters_in_layers = 1_235_814_400 - 128_256 * 2048
    assert one - two == pytest.approx(6 * 1000 * 2 * parameters_in_layers / 50e9 / 2, rel=0.2)


def test_every_variant_repetition_and_rest_takes_its_time() -> None:
    base = estimate_seconds(MODEL, DECODE, 10 * GB, 4)
    start = 3.0
    assert estimate_seconds(MODEL, replace(DECODE, rest_seconds=10), 10 * GB, 4) == pytest.approx(base + 20)
    twice = replace(DECODE, variants=(Variant(name="a"), Variant(name="b")))
    assert estimate_seconds(MODEL, twice, 10 * GB, 4) == pytest.approx(start + 2 * (base - start))
    more = estimate_seconds(MODEL, replace(DECODE, repetitions=10), 10 * GB, 4)
    assert start + 2 * (base - start) > more > base


def test_one_more_repetition_takes_the_time_of_a_step() -> None:
    once, twice = (estimate_seconds(MODEL, replace(DECODE, repetitions=n), 10 * GB, 4) for n in (1, 2))
    assert twice - once == pytest.approx(step_seconds(DECODE.steps[0], assumed_speed(MODEL, 10 * GB, 4)))


def test_experts_that_are_not_used_cost_memory_and_no_time() -> None:
    experts = planned_facts(parse_spec("synth:olmoe-1b-7b@q4_0"))
    dense = planned_facts(parse_spec("synth:mistral-7b-v0.3@q4_0"))
    assert estimate_seconds(experts, QUICK, 50 * GB, 4) < estimate_seconds(dense, QUICK, 50 * GB, 4) / 3
    assert memory_needed_bytes(experts, 512) > 0.9 * memory_needed_bytes(dense, 512)


def test_larger_shapes_take_longer() -> None:
    times = [
        estimate_seconds(planned_facts(parse_spec(f"synth:{shape.name}@q4_0")), QUICK, 50 * GB, 4)
        for shape in PUBLISHED_SHAPES
        if not shape.expert_count
    ]
    assert times == sorted(times)


def test_choosing_needs_neither_numpy_nor_gguf() -> None:
    script = (
        "import sys; import edgeprof_agent.models.choice, edgeprof_agent.models.process;"
        "print({'numpy', 'gguf'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert output == "set()\n"
