"""What a model of MLX writes after each of some prompts, always taking the likeliest next token."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import mlx.core as mx
from mlx_lm.utils import load_tokenizer

from .engine import EngineError, Step, in_one_line
from .recorder import Recorder

# What transformers raises for a folder without a tokenizer, or with one that it cannot read.
_REFUSALS = (AttributeError, ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)


class GreedyAnswers:
    """Has prompts continued, each with a cache of its own.

    Raises:
        EngineError: the model's folder has no tokenizer that can be read.
    """

    def __init__(self, model: Any, folder: Path, new_cache: Callable[[], Any]) -> None:
        self._model = model
        self._new_cache = new_cache
        try:
            self._tokenizer = load_tokenizer(folder)
        except _REFUSALS as error:
            raise EngineError(
                f"{folder}: has no tokenizer that mlx-lm can read, so that no text can be: {in_one_line(error)}"
            ) from error

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a tasks step: one request, of which each prompt with its answer is a token event.

        Raises:
            StepCancelledError: the step is cancelled; the times up to there are sent.
        """
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=0)
        texts = []
        for prompt in step.prompts:
            tokens = self._tokens_of(prompt)
            written = self._written_after(tokens, step.decode_tokens, recorder.check)
            texts.append(str(self._tokenizer.decode(written)))
            recorder.token(len(tokens) + len(written))
        recorder.end()
        recorder.answers(texts)

    def _tokens_of(self, prompt: str) -> list[int]:
        """The prompt with what the model wants before a text, and without what would end it."""
        tokens = [int(token) for token in self._tokenizer.encode(prompt)]
        if len(tokens) > 1 and tokens[-1] in self._tokenizer.eos_token_ids:
            tokens.pop()
        return tokens

    def _written_after(self, tokens: list[int], most: int, check: Callable[[], None]) -> list[int]:
        cache = self._new_cache()
        written: list[int] = []
        fed = tokens
        while len(written) < most:
            logits = self._model(mx.array([fed]), cache=cache)[0, -1]
            token: int = mx.argmax(logits).item()  # type: ignore[assignment]  # of indices it is one
            if token in self._tokenizer.eos_token_ids:
                break
            written.append(token)
            fed = [token]
            check()
        return written
