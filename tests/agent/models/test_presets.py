import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import PUBLISHED_SHAPES, SHAPES, is_synthetic, parse_spec
from edgeprof_agent.models.tensor_types import QUANTISATIONS

# As the safetensors of the published models have them (a tied embedding once).
PUBLISHED_PARAMETER_COUNTS = {
    "smollm2-135m": 134_515_008,
    "smollm2-360m": 361_821_120,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-1.5b": 1_543_714_304,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "llama-3.1-8b": 8_030_261_248,
    "mistral-7b-v0.3": 7_248_023_552,
    "olmoe-1b-7b": 6_919_161_856,
}


def test_shapes_have_the_parameters_of_the_published_models() -> None:
    counts = {
        shape.name: planned_facts(parse_spec(f"synth:{shape.name}@f16")).parameter_count for shape in PUBLISHED_SHAPES
    }
    assert counts == PUBLISHED_PARAMETER_COUNTS


def test_published_shapes_are_ordered_by_size() -> None:
    counts = [PUBLISHED_PARAMETER_COUNTS[shape.name] for shape in PUBLISHED_SHAPES]
    assert counts == sorted(counts)


@pytest.mark.parametrize("quantisation", QUANTISATIONS, ids=lambda quantisation: quantisation.name)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_name_can_be_read_back(shape, quantisation) -> None:  # type: ignore[no-untyped-def] # pytest's parameters
    name = f"synth:{shape.name}@{quantisation.name}"
    assert is_synthetic(name)
    assert parse_spec(name).name == name
    assert planned_facts(parse_spec(name)).quantisation == quantisation.label


def test_names_are_read_in_any_case() -> None:
    assert parse_spec("synth:Llama-3.2-1B@Q4_0").name == "synth:llama-3.2-1b@q4_0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("synth:lama-3.2-1b@q4_0", "no shape is called 'lama-3.2-1b'; did you mean 'llama-3.2-1b'?"),
        ("synth:@q4_0", "no shape is called ''; use one of smollm2-135m, "),
        ("synth:llama-3.2-1b", "which quantisation? Write synth:llama-3.2-1b@q4_0"),
        ("synth:llama-3.2-1b@q4-0", "no quantisation is called 'q4-0'; did you mean 'q4_0'?"),
        ("synth:llama-3.2-1b@int8", "no quantisation is called 'int8'; use one of f16, "),
    ],
)
def test_a_wrong_name_is_refused_with_the_right_ones(name: str, message: str) -> None:
    with pytest.raises(EdgeprofError, match=r"^synth:") as caught:
        parse_spec(name)
    assert message in str(caught.value)


def test_a_path_is_no_synthetic_name() -> None:
    assert not is_synthetic("/models/synth.gguf")
