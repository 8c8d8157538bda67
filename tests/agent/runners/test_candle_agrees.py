"""Candle and llama.cpp, fed the same tokens of the same file, expect the same next tokens."""

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from edgeprof_agent.engines.token_ids import token_id
from edgeprof_agent.models.presets import SyntheticSpec, parse_spec
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.models.synthetic import write_model

SEED, PROMPT, COUNT = 7, 24, 24
MINIMUM_AGREEMENT = 0.9
"""Both round activations, to different steps, and random weights leave the first two tokens close at times."""


def without_frequency_scaling(name: str) -> SyntheticSpec:
    """A model whose positions are rotated plainly, as candle rotates all."""
    spec = parse_spec(name)
    return replace(spec, shape=replace(spec.shape, rope_scaling_factor=None))


def next_tokens_of_candle(program: str, model: Path) -> list[int]:
    arguments = [program, "--next-tokens", str(model), str(SEED), str(PROMPT), str(COUNT)]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return [int(word) for word in answer.stdout.split()]


def next_tokens_of_llama_cpp(model: Path, vocabulary_size: int) -> list[int]:
    llama = llama_cpp.Llama(str(model), n_ctx=PROMPT + COUNT, n_threads=1, logits_all=True, verbose=False)
    llama.eval([token_id(SEED, position, vocabulary_size) for position in range(PROMPT + COUNT)])
    scores = np.array(llama.scores[PROMPT - 1 : PROMPT + COUNT])
    llama.close()
    return [int(token) for token in scores.argmax(axis=1)]


def assert_they_agree(said: list[int], expected: list[int]) -> None:
    assert len(set(expected)) > COUNT / 2, "the context counts"
    assert np.mean(np.array(said) == np.array(expected)) >= MINIMUM_AGREEMENT


@pytest.mark.parametrize("name", ["synth:tiny@f16", "synth:tiny@q8_0", "synth:tiny@q4_0", "synth:tiny-odd@q8_0"])
def test_the_likeliest_tokens_agree(candle: str, tmp_path: Path, name: str) -> None:
    spec = without_frequency_scaling(name)
    model = tmp_path / "model.gguf"
    write_model(spec, model, lambda _: None)
    expected = next_tokens_of_llama_cpp(model, spec.shape.vocabulary_size)
    assert_they_agree(next_tokens_of_candle(candle, model), expected)


@pytest.mark.parametrize("shape", ["tiny", "tiny-odd"])
@pytest.mark.parametrize("floats", ["hf-f16", "hf-bf16"])
def test_they_agree_on_a_folder_too(candle: str, tmp_path: Path, shape: str, floats: str) -> None:
    """Llama's frequency scaling included, which candle knows in folders."""
    file, folder = (
        Path(asyncio.run(prepare_model(f"synth:{shape}@{form}", tmp_path, lambda _: None)).path)
        for form in ("f16", floats)
    )
    expected = next_tokens_of_llama_cpp(file, parse_spec(f"synth:{shape}@f16").shape.vocabulary_size)
    assert_they_agree(next_tokens_of_candle(candle, folder), expected)
