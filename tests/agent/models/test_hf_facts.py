"""Facts of Hugging Face folders: synthetic ones, and the layouts of quantised ones as their libraries write them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.hf_facts import read_facts
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.safetensors_header import SafeTensor, header_bytes
from tests.agent.models.conftest import WriteModel

CONFIG: dict[str, object] = {
    "model_type": "llama",
    "torch_dtype": "float16",
    "num_hidden_layers": 1,
    "hidden_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
}


def read(folder: Path, cache_folder: Path) -> ModelFacts:
    return read_facts(folder, cache_folder, lambda _: None, lambda _: None)


def write_weights(folder: Path, tensors: Mapping[str, tuple[str, tuple[int, ...]]], file: str) -> None:
    listed = [SafeTensor(name=name, dtype=dtype, shape=shape) for name, (dtype, shape) in tensors.items()]
    content = bytes(sum(tensor.bytes for tensor in listed))
    (folder / file).write_bytes(header_bytes(listed, {"format": "pt"}) + content)


def folder_of(folder: Path, config: Mapping[str, object], tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
    write_weights(folder, tensors, "model.safetensors")
    return folder


PLAIN = {
    "model.embed_tokens.weight": ("F16", (1000, 256)),
    "model.layers.0.self_attn.q_proj.weight": ("F16", (256, 256)),
    "model.norm.weight": ("F16", (256,)),
    "lm_head.weight": ("F16", (1000, 256)),
}


@pytest.mark.parametrize(
    "name",
    [
        "synth:tiny@hf-f16",
        "synth:tiny-odd@hf-bf16",
        "synth:tiny-moe@hf-f16",
        "synth:tiny-moe@mlx-q4",
        "synth:smollm2-135m@mlx-q8",
    ],
)
def test_facts_of_a_synthetic_folder_are_those_planned(write: WriteModel, tmp_path: Path, name: str) -> None:
    folder = write(name)
    facts, planned = read(folder, tmp_path), planned_facts(parse_spec(name))
    assert replace(facts, path="", sha256="", file_bytes=0) == replace(planned, file_bytes=0)
    assert facts.path == str(folder)
    assert facts.file_bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert facts.file_bytes <= planned.file_bytes <= facts.file_bytes + (1 << 21)


def test_the_hash_is_that_of_the_list_that_sha256sum_prints(write: WriteModel, tmp_path: Path) -> None:
    folder = write("synth:tiny-odd@mlx-q4")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(folder.iterdir())]
    assert read(folder, tmp_path).sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_hash_changes_with_any_file_and_is_remembered(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m", {}, PLAIN)
    first = read(folder, tmp_path / "cache")
    ratios: list[float] = []
    assert read_facts(folder, tmp_path / "cache", ratios.append, lambda _: None) == first
    assert ratios == []
    (folder / "tokenizer.json").write_text("{}")
    assert read(folder, tmp_path / "cache").sha256 != first.sha256


def test_a_float_model_in_parts(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m", {}, dict(list(PLAIN.items())[:2]))
    write_weights(folder, dict(list(PLAIN.items())[2:]), "model-00002-of-00002.safetensors")
    facts = read(folder, tmp_path)
    assert (facts.quantisation, facts.synthetic, facts.name) == ("F16", False, "m")
    assert facts.parameter_count == 2 * 256_000 + 65_536 + 256
    # Of the embedding one row, for the output matrix is another.
    assert facts.weight_bytes_read_per_token == 2 * (256_000 + 65_536 + 256 + 256)
    assert facts.kv_elements_per_token == 2 * 64 * 2


def test_a_copy_of_a_tied_embedding_is_no_weight(tmp_path: Path) -> None:
    facts = read(folder_of(tmp_path / "m", {"tie_word_embeddings": True}, PLAIN), tmp_path)
    assert facts.parameter_count == 256_000 + 65_536 + 256
    assert facts.weight_bytes_read_per_token == 2 * facts.parameter_count


def test_a_model_in_the_cache_of_downloads_has_its_own_name(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "models--mlx-community--Tiny-4bit" / "snapshots" / "0a1b", {}, PLAIN)
    assert read(folder, tmp_path).name == "mlx-community/Tiny-4bit"


def test_layers_of_mlx_with_other_widths(tmp_path: Path) -> None:
    module = "model.layers.0.mlp.down_proj"
    config = {"quantization": {"group_size": 64, "bits": 4, module: {"group_size": 32, "bits": 8}, "lm_head": False}}
    tensors = {
        "model.layers.0.self_attn.q_proj.weight": ("U32", (256, 256 * 4 // 32)),
        "model.layers.0.self_attn.q_proj.scales": ("F16", (256, 4)),
        "model.layers.0.self_attn.q_proj.biases": ("F16", (256, 4)),
        f"{module}.weight": ("U32", (256, 512 * 8 // 32)),
        f"{module}.scales": ("F16", (256, 16)),
        f"{module}.biases": ("F16", (256, 16)),
        "lm_head.weight": ("F16", (1000, 256)),
    }
    facts = read(folder_of(tmp_path / "m", config, tensors), tmp_path)
    assert facts.parameter_count == 256 * 256 + 256 * 512 + 256_000
    assert facts.tensor_bytes_by_type == {
        "MLX_Q4": 256 * 256 // 2 + 256 * 4 * 4,
        "MLX_Q8": 256 * 512 + 256 * 16 * 4,
        "F16": 512_000,
    }
    assert facts.quantisation == "MLX_Q4"


def test_exl2(tmp_path: Path) -> None:
    """A matrix of 512 inputs and 256 outputs at about 4.5 bits: the layout of ExLlamaV2's ``ExLlamaV2Linear``."""
    stem = "model.layers.0.mlp.down_proj"
    tensors = {
        f"{stem}.q_weight": ("I32", (512 * 9 // 2 // 32, 256)),
        f"{stem}.q_scale": ("I32", (16, 256 // 8)),
        f"{stem}.q_scale_max": ("F16", (16,)),
        f"{stem}.q_groups": ("I16", (32,)),
        f"{stem}.q_invperm": ("I16", (512,)),
    }
    config = {"quantization_config": {"quant_method": "exl2", "bits": 4.5}}
    facts = read(folder_of(tmp_path / "m", config, {**PLAIN, **tensors}), tmp_path)
    assert facts.quantisation == "EXL2_4.5BPW"
    assert facts.parameter_count == 2 * 256_000 + 65_536 + 256 + 512 * 256
    assert facts.tensor_bytes_by_type["EXL2_4.5BPW"] == 512 * 9 // 2 // 32 * 256 * 4 + 16 * 32 * 4 + 32 + 64 + 1024


@pytest.mark.parametrize(("method", "shape"), [("gptq", (256 * 4 // 32, 128)), ("awq", (256, 128 * 4 // 32))])
def test_gptq_and_awq(tmp_path: Path, method: str, shape: tuple[int, ...]) -> None:
    stem = "model.layers.0.mlp.up_proj"
    tensors = {
        f"{stem}.qweight": ("I32", shape),
        f"{stem}.qzeros": ("I32", (2, 16)),
        f"{stem}.scales": ("F16", (2, 128)),
        f"{stem}.bias": ("F16", (128,)),
    }
    config = {"quantization_config": {"quant_method": method, "bits": 4}}
    facts = read(folder_of(tmp_path / "m", config, tensors), tmp_path)
    assert facts.parameter_count == 256 * 128 + 128
    assert facts.tensor_bytes_by_type == {f"{method.upper()}_Q4": 256 * 128 // 2 + 128 + 512, "F16": 256}


def test_experts_are_counted_by_use(tmp_path: Path) -> None:
    config = {"num_local_experts": 4, "num_experts_per_tok": 1, "tie_word_embeddings": True}
    experts = {f"model.layers.0.block_sparse_moe.experts.{n}.w1.weight": ("F16", (256, 64)) for n in range(4)}
    facts = read(folder_of(tmp_path / "m", config, {**PLAIN, **experts}), tmp_path)
    assert facts.weight_bytes_read_per_token == 2 * (256_000 + 65_536 + 256 + 256 * 64)


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda folder: (folder / "config.json").unlink(), "a folder without config.json: give a GGUF file, or the "),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json: cannot be read ("),
        (lambda folder: (folder / "config.json").write_text("{}"), "config.json: names no 'model_type'"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no *.safetensors files"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0"), "no safetensors file"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "x", "quantization": {}}'),
            "its quantisation has no 'bits'",
        ),
    ],
)
def test_what_is_no_whole_model_is_refused_in_one_line(tmp_path: Path, spoil, cause: str) -> None:  # type: ignore[no-untyped-def] # pytest's parameter
    folder = folder_of(tmp_path / "m", {}, PLAIN)
    spoil(folder)
    with pytest.raises(EdgeprofError) as refused:
        read(folder, tmp_path)
    assert cause in str(refused.value)
    assert str(folder) in str(refused.value)
    assert "\n" not in str(refused.value)
