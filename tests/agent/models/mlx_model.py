"""A folder in MLX, where its logits can be seen."""

from pathlib import Path

import mlx.core as mx
import numpy as np
import numpy.typing as npt
from mlx_lm.utils import load_model

from edgeprof_agent.engines.token_ids import token_id

TOKENS = 24


def mlx_logits(folder: Path, tokens: list[int], *, in_32_bits: bool = False) -> npt.NDArray[np.float32]:
    """What the model predicts after each of the tokens. MLX runs experts on a processor in 32 bits alone."""
    model, _ = load_model(folder)
    if in_32_bits:
        model.set_dtype(mx.float32)
    return np.array(model(mx.array([tokens]))[0].astype(mx.float32))


def tokens_for(vocabulary_size: int) -> list[int]:
    """Fixed token ids, as an engine is fed them."""
    return [token_id(5, position, vocabulary_size) for position in range(TOKENS)]
