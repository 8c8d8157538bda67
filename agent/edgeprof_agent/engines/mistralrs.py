"""mistral.rs, built on Candle, through its Python package: requests to its engine, one after the other.

It takes no token ids, only messages, so prompts are texts of about as many tokens as a step asks for, counted by its
own tokeniser, and answers are what the model prefers. A chat template that changes nothing keeps each prompt as it is.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from time import monotonic_ns
from typing import Any, Callable, Mapping

import mistralrs

from .answer import Answer, Usage, corrected_counts
from .conversations import Seeds, TextConversation, TextWriter
from .engine import Engine, EngineError, Loaded, Step
from .options import Option, OptionValue, write_value
from .recorder import Recorder

_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
_QUANTISATIONS = ("none", "q8_0", "q6k", "q5k", "q4k", "q3k", "q2k")
# What the package raises: it hands on whatever its engine says as a ValueError.
_REFUSALS = (OSError, RuntimeError, TypeError, ValueError)


class MistralRs(Engine):
    """One model of mistral.rs."""

    name = "mistralrs"

    def __init__(self) -> None:
        self.version = version("mistralrs")
        self.build = ""
        self.options = declared_options()
        self._runner: Any = None
        self._writer: TextWriter | None = None
        self._seeds = Seeds(0)

    def load(
        self,
        path: str,
        options: Mapping[str, OptionValue],
        context_tokens: int,  # noqa: ARG002 - its cache grows as it is filled
        seed: int,
    ) -> Loaded:
        """Load a GGUF file or a Hugging Face folder of floats.

        Raises:
            EngineError: mistral.rs cannot load it.
        """
        try:
            self._runner = _open_runner(Path(path), options)
            self._writer = TextWriter(self._count_tokens, cheap=True)
        except _REFUSALS as error:
            self.unload()
            raise EngineError(f"{path}: mistral.rs cannot load it: {_first_line(error)}") from error
        self._seeds = Seeds(seed)
        in_force = {name: write_value(value) for name, value in options.items()}
        return Loaded(in_force, weights_bytes=None, kv_cache_bytes=None, compute_bytes=None)

    def unload(self) -> None:
        """Let the engine go; it ends its threads itself."""
        self._runner = self._writer = None

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step. The context up to its depth is sent before any clock is read, so that the cache has it."""
        conversation = self._fill(step.depth_tokens, recorder)
        if step.kind == "prefill":
            self._turn(step, 1, conversation, recorder, tokens_count=False)
        elif step.kind == "decode":
            self._decode(step, conversation, recorder)
        else:
            for _ in range(step.turns):
                self._turn(step, step.decode_tokens, conversation, recorder, tokens_count=True)

    def _fill(self, depth_tokens: int, recorder: Recorder) -> TextConversation:
        if self._writer is None:
            raise EngineError("no model is loaded")
        conversation = TextConversation(self._writer, chat=True)
        if depth_tokens:
            conversation.extend(depth_tokens, self._seeds.of_depth)
            self._complete(conversation, 1, recorder, lambda _: None)
        return conversation

    def _turn(
        self, step: Step, decode_tokens: int, conversation: TextConversation, recorder: Recorder, *, tokens_count: bool
    ) -> None:
        """The whole conversation is sent again; what mistral.rs says it had in its cache is reused."""
        known = conversation.tokens
        conversation.extend(step.prompt_tokens, self._seeds.fresh())
        depth = min(step.depth_tokens, known)
        recorder.begin(prompt_tokens=conversation.tokens - depth, reused_tokens=0, depth_tokens=depth)
        arrivals = 0

        def arrived(time_ns: int) -> None:
            nonlocal arrivals
            if arrivals == 0:
                recorder.prefill_end(time_ns)
            arrivals += 1
            if tokens_count:
                recorder.token(at_ns=time_ns)

        answer = self._complete(conversation, decode_tokens, recorder, arrived)
        total, cached = answer.usage.prompt_tokens or 0, answer.usage.cached_tokens or 0
        depth = min(step.depth_tokens, cached)
        counts = corrected_counts(answer) if tokens_count else {}
        recorder.end(prompt_tokens=total - depth, reused_tokens=cached - depth, depth_tokens=depth, **counts)
        conversation.add_answer(answer)

    def _decode(self, step: Step, conversation: TextConversation, recorder: Recorder) -> None:
        """The first token follows from the prompt, which has one token at least; the clock starts when it is there."""
        if not conversation.tokens:
            conversation.extend(1, self._seeds.of_depth)
        arrivals = 0

        def arrived(time_ns: int) -> None:
            nonlocal arrivals
            if arrivals == 0:
                recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=conversation.tokens)
            else:
                recorder.token(at_ns=time_ns)
            arrivals += 1

        answer = self._complete(conversation, step.decode_tokens + 1, recorder, arrived)
        timed = answer._replace(event_tokens=answer.event_tokens[1:], total_tokens=answer.total_tokens - 1)
        recorder.end(depth_tokens=answer.usage.prompt_tokens or conversation.tokens, **corrected_counts(timed))

    def _complete(
        self, conversation: TextConversation, decode_tokens: int, recorder: Recorder, arrived: Callable[[int], None]
    ) -> Answer:
        """Send the conversation and take the answer: a token at a time, but for those that make one character."""
        messages: Any = conversation.fields()["messages"]
        request = mistralrs.ChatCompletionRequest(
            messages=messages,
            model="default",
            max_tokens=decode_tokens,
            temperature=0.0,
            ignore_eos=True,
            stream=True,
        )
        recorder.check()
        texts: list[str] = []
        usage: Any = None
        try:
            for chunk in self._runner.send_chat_completion_request(request):
                arrived(monotonic_ns())
                texts.append(chunk.choices[0].delta.content or "")
                usage = chunk.usage or usage
        except _REFUSALS as error:
            raise EngineError(f"mistral.rs cannot answer: {_first_line(error)}") from error
        total = usage.completion_tokens if usage else len(texts)
        if usage is None or total != decode_tokens:
            raise EngineError(f"mistral.rs ended its answer after {total} of {decode_tokens} tokens")
        details = usage.prompt_tokens_details
        return Answer(
            text="".join(texts),
            token_ids=[],
            event_tokens=[1] * len(texts),
            total_tokens=total,
            usage=Usage(
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cached_tokens=details.cached_tokens if details else 0,
            ),
            end_ns=monotonic_ns(),
        )

    def _count_tokens(self, text: str) -> int:
        return len(self._runner.tokenize_text(text, False, None))


