"""Synthetic models live: what llama.cpp computes with them depends on the whole context, and on how it is kept."""

import hashlib
import subprocess
import sys
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.synthetic import write_model
from tests.agent.models.conftest import WriteModel, loaded, logits

TINY_MODELS = (
    "synth:tiny@q4_0",
    "synth:tiny@q4_k",
    "synth:tiny-odd@q4_k",
    "synth:tiny-odd@q8_0",
    "synth:tiny-moe@q4_k",
    "synth:tiny-moe@f16",
)
MODELS = (*TINY_MODELS, "synth:smollm2-135m@q4_0")


def some_tokens(count: int, seed: int, vocabulary_size: int) -> list[int]:
    tokens: list[int] = np.random.default_rng(seed).integers(0, vocabulary_size, count).tolist()
    return tokens


def log_probabilities(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shifted = scores.astype(np.float64) - scores.max(axis=-1, keepdims=True)
    result: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_finite_and_vary(write: WriteModel, name: str) -> None:
    with loaded(write(name)) as model:
        tokens = some_tokens(64, 1, model.n_vocab())
        scores = logits(model, tokens)
    assert np.isfinite(scores).all()
    assert scores.std() == pytest.approx(3.0, rel=0.1)
    best = scores.argmax(axis=1)
    assert len(set(best)) > 32
    assert np.mean(best == tokens) < 0.2  # it does not just repeat its input


@pytest.mark.parametrize("name", TINY_MODELS)
def test_the_prediction_depends_on_the_context_and_not_on_the_last_token_alone(write: WriteModel, name: str) -> None:
    with loaded(write(name)) as model:
        last = 17
        contexts = [[*some_tokens(40, seed, model.n_vocab()), last] for seed in range(8)]
        best = {int(logits(model, tokens)[-1].argmax()) for tokens in contexts}
    assert len(best) > 4


@pytest.mark.parametrize("name", MODELS)
def test_a_coarser_kv_cache_makes_a_small_but_real_difference(write: WriteModel, name: str) -> None:
    path = write(name)
    with loaded(path) as model:
        tokens = some_tokens(64, 1, model.n_vocab())
        fine = log_probabilities(logits(model, tokens))
    with loaded(path, llama_cpp.GGML_TYPE_Q8_0) as model:
        coarse = log_probabilities(logits(model, tokens))
    divergence = float((np.exp(fine) * (fine - coarse)).sum(axis=-1).mean())
    assert 1e-5 < divergence < 0.1
    assert 0.5 < np.mean(fine.argmax(axis=-1) == coarse.argmax(axis=-1)) <= 1


def test_quantisations_predict_alike_for_they_have_the_same_weights(write: WriteModel) -> None:
    scores = {}
    for quantisation in ("f16", "q8_0", "q6_k", "q4_k", "q4_0"):
        with loaded(write(f"synth:tiny@{quantisation}")) as model:
            scores[quantisation] = logits(model, some_tokens(64, 1, model.n_vocab())).reshape(-1)
    likeness = {name: np.corrcoef(scores["f16"], values)[0, 1] for name, values in scores.items()}
    assert likeness["q8_0"] > 0.99
    assert likeness["q8_0"] > likeness["q6_k"] > likeness["q4_k"] > likeness["q4_0"] > 0.5


def test_rope_frequencies_are_scaled_as_published_for_llama_3() -> None:
    """Against the definition: short wavelengths as they are, long ones slowed down 32 times, a slope between."""
    from edgeprof_agent.models.tensors import tensors_of

    tensors = {tensor.name: tensor for tensor in tensors_of(parse_spec("synth:llama-3.2-1b@q4_0"))}
    factors = tensors["rope_freqs.weight"].values
    assert len(factors) == 32
    assert factors[:15] == (1.0,) * 15
    assert factors[18:] == (32.0,) * 14
    assert 1 < factors[15] < factors[16] < factors[17] < 32


@pytest.mark.parametrize("name", ["synth:tiny@q4_k", "synth:tiny-odd@q4_0", "synth:tiny-moe@q8_0"])
def test_the_same_name_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    digests = set()
    for copy in ("first", "second"):
        path = tmp_path / copy
        write_model(parse_spec(name), path, lambda _: None)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    ratios: list[float] = []
    write_model(parse_spec("synth:tiny@q4_0"), tmp_path / "model.gguf", ratios.append)
    assert ratios == sorted(ratios)
    assert 0 < ratios[0] < 0.5
    assert ratios[-1] == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_small_while_a_large_file_is_written(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from edgeprof_agent.models.presets import parse_spec;"
        "from edgeprof_agent.models.synthetic import write_model;"
        "write_model(parse_spec('synth:smollm2-360m@q8_0'), Path(sys.argv[1]), lambda _: None);"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM:')))"
    )
    path = tmp_path / "model.gguf"
    output = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    ).stdout
    peak_bytes = int(output.split()[1]) * 1024
    assert path.stat().st_size > 380_000_000
    assert peak_bytes < 150_000_000
