"""What a model writes after each of some prompts, always taking the likeliest next token."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from .engine import EngineError, Step
from .llama_cpp_binding import llama_cpp
from .llama_cpp_log import LlamaLog, decode_failure
from .llama_cpp_scoring import likeliest_of_all
from .llama_cpp_vocabulary import Vocabulary
from .recorder import Recorder


class GreedyAnswers:
    """Has prompts continued in a context, which it empties before each."""

    def __init__(self, model: Any, context: Any, log: LlamaLog) -> None:
        self._context = context
        self._log = log
        self._vocabulary = Vocabulary(model)

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a tasks step: one request, of which each prompt with its answer is a token event.

        Raises:
            EngineError: the model has no vocabulary, the context no room, or a call failed.
            StepCancelledError: the step is cancelled; the times up to there are sent.
        """
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=0)
        texts = []
        for prompt in step.prompts:
            tokens = self._vocabulary.tokens_to_go_on_from(prompt)
            text, written = self._answer(tokens, step.decode_tokens, recorder.check)
            texts.append(text)
            recorder.token(len(tokens) + written)
        recorder.end()
        recorder.answers(texts)

    def _answer(self, tokens: Sequence[int], most: int, check: Callable[[], None]) -> tuple[str, int]:
        """What the model writes after these tokens, and in how many tokens: one line of ``most`` at most."""
        room = llama_cpp.llama_n_ctx(self._context)
        if len(tokens) + most > room:
            raise EngineError(f"a prompt has {len(tokens)} tokens and its answer {most}; the context has {room}")
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), False)
        self._process(tokens, check)
        content = b""
        for written in range(most):
            token = likeliest_of_all(self._context, self._vocabulary.size)
            if self._vocabulary.ends_text(token) or b"\n" in content:
                return _text_of(content), written
            content += self._vocabulary.bytes_of(token)
            if written + 1 < most:
                self._process([token], check)
        return _text_of(content), most

    def _process(self, tokens: Sequence[int], check: Callable[[], None]) -> None:
        """Process tokens in calls that the context can take; logits are those of the last one."""
        most = llama_cpp.llama_n_batch(self._context)
        for start in range(0, len(tokens), most):
            part = tokens[start : start + most]
            array = (llama_cpp.llama_token * len(part))(*part)
            status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(part)))
            if status != 0:
                raise EngineError(decode_failure(status, self._log))
            check()
        llama_cpp.llama_synchronize(self._context)


def _text_of(content: bytes) -> str:
    """As text; what is half a character becomes the sign for that."""
    return content.decode("utf-8", errors="replace")
