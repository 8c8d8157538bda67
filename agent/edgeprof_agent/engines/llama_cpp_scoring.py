"""What llama.cpp holds for the likeliest next tokens."""

from __future__ import annotations

import importlib
from typing import Any

from .engine import EngineError
from .llama_cpp_binding import llama_cpp

# llama.cpp keeps the logits of a whole call: of 128 tokens with a vocabulary of 131,072, so much.
_LOGITS_BYTES = 64 << 20
_LOGIT_BYTES = 4


def tokens_in_a_call(most_tokens: int, vocabulary_size: int) -> int:
    """How many tokens may be handed over at once when the logits of all of them are wanted."""
    return max(min(most_tokens, _LOGITS_BYTES // (vocabulary_size * _LOGIT_BYTES)), 1)


def likeliest(context: Any, row: int, vocabulary_size: int, count: int) -> list[tuple[int, float]]:
    """The ``count`` likeliest tokens after token ``row`` of the latest call, with their log-probabilities.

    Raises:
        EngineError: the logits are no numbers.
    """
    logarithms = _log_probabilities(context, row, vocabulary_size)
    count = min(count, vocabulary_size)
    top = _numpy().argpartition(-logarithms, count - 1)[:count]
    return [(int(token), float(logarithms[token])) for token in top]


def log_probability(context: Any, row: int, vocabulary_size: int, token: int) -> float:
    """The natural logarithm of the probability that ``token`` comes after token ``row`` of the latest call.

    Raises:
        EngineError: the logits are no numbers.
    """
    return float(_log_probabilities(context, row, vocabulary_size)[token])


def likeliest_of_all(context: Any, vocabulary_size: int) -> int:
    """The token that is likeliest after the last one of the latest call; of equal ones the first.

    Raises:
        EngineError: the logits are no numbers.
    """
    return int(_logits(context, -1, vocabulary_size).argmax())


def _numpy() -> Any:
    """numpy, imported by the first step that needs it: `llama_cpp_binding` says why."""
    return importlib.import_module("numpy")


def _log_probabilities(context: Any, row: int, vocabulary_size: int) -> Any:
    np = _numpy()
    logits = _logits(context, row, vocabulary_size)
    largest = logits.max()
    return logits - (largest + np.log(np.exp(logits - largest).sum()))


def _logits(context: Any, row: int, vocabulary_size: int) -> Any:
    np = _numpy()
    pointer = llama_cpp.llama_get_logits_ith(context, row)
    logits = np.ctypeslib.as_array(pointer, shape=(vocabulary_size,)).astype(np.float64)
    if not np.isfinite(logits).all():
        raise EngineError("llama.cpp's logits are no numbers: the weights are damaged, or a kernel is wrong")
    return logits
