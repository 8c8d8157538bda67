"""Folders hold the same model as the GGUF file of the shape: MLX, llama.cpp and mlx-lm's own converter are asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from edgeprof_agent.models.hf_folder import write_folder
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.vocabulary import make_vocabulary
from tests.agent.models.conftest import WriteModel, loaded, logits
from tests.agent.models.mlx_model import mlx_logits, tokens_for

SHAPES = ("tiny", "tiny-odd", "tiny-moe")
TEXTS = ("the quick brown fox", "  two  spaces, and\nlines", "Zürich 42 %", "it's they're we'll", "日本", "")


@pytest.mark.parametrize("shape", SHAPES)
def test_mlx_and_llama_cpp_agree_on_the_same_weights(write: WriteModel, shape: str) -> None:
    folder, file = write(f"synth:{shape}@hf-f16"), write(f"synth:{shape}@f16")
    tokens = tokens_for(parse_spec(f"synth:{shape}@f16").shape.vocabulary_size)
    of_mlx = mlx_logits(folder, tokens, in_32_bits=shape == "tiny-moe")
    with loaded(file) as model:
        of_llama_cpp = logits(model, tokens)
    assert np.isfinite(of_mlx).all()
    top, other_top = of_mlx.argmax(axis=1), of_llama_cpp.argmax(axis=1)
    assert (top == other_top).mean() >= 0.95
    assert np.abs(of_mlx - of_llama_cpp).max() < 0.1  # of a deviation of 3
    assert len(set(top)) > len(tokens) // 2


def test_the_whole_context_counts(write: WriteModel) -> None:
    folder = write("synth:tiny@hf-f16")
    tokens = tokens_for(2048)
    changed = [tokens[0] + 1, *tokens[1:]]
    before, after = mlx_logits(folder, tokens)[-1], mlx_logits(folder, changed)[-1]
    assert np.corrcoef(before, after)[0, 1] < 0.99
    assert np.abs(before - after).max() > 0.3


def test_fewer_bits_are_the_same_model_less_precisely(write: WriteModel) -> None:
    tokens = tokens_for(1536)
    exact = mlx_logits(write("synth:tiny-odd@hf-f16"), tokens)
    likeness = {
        width: np.corrcoef(mlx_logits(write(f"synth:tiny-odd@{width}"), tokens).ravel(), exact.ravel())[0, 1]
        for width in ("hf-bf16", "mlx-q8", "mlx-q4")
    }
    assert likeness["hf-bf16"] > 0.999
    assert likeness["mlx-q8"] > 0.99
    assert likeness["mlx-q8"] > likeness["mlx-q4"] > 0.5


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("shape", SHAPES)
def test_quantised_folders_are_what_mlx_lm_converts_to(
    write: WriteModel, tmp_path: Path, shape: str, bits: int
) -> None:
    ours, converted = write(f"synth:{shape}@mlx-q{bits}"), tmp_path / "converted"
    source = write(f"synth:{shape}@hf-f16")
    command = [sys.executable, "-m", "mlx_lm", "convert", "--hf-path", str(source), "--mlx-path", str(converted)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "-q", "--q-bits", str(bits)], check=True, capture_output=True, env=environment)
    theirs, found = (mx.load(str(folder / "model.safetensors")) for folder in (converted, ours))
    assert isinstance(theirs, dict)
    assert isinstance(found, dict)
    assert set(found) == set(theirs)
    for name, tensor in theirs.items():
        np.testing.assert_array_equal(np.array(found[name]), np.array(tensor), err_msg=name)
        assert np.array(found[name]).dtype == np.array(tensor).dtype
    expected, config = (json.loads((folder / "config.json").read_text()) for folder in (converted, ours))
    assert config["quantization"] == expected["quantization"]


def test_the_tokenizer_is_that_of_the_gguf_file(write: WriteModel) -> None:
    tokenizer = Tokenizer.from_file(str(write("synth:tiny@hf-f16") / "tokenizer.json"))
    vocabulary = make_vocabulary(2048)
    assert [tokenizer.id_to_token(number) for number in range(2048)] == list(vocabulary.tokens)
    with loaded(write("synth:tiny@f16")) as model:
        for text in TEXTS:
            encoded = tokenizer.encode(text).ids
            assert encoded == model.tokenize(text.encode(), add_bos=False)
            assert tokenizer.decode(encoded) == text
            assert model.detokenize(encoded).decode() == text


def test_transformers_can_chat_in_it(write: WriteModel) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(write("synth:tiny@hf-f16")))
    messages = [{"role": "user", "content": "hello there"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "user: hello there\nassistant: "
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert (tokenizer.bos_token, tokenizer.bos_token_id) == ("<|endoftext|>", 2047)
    assert tokenizer.eos_token_id is None  # an answer is as long as it was asked for


@pytest.mark.parametrize("name", ["synth:tiny@hf-bf16", "synth:tiny-odd@mlx-q4", "synth:tiny-moe@hf-f16"])
def test_the_same_name_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    for copy in ("first", "second"):
        write_folder(parse_spec(name), tmp_path / copy, lambda _: None)
    first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / copy).iterdir()} for copy in ("first", "second")
    )
    assert first == second


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "least_bytes"), [("smollm2-360m@hf-f16", 720_000_000), ("llama-3.2-1b@mlx-q4", 690_000_000)]
)
def test_memory_stays_small_while_a_large_folder_is_written(tmp_path: Path, name: str, least_bytes: int) -> None:
    script = (
        "import sys; from pathlib import Path; from edgeprof_agent.models.presets import parse_spec;"
        "from edgeprof_agent.models.hf_folder import write_folder;"
        f"write_folder(parse_spec('synth:{name}'), Path(sys.argv[1]), lambda _: None);"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM:')))"
    )
    folder = tmp_path / "model"
    output = subprocess.run([sys.executable, "-c", script, folder], check=True, capture_output=True, text=True).stdout
    assert (folder / "model.safetensors").stat().st_size > least_bytes
    assert int(output.split()[1]) * 1024 < 300_000_000


def test_a_folder_is_named_by_its_configuration_wherever_it_goes(write: WriteModel) -> None:
    config = json.loads((write("synth:tiny@hf-f16") / "config.json").read_text())
    assert config["edgeprof_synthetic"] == "synth:tiny@hf-f16"
