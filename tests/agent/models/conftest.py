"""Synthetic models, written once for all tests, and an engine to load them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest

from edgeprof_agent.models.model_cache import cached_model
from edgeprof_agent.models.presets import parse_spec

WriteModel = Callable[[str], Path]


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> WriteModel:
    """Returns the path of a synthetic model. Tests share it, so they must not change it."""
    folder = tmp_path_factory.mktemp("models")

    def path_of(name: str) -> Path:
        return cached_model(parse_spec(name), folder, lambda _: None)[0]

    return path_of


@contextmanager
def loaded(path: Path, kv_type: int = llama_cpp.GGML_TYPE_F16) -> Iterator[llama_cpp.Llama]:
    """The model in llama.cpp."""
    model = llama_cpp.Llama(
        str(path),
        n_ctx=128,
        n_threads=1,
        n_threads_batch=1,
        type_k=kv_type,
        type_v=kv_type,
        flash_attn=True,
        logits_all=True,
        verbose=False,
    )
    try:
        yield model
    finally:
        model.close()


def logits(model: llama_cpp.Llama, tokens: list[int]) -> npt.NDArray[np.float32]:
    """What the model predicts after each of the tokens."""
    model.reset()
    model.eval(tokens)
    return np.array(model.scores[: len(tokens)])
