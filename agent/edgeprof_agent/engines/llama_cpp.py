"""llama.cpp through the low-level calls of llama-cpp-python 0.3.36 and up."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Mapping

from .engine import EngineError, Loaded, Step
from .gguf_magic import refuse_what_is_no_gguf
from .llama_cpp_answers import GreedyAnswers
from .llama_cpp_binding import binding_version, llama_cpp
from .llama_cpp_log import LlamaLog, decode_failure
from .llama_cpp_options import declared_options
from .llama_cpp_parameters import Numa, context_parameters, model_parameters, refuse_gpu_options_without_gpu
from .llama_cpp_scoring import likeliest, tokens_in_a_call
from .llama_cpp_sequences import ParallelSequences
from .llama_cpp_text import TextWindows
from .llama_cpp_threads import ThreadPool
from .next_tokens import NextTokens
from .options import OptionValue, write_value
from .recorder import Recorder
from .token_engine import TokenEngine
from .token_ids import token_id

_SEQUENCE = 0


class LlamaCpp(TokenEngine):
    """One model and one context of llama.cpp.

    Rates agree with llama-bench's: the same defaults, logits of a call's last token only, prompts in calls of
    ``batch`` tokens with one synchronisation at the end, and one after each decoded token.
    """

    name = "llama-cpp-python"

    def __init__(self) -> None:
        self._log = LlamaLog()
        llama_cpp.llama_backend_init()
        self.version = binding_version()
        self.build = _build()
        self.options = declared_options()
        self._numa = Numa()
        self._model: Any = None
        self._context: Any = None
        self._threads: ThreadPool | None = None
        self._parallel: ParallelSequences | None = None
        self._tokens: list[int] = []
        self._call: Any = None
        self._batch: Any = None
        self._wanted_logits: Any = None
        self._length = 0
        self._call_tokens = 0
        self._vocabulary_size = 0
        self._can_cut = True

    @property
    def context_length(self) -> int:
        """Tokens in the context."""
        return self._length

    def load(self, path: str, options: Mapping[str, OptionValue], context_tokens: int, seed: int) -> Loaded:
        """Load the model and make a context of the tokens wanted.

        Raises:
            EngineError: the file is no GGUF or is damaged, llama.cpp does not know its architecture, an option
                cannot be honoured, or memory ran out.
        """
        refuse_what_is_no_gguf(path)
        refuse_gpu_options_without_gpu(self.options, options)
        self._numa.choose(str(options["numa"]))
        wanted = int(options["context"]) or context_tokens
        if wanted < context_tokens:
            raise EngineError(f"the option 'context' is {wanted}, but the plan needs {context_tokens}; leave it out")
        self._log.clear()
        try:
            self._load_model(path, options)
            self._make_context(options, wanted)
        except EngineError:
            self.unload()
            raise
        self._call_tokens = llama_cpp.llama_n_batch(self._context)
        self._choose_tokens(context_tokens, seed, bool(options["logits_all"]))
        self._parallel = ParallelSequences(self._model, options, seed, self._log)
        return Loaded(
            options=self._options_in_force(options),
            weights_bytes=llama_cpp.llama_model_size(self._model),
            kv_cache_bytes=self._log.buffer_bytes("KV", "RS"),
            compute_bytes=self._log.buffer_bytes("compute", "output"),
        )

    def unload(self) -> None:
        """Free threads, contexts and model."""
        if self._parallel is not None:
            self._parallel.close()
            self._parallel = None
        if self._threads is not None:
            self._threads.close()
            self._threads = None
        if self._context is not None:
            llama_cpp.llama_free(self._context)
            self._context = None
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
            self._model = None
        self._length = 0

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step, a parallel one in a context of its own. A text leaves nothing behind in the context."""
        if step.kind in ("perplexity", "tasks"):
            reader = TextWindows if step.kind == "perplexity" else GreedyAnswers
            try:
                reader(self._model, self._require_context(), self._log).run(step, recorder)
            finally:
                self._forget_context()
        elif step.kind != "parallel":
            super().run(step, recorder)
        elif self._parallel is None:
            raise EngineError("no model is loaded")
        else:
            self._parallel.run(step, recorder)

    def process_together(self, count: int, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens in one call, then synchronise.

        Raises:
            EngineError: the option 'batch' is smaller.
        """
        if count > self._call_tokens:
            raise EngineError(f"the option 'batch' is {self._call_tokens}, but the step needs calls of {count} tokens")
        self.process(count, check)

    def rewind(self, length: int, check: Callable[[], None]) -> None:
        """Make the context hold its first ``length`` tokens.

        A recurrent state cannot be cut back, and a sliding window has forgotten what came before the cut, so
        with these the whole context is processed again.
        """
        self._log.clear()
        memory = llama_cpp.llama_get_memory(self._require_context())
        if self._length > length:
            if length == 0 or not self._can_cut:
                llama_cpp.llama_memory_clear(memory, False)
                self._length = 0
            elif llama_cpp.llama_memory_seq_rm(memory, _SEQUENCE, length, -1):
                self._length = length
            else:
                raise EngineError(f"llama.cpp could not cut its context back to {length} tokens")
        self.process(length - self._length, check)

    def process(self, count: int, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens in calls of at most ``batch``, then synchronise."""
        context = self._context
        start, end = self._length, self._length + count
        if context is None or end > len(self._tokens):
            raise EngineError(self._no_room(end))
        while start < end:
            size = min(self._call_tokens, end - start)
            self._call[:size] = self._tokens[start : start + size]
            self._batch.n_tokens = size
            status = llama_cpp.llama_decode(context, self._batch)
            if status != 0:
                raise self._failed_call(status)
            self._length = start = start + size
            if start < end:
                check()
        llama_cpp.llama_synchronize(context)

    def decode(self, count: int, recorder: Recorder) -> None:
        """Process the next ``count`` tokens one by one, and record each once it is synchronised.

        As little Python as can be: between two tokens it runs on caches that the weights have just swept.
        """
        context, batch, call, tokens = self._context, self._batch, self._call, self._tokens
        decode, synchronize, record = llama_cpp.llama_decode, llama_cpp.llama_synchronize, recorder.token
        end = self._length + count
        if context is None or end > len(tokens):
            raise EngineError(self._no_room(end))
        batch.n_tokens = 1
        for position in range(self._length, end):
            call[0] = tokens[position]
            status = decode(context, batch)
            if status != 0:
                raise self._failed_call(status)
            synchronize(context)
            self._length = position + 1
            record()

    def score(self, count: int, kept: NextTokens, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens with the logits of all, and keep the likeliest next tokens after each."""
        context = self._context
        end = self._length + count
        if context is None or end > len(self._tokens):
            raise EngineError(self._no_room(end))
        most = tokens_in_a_call(min(self._call_tokens, count), self._vocabulary_size)
        wanted = (ctypes.c_int8 * most)(*[1] * most)
        batch = llama_cpp.llama_batch(token=self._call, logits=wanted)
        while self._length < end:
            batch.n_tokens = size = min(most, end - self._length)
            self._call[:size] = self._tokens[self._length : self._length + size]
            status = llama_cpp.llama_decode(context, batch)
            if status != 0:
                raise self._failed_call(status)
            llama_cpp.llama_synchronize(context)
            self._length += size
            for row in range(size):
                kept.add(likeliest(context, row, self._vocabulary_size, kept.top_count))
            check()

    def _no_room(self, end: int) -> str:
        if self._context is None:
            return "no model is loaded"
        return f"the step needs {end} tokens of context; the model was loaded with {len(self._tokens)}"

    def _load_model(self, path: str, options: Mapping[str, OptionValue]) -> None:
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_parameters(options))
        if self._model is None:
            raise EngineError(f"{path}: llama.cpp cannot load it: {self._log.cause('it does not say why')}")
        if llama_cpp.llama_model_has_encoder(self._model):
            raise EngineError(f"{path}: an encoder-decoder model: only models that continue a text can be run")
        if any("failed to mlock" in line for line in self._log.lines):
            raise EngineError("the option 'mlock' cannot be honoured: raise the limit of locked memory (ulimit -l)")
        self._can_cut = not (
            llama_cpp.llama_model_is_recurrent(self._model)
            or llama_cpp.llama_model_is_hybrid(self._model)
            or llama_cpp.llama_model_n_swa(self._model) > 0
        )

    def _make_context(self, options: Mapping[str, OptionValue], context_tokens: int) -> None:
        self._context = llama_cpp.llama_init_from_model(self._model, context_parameters(options, context_tokens))
        if self._context is None:
            raise EngineError(
                f"llama.cpp cannot make a context of {context_tokens} tokens: {self._log.cause('it does not say why')}"
            )
        if llama_cpp.llama_get_memory(self._context) is None:
            raise EngineError("the model keeps no context, so it is no model that continues a text")
        if options["thread_pool"]:
            threads = max(int(options["threads"]), int(options["threads_batch"]))
            self._threads = ThreadPool(self._context, threads)

    def _choose_tokens(self, context_tokens: int, seed: int, logits_all: bool) -> None:
        """Choose the tokens, and make the one batch that every call hands over.

        Without positions and sequences llama.cpp continues sequence 0; without wishes for logits it computes
        those of a call's last token. The arrays live as long as the batch that points into them.
        """
        self._vocabulary_size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))
        self._tokens = [token_id(seed, position, self._vocabulary_size) for position in range(context_tokens)]
        self._call = (llama_cpp.llama_token * self._call_tokens)()
        self._wanted_logits = None
        if logits_all:
            self._wanted_logits = (ctypes.c_int8 * self._call_tokens)()
            ctypes.memset(self._wanted_logits, 1, ctypes.sizeof(self._wanted_logits))
        self._batch = llama_cpp.llama_batch(token=self._call, logits=self._wanted_logits)

    def _options_in_force(self, options: Mapping[str, OptionValue]) -> dict[str, str]:
        in_force = dict(options)
        in_force["context"] = llama_cpp.llama_n_ctx(self._context)
        in_force["batch"] = self._call_tokens
        in_force["micro_batch"] = llama_cpp.llama_n_ubatch(self._context)
        in_force["threads_batch"] = llama_cpp.llama_n_threads_batch(self._context)
        if not llama_cpp.llama_supports_gpu_offload():
            in_force["gpu_layers"] = 0
        if options["flash_attention"] == "auto":
            in_force["flash_attention"] = self._log.flash_attention() or "auto"
        if options["rope_scaling"] == "model":
            in_force["rope_scaling"] = self._log.said("rope scaling") or "model"
        for name, said in (("rope_frequency_base", "freq_base"), ("rope_frequency_scale", "freq_scale")):
            in_force[name] = self._log.said(said) or in_force[name]
        return {name: write_value(value) for name, value in in_force.items()}

    def _require_context(self) -> Any:
        if self._context is None:
            raise EngineError("no model is loaded")
        return self._context

    def _failed_call(self, status: int) -> EngineError:
        self._forget_context()
        return EngineError(decode_failure(status, self._log))

    def _forget_context(self) -> None:
        """Empty the context after a call that failed: how far it came is not known."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), False)
        self._length = 0


def _build() -> str:
    """llama.cpp's version, the commit of the ggml in it, and the back ends and processor features it was built for."""
    version = llama_cpp.llama_version().decode()
    features = " ".join(llama_cpp.llama_print_system_info().decode().split())
    try:
        commit = llama_cpp._lib.ggml_commit  # noqa: SLF001 - the binding declares no function that tells it
    except AttributeError:  # nor does it promise to keep the name
        return f"llama.cpp {version}; {features.rstrip(' |')}"
    commit.restype = ctypes.c_char_p
    return f"llama.cpp {version}, ggml {commit().decode()}; {features.rstrip(' |')}"


def open_engine() -> LlamaCpp:
    """The engine of this file.

    Raises:
        EngineError: the installed llama-cpp-python is too old.
    """
    if not hasattr(llama_cpp, "llama_load_mode_name"):
        raise EngineError(
            f"llama-cpp-python {binding_version()} is too old: pip install --upgrade 'llama-cpp-python>=0.3.36'"
        )
    return LlamaCpp()
