"""How well a model foresees a text, as llama.cpp's own perplexity tool measures it.

The text becomes tokens by the model's vocabulary, and these are cut into windows. Each window is processed from an
empty context; the first half of it is context alone, and of the second half each token's probability is taken:
https://github.com/ggml-org/llama.cpp/blob/master/tools/perplexity/README.md
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Sequence

from .engine import EngineError, Step
from .llama_cpp_binding import llama_cpp
from .llama_cpp_log import LlamaLog, decode_failure
from .llama_cpp_scoring import log_probability, tokens_in_a_call
from .llama_cpp_vocabulary import Vocabulary
from .recorder import Recorder
from .text_file import read_text_file

# Past nine decimals of a mean lies what 32-bit logits leave uncertain.
_DECIMALS = 9


class TextWindows:
    """Reads texts in a context, which it empties before each window."""

    def __init__(self, model: Any, context: Any, log: LlamaLog) -> None:
        self._context = context
        self._log = log
        self._vocabulary = Vocabulary(model)

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a perplexity step: one request, of which each window is a token event.

        Raises:
            EngineError: the text cannot be read, is too short for one window, or a call failed.
            StepCancelledError: the step is cancelled; the times up to there are sent.
        """
        text = read_text_file(step.text)
        tokens = self._vocabulary.tokens_of(text.text)
        size = step.prompt_tokens
        count = min(len(tokens) // size, step.windows)
        if not count:
            raise EngineError(
                f"the text {step.text} has {len(tokens)} tokens, and a window {size}: take a longer text or fewer "
                "'prompt_tokens'"
            )
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=0)
        nats = []
        for start in range(0, count * size, size):
            nats.append(self._nats(self._window(tokens[start : start + size]), recorder.check))
            recorder.token(size)
        recorder.end()
        recorder.text_score(text.sha256, [round(each, _DECIMALS) for each in nats])

    def _window(self, tokens: Sequence[int]) -> list[int]:
        """A window as the model expects a text: where it wants one, a token for the beginning in place of the first."""
        first = self._vocabulary.first_of_a_text
        return list(tokens) if first is None else [first, *tokens[1:]]

    def _nats(self, window: Sequence[int], check: Callable[[], None]) -> float:
        """The mean negative logarithm of the probabilities of the window's second half, but for its first token."""
        first = len(window) // 2
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), False)
        most = tokens_in_a_call(llama_cpp.llama_n_batch(self._context), self._vocabulary.size)
        logarithms: list[float] = []
        for start in range(0, len(window), most):
            tokens = window[start : start + most]
            self._decode(tokens, [start + row >= first for row in range(len(tokens))])
            for row in range(max(first - start, 0), len(tokens)):
                place = start + row + 1
                if place < len(window):
                    logarithms.append(log_probability(self._context, row, self._vocabulary.size, window[place]))
            check()
        return max(-sum(logarithms) / len(logarithms), 0.0)

    def _decode(self, tokens: Sequence[int], wanted: Sequence[bool]) -> None:
        count = len(tokens)
        batch = llama_cpp.llama_batch(
            n_tokens=count,
            token=(llama_cpp.llama_token * count)(*tokens),
            logits=(ctypes.c_int8 * count)(*wanted),
        )
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise EngineError(decode_failure(status, self._log))
        llama_cpp.llama_synchronize(self._context)