def declared_options() -> tuple[Option, ...]:
    """Every option, with mistral.rs's defaults."""
    return (
        Option("prefix_cache", "integer", "16", "sequences that are kept for later turns; 0: none", minimum=0),
        Option("in_situ_quant", "choice", "none", "quantise while loading", choices=_QUANTISATIONS),
        Option("paged_attention", "choice", "auto", "auto: on CUDA and Metal", choices=("auto", "on", "off")),
    )


def _open_runner(path: Path, options: Mapping[str, OptionValue]) -> Any:
    which: Any
    if path.is_dir():
        which = mistralrs.Which.Plain(model_id=str(path))
    else:
        which = mistralrs.Which.GGUF(quantized_model_id=str(path.parent), quantized_filename=path.name)
    quantisation = str(options["in_situ_quant"])
    with tempfile.NamedTemporaryFile("w", suffix=".jinja") as template:
        template.write(_TEMPLATE)
        template.flush()
        return mistralrs.Runner(
            which=which,
            token_source="none",  # noqa: S106 - says that there is no password: nothing is fetched
            prefix_cache_n=int(options["prefix_cache"]),
            in_situ_quant=None if quantisation == "none" else quantisation,
            paged_attn=options["paged_attention"] == "on",
            no_paged_attn=options["paged_attention"] == "off",
            jinja_explicit=template.name,
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300] or type(error).__name__


def open_engine() -> MistralRs:
    """The engine of this file."""
    return MistralRs()
