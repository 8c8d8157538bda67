import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.gguf_facts import read_facts
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from tests.agent.models.conftest import WriteModel


def read(path: Path, cache_folder: Path) -> ModelFacts:
    return read_facts(path, cache_folder, lambda _: None, lambda _: None)


@pytest.mark.parametrize(
    "name", ["synth:tiny@q4_0", "synth:tiny-odd@q4_k", "synth:tiny-moe@q6_k", "synth:smollm2-135m@q4_0"]
)
def test_facts_of_a_synthetic_model_are_those_planned(write: WriteModel, tmp_path: Path, name: str) -> None:
    path = write(name)
    facts, planned = read(path, tmp_path), planned_facts(parse_spec(name))
    assert replace(facts, path="", sha256="", file_bytes=0) == replace(planned, file_bytes=0)
    assert facts.path == str(path)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.file_bytes == path.stat().st_size
    assert facts.file_bytes <= planned.file_bytes <= facts.file_bytes + (1 << 20)


def test_a_tied_embedding_is_read_as_the_output_matrix(write: WriteModel, tmp_path: Path) -> None:
    facts = read(write("synth:tiny@q8_0"), tmp_path)
    assert facts.weight_bytes_read_per_token == sum(facts.tensor_bytes_by_type.values())


def test_of_experts_only_those_used_are_read_and_of_an_embedding_one_row(write: WriteModel, tmp_path: Path) -> None:
    facts = read(write("synth:tiny-moe@q8_0"), tmp_path)
    row = 512 // 32 * 34
    embedding = 1536 * row
    experts = 3 * 4 * (3 * 512 * row)  # layers, experts, the three matrices of 512 x 512 of each
    total = sum(facts.tensor_bytes_by_type.values())
    assert facts.weight_bytes_read_per_token == total - embedding + row - experts // 2
    assert (facts.expert_count, facts.expert_used_count) == (4, 2)


def test_the_hash_is_remembered_until_the_file_changes(write: WriteModel, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(write("synth:tiny@q4_0").read_bytes())
    cache = tmp_path / "cache"
    ratios: list[float] = []
    first = read_facts(path, cache, ratios.append, lambda _: None)
    assert ratios[-1] == 1.0
    ratios.clear()
    assert read_facts(path, cache, ratios.append, lambda _: None) == first
    assert ratios == []
    with path.open("ab") as file:
        file.write(b"\0")
    assert read(path, cache).sha256 != first.sha256


def write_gguf(path: Path, *, tensors: Mapping[str, Sequence[int]] | None = None, **metadata: Any) -> Path:
    """A file with tensors of zeros (rows first) and the given metadata: strings, numbers and arrays."""
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in metadata.items():
        name = key.replace("__", ".")
        if isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, list):
            writer.add_array(name, value)
        else:
            writer.add_uint32(name, value)
    for name, shape in (tensors or {"token_embd.weight": (10, 64)}).items():
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


ATTENTION = {
    "llama__block_count": 4,
    "llama__embedding_length": 64,
    "llama__attention__head_count": 8,
    "llama__attention__head_count_kv": 2,
}


@pytest.mark.parametrize(
    ("metadata", "elements"),
    [
        ({}, 4 * 2 * (8 + 8)),
        ({"llama__attention__head_count_kv": [2, 0, 4, 0]}, (2 + 4) * (8 + 8)),
        ({"llama__attention__key_length": 24, "llama__attention__value_length": 16}, 4 * 2 * (24 + 16)),
        ({"llama__attention__shared_kv_layers": 1}, 3 * 2 * (8 + 8)),
        ({"llama__nextn_predict_layers": 1}, 3 * 2 * (8 + 8)),
        ({"llama__attention__key_length": 40, "llama__attention__key_length_mla": 24}, 4 * 2 * 40),
        (
            {
                "llama__attention__key_length_swa": 4,
                "llama__attention__value_length_swa": 4,
                "llama__attention__sliding_window_pattern": [True, True, True, False],
            },
            3 * 2 * (4 + 4) + 1 * 2 * (8 + 8),
        ),
    ],
)
def test_kv_elements_follow_the_layers(tmp_path: Path, metadata: dict[str, Any], elements: int) -> None:
    path = write_gguf(tmp_path / "model.gguf", **{**ATTENTION, **metadata})
    assert read(path, tmp_path).kv_elements_per_token == elements


def test_layers_that_only_draft_are_not_read(tmp_path: Path) -> None:
    tensors = {"token_embd.weight": (10, 64), "blk.0.x.weight": (2, 64), "blk.1.x.weight": (2, 64)}
    metadata = {"llama__block_count": 2, "llama__nextn_predict_layers": 1}
    facts = read(write_gguf(tmp_path / "model.gguf", tensors=tensors, **metadata), tmp_path)
    assert facts.layer_count == 1
    assert facts.weight_bytes_read_per_token == (10 + 2) * 64 * 4


def test_a_real_model_is_not_called_synthetic_and_has_its_own_name(tmp_path: Path) -> None:
    facts = read(write_gguf(tmp_path / "m.gguf", general__name="Some Model", general__file_type=7), tmp_path)
    assert (facts.name, facts.synthetic, facts.quantisation, facts.vocabulary_size) == ("Some Model", False, "Q8_0", 10)


def test_a_file_without_a_name_or_a_known_file_type_is_called_by_what_it_has(tmp_path: Path) -> None:
    facts = read(write_gguf(tmp_path / "some-model.gguf", general__file_type=999), tmp_path)
    assert (facts.name, facts.quantisation) == ("some-model", "F32")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"split__count": 3}, "is one of 3 parts of a model; join them with llama-gguf-split --merge"),
        ({"general__type": "adapter"}, "is an 'adapter' file, not a model; give the file of the model itself"),
    ],
)
def test_what_is_not_a_whole_model_is_refused(tmp_path: Path, metadata: dict[str, Any], message: str) -> None:
    path = write_gguf(tmp_path / "model.gguf", **metadata)
    with pytest.raises(EdgeprofError) as caught:
        read(path, tmp_path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_file_without_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with pytest.raises(EdgeprofError, match="names no architecture or has no weights; give the file of a whole model"):
        read(path, tmp_path)
