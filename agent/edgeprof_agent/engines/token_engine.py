"""Engines that process exactly the tokens they are told to: how each kind of step is done with them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Callable

from .engine import Engine, EngineError, Step
from .next_tokens import NextTokens
from .recorder import Recorder


class TokenEngine(Engine):
    """An engine with a context of tokens, which it extends at the end and cuts back.

    The tokens are fixed: which one stands at a position is `token_ids.token_id`. So a context is known by its
    length alone, and one that is long enough already is cut back rather than processed again.
    """

    @property
    @abstractmethod
    def context_length(self) -> int:
        """Tokens in the context."""

    @abstractmethod
    def rewind(self, length: int, check: Callable[[], None]) -> None:
        """Make the context hold its first ``length`` tokens: cut off the rest, process what is missing.

        ``check`` may raise between two calls of the engine; the context is then shorter, but sound.
        """

    @abstractmethod
    def process(self, count: int, check: Callable[[], None]) -> None:
        """Extend the context by ``count`` tokens, and return when the device has finished."""

    def decode(self, count: int, recorder: Recorder) -> None:
        """Extend the context by ``count`` tokens one by one, and record each when the device has finished."""
        for _ in range(count):
            self.process(1, recorder.check)
            recorder.token()

    def score(self, count: int, kept: NextTokens, check: Callable[[], None]) -> None:  # noqa: ARG002 - for others
        """Extend the context by ``count`` tokens as `process` does, and keep the likeliest next tokens after each.

        Raises:
            EngineError: the engine hands out no logits; its capabilities say so.
        """
        raise EngineError(f"the engine {self.name} hands out no logits, so fidelity cannot be measured: leave it out")

    def process_together(self, count: int, check: Callable[[], None]) -> None:
        """Extend the context by ``count`` tokens in one call, and return when the device has finished.

        Raises:
            EngineError: an option limits calls to fewer tokens.
        """
        self.process(count, check)

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step. The context up to its depth is made ready before any clock is read."""
        self.rewind(step.depth_tokens, recorder.check)
        if step.kind == "prefill":
            self._prefill(step, recorder)
        elif step.kind == "decode":
            self._decode(step, recorder)
        elif step.kind == "fidelity":
            self._fidelity(step, recorder)
        elif step.kind == "rows":
            self._rows(step, recorder)
        else:
            self._chat(step, recorder)

    def _prefill(self, step: Step, recorder: Recorder) -> None:
        recorder.begin(prompt_tokens=step.prompt_tokens, reused_tokens=0, depth_tokens=step.depth_tokens)
        self.process(step.prompt_tokens, recorder.check)
        recorder.prefill_end()
        recorder.end()

    def _decode(self, step: Step, recorder: Recorder) -> None:
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=step.depth_tokens)
        self.decode(step.decode_tokens, recorder)
        recorder.end()

    def _fidelity(self, step: Step, recorder: Recorder) -> None:
        """Both ways by which a token comes into the context: many in a call, and one at a time.

        Engines have kernels of their own for each.
        """
        kept = NextTokens(step.top_count)
        recorder.begin(prompt_tokens=step.prompt_tokens, reused_tokens=0, depth_tokens=step.depth_tokens)
        if step.prompt_tokens:
            self.score(step.prompt_tokens, kept, recorder.check)
            recorder.prefill_end()
        for _ in range(step.decode_tokens):
            self.score(1, kept, recorder.check)
            recorder.token()
        recorder.end()
        recorder.next_tokens(kept)

    def _rows(self, step: Step, recorder: Recorder) -> None:
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=step.depth_tokens)
        for _ in range(step.decode_tokens // step.rows):
            self.process_together(step.rows, recorder.check)
            recorder.token(step.rows)
        recorder.end()

    def _chat(self, step: Step, recorder: Recorder) -> None:
        """Each turn's prompt is the conversation so far, which is in the context already, and the new tokens.

        A turn's first token is there when its prompt is processed, each later one when the token before it is.
        What the last token adds to the context is processed after the turn has ended, as the first thing that
        the next turn rests on.
        """
        for turn in range(1, step.turns + 1):
            reused_tokens = self.context_length - step.depth_tokens
            recorder.begin(
                prompt_tokens=reused_tokens + step.prompt_tokens,
                reused_tokens=reused_tokens,
                depth_tokens=step.depth_tokens,
            )
            self.process(step.prompt_tokens, recorder.check)
            recorder.prefill_end()
            recorder.token()
            self.decode(step.decode_tokens - 1, recorder)
            recorder.end()
            if turn < step.turns:
                self.process(1, recorder.check)
