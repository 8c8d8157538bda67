"""The perplexity of a text, held against the same library's own high-level calls and arithmetic of the test."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

from edgeprof_agent.engines.engine import EngineError, Step
from edgeprof_agent.engines.llama_cpp import LlamaCpp, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder, StepCancelledError
from tests.agent.engines.tiny_model import write_tiny_model

WINDOW = 96
TEXT = "A device in the field answers slowly, and nobody knows why: ça chauffe, 42 °C. \n" * 40


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def engine(model: Path) -> Iterator[LlamaCpp]:
    engine = open_engine()
    load(engine, model)
    yield engine
    engine.unload()


def load(engine: LlamaCpp, model: Path, **given: str) -> None:
    engine.unload()
    engine.load(str(model), read_options(engine.name, engine.options, {"threads": "1", **given}), WINDOW, 11)


def run(engine: LlamaCpp, step: Step) -> list[Any]:
    messages: list[Any] = []
    engine.run(step, Recorder(1, messages.append, lambda _: False))
    return messages


def perplexity_step(text: Path, windows: int = 3, window: int = WINDOW) -> Step:
    return Step("perplexity", window, 0, 0, 1, text=str(text), windows=windows)


def nats_by_hand(model: Path, windows: int) -> list[float]:
    """By the binding's own class: its tokens, the logits of whole windows, and a softmax in steps of its own."""
    library = llama_cpp.Llama(str(model), n_ctx=WINDOW, logits_all=True, n_threads=1, verbose=False)
    tokens = library.tokenize(TEXT.encode(), add_bos=True, special=False)
    found = []
    for number in range(windows):
        window = tokens[number * WINDOW : (number + 1) * WINDOW]
        if llama_cpp.llama_vocab_get_add_bos(llama_cpp.llama_model_get_vocab(library.model)):
            window[0] = library.token_bos()
        library.reset()
        library.eval(window)
        logits = np.asarray(library.scores[:WINDOW], np.float64)
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        scored = [probabilities[place, window[place + 1]] for place in range(WINDOW // 2, WINDOW - 1)]
        found.append(float(-np.log(scored).mean()))
    library.close()
    return found


def test_it_is_that_of_the_logits(engine: LlamaCpp, model: Path, text: Path) -> None:
    score = run(engine, perplexity_step(text))[-1]
    assert score["type"] == "text_score"
    assert score["text_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert score["window_nats"] == pytest.approx(nats_by_hand(model, 3), rel=1e-3)


def test_random_weights_know_no_text(engine: LlamaCpp, text: Path) -> None:
    """They are no better than a guess among all tokens of the vocabulary."""
    score = run(engine, perplexity_step(text))[-1]
    assert float(np.mean(score["window_nats"])) > np.log(2048)


def test_each_window_is_a_token_event_and_the_text_may_end_before_the_most(engine: LlamaCpp, text: Path) -> None:
    messages = run(engine, perplexity_step(text, windows=1000))
    counts = [count for each in messages if each["type"] == "tokens" for count in each["counts"]]
    windows = len(messages[-1]["window_nats"])
    assert 3 < windows < 1000
    assert counts == [WINDOW] * windows


def test_it_is_the_same_in_smaller_calls(engine: LlamaCpp, model: Path, text: Path) -> None:
    whole = run(engine, perplexity_step(text))[-1]["window_nats"]
    load(engine, model, batch="32", micro_batch="32")
    assert run(engine, perplexity_step(text))[-1]["window_nats"] == pytest.approx(whole, rel=1e-3)
    load(engine, model)


def test_it_leaves_other_steps_as_they_are(engine: LlamaCpp, text: Path) -> None:
    fidelity = Step("fidelity", 8, 16, 4, 1, top_count=4)
    before = run(engine, fidelity)[-1]
    score = run(engine, perplexity_step(text))[-1]
    assert run(engine, fidelity)[-1] == before
    assert run(engine, perplexity_step(text))[-1] == score


def test_a_text_of_less_than_a_window_is_refused(engine: LlamaCpp, tmp_path: Path) -> None:
    short = tmp_path / "short.txt"
    short.write_text("A word.", encoding="utf-8")
    with pytest.raises(EngineError, match=r"short\.txt has \d tokens, and a window 96: take a longer text or fewer"):
        run(engine, perplexity_step(short))


def test_it_can_be_cancelled_between_two_windows(engine: LlamaCpp, text: Path) -> None:
    with pytest.raises(StepCancelledError):
        engine.run(perplexity_step(text), Recorder(1, lambda _: None, lambda _: True))
    assert engine.context_length == 0
