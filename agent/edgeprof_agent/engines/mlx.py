"""MLX through mlx-lm 0.31 and up: Metal on Apple Silicon, the processor on Linux."""

from __future__ import annotations

import contextlib
import gc
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Mapping

import mlx.core as mx
import numpy as np  # mlx-lm itself needs it
from mlx.utils import tree_flatten
from mlx_lm.generate import wired_limit
from mlx_lm.models.cache import can_trim_prompt_cache, make_prompt_cache, trim_prompt_cache
from mlx_lm.utils import load_model

from .engine import EngineError, Loaded, Step, in_one_line
from .mlx_answers import GreedyAnswers
from .model_folder import require_folder
from .next_tokens import NextTokens
from .options import Option, OptionValue, write_value
from .recorder import Recorder
from .token_engine import TokenEngine
from .token_ids import token_id

_FLOATS = "none"
_KV_BITS = (_FLOATS, "8", "6", "4", "3", "2")
_DEVICES = {"cpu": mx.cpu, "gpu": mx.gpu}
# What mlx-lm and MLX raise for a model that they do not know or cannot read, and for work they cannot do.
_REFUSALS = (AttributeError, KeyError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError)


class Mlx(TokenEngine):
    """One model of mlx-lm and its prompt cache.

    Work is done as ``mlx_lm.generate`` does it: all tokens of a prompt but the last in calls of ``prefill_step``, of
    which only the cache is evaluated, then the last one, of which the logits are. MLX queues work and goes on, so
    every call is evaluated and waited for; ``mlx_lm.generate`` waits for a token while the next is being queued.
    """

    name = "mlx"

    def __init__(self) -> None:
        self.version = version("mlx-lm")
        self.build = _build()
        self.options = declared_options()
        self._model: Any = None
        self._folder = Path()
        self._cache: Any = None
        self._new_cache: Callable[[], Any] = list
        self._tokens: Any = None
        self._length = 0
        self._call_tokens = 0
        self._loaded = contextlib.ExitStack()

    @property
    def context_length(self) -> int:
        """Tokens in the context."""
        return self._length

    def load(self, path: str, options: Mapping[str, OptionValue], context_tokens: int, seed: int) -> Loaded:
        """Load the model of a folder.

        Raises:
            EngineError: the folder holds no model that mlx-lm can load, or an option cannot be honoured.
        """
        folder = self._folder = require_folder(path, "MLX", "mlx-q4")
        mx.set_default_device(_DEVICES[str(options["device"])])
        try:
            self._model, config = load_model(folder, lazy=False)
            self._loaded.enter_context(wired_limit(self._model))
            self._new_cache = lambda: _prompt_cache(self._model, options)
            self._cache = self._new_cache()
        except _REFUSALS as error:
            self.unload()
            raise EngineError(f"{path}: mlx-lm cannot load it: {in_one_line(error)}") from error
        except EngineError:
            self.unload()
            raise
        vocabulary_size = int(config.get("vocab_size") or config["text_config"]["vocab_size"])
        self._tokens = mx.array([[token_id(seed, position, vocabulary_size) for position in range(context_tokens)]])
        self._call_tokens = int(options["prefill_step"])
        mx.eval(self._tokens)
        return Loaded(
            options={name: write_value(value) for name, value in options.items()},
            weights_bytes=sum(array.nbytes for _, array in tree_flatten(self._model.parameters())),
            kv_cache_bytes=None,  # it grows as it is filled
            compute_bytes=None,
        )

    def unload(self) -> None:
        """Let model and cache go, and the memory that MLX keeps for later."""
        self._loaded.close()
        self._model = self._cache = self._tokens = None
        self._new_cache = list
        self._length = 0
        gc.collect()
        mx.clear_cache()

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step. Tasks have a cache of their own, and leave the context as it is."""
        if step.kind != "tasks":
            super().run(step, recorder)
            return
        self._require_model()
        try:
            GreedyAnswers(self._model, self._folder, self._new_cache).run(step, recorder)
        except _REFUSALS as error:
            raise self._refused(error) from error

    def rewind(self, length: int, check: Callable[[], None]) -> None:
        """Make the context hold its first ``length`` tokens.

        A cache that cannot be trimmed, as a recurrent state's or that of a sliding window which is full, is filled
        again from the beginning.
        """
        self._require_model()
        if length < self._length:
            if length and can_trim_prompt_cache(self._cache):
                trim_prompt_cache(self._cache, self._length - length)
                self._length = length
            else:
                self._forget_context()
        self.process(length - self._length, check)

    def process(self, count: int, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens, and wait until the device has."""
        end = self._end_after(count)
        try:
            while self._length < end:
                self._call(min(self._call_tokens, end - 1 - self._length) or 1, is_last=self._length == end - 1)
                if self._length < end:
                    check()
        except _REFUSALS as error:
            raise self._refused(error) from error

    def process_together(self, count: int, check: Callable[[], None]) -> None:  # noqa: ARG002 - there is one call
        """Process the next ``count`` tokens in one call, with the logits of each, and wait until the device has."""
        self._end_after(count)
        try:
            self._call(count, is_last=True)
        except _REFUSALS as error:
            raise self._refused(error) from error

    def _end_after(self, count: int) -> int:
        """How long the context will be after ``count`` more tokens, if there is room for them."""
        self._require_model()
        end = self._length + count
        if end > self._tokens.shape[1]:
            raise EngineError(
                f"the step needs {end} tokens of context; the model was loaded with {self._tokens.shape[1]}"
            )
        return int(end)

    def _refused(self, error: Exception) -> EngineError:
        self._forget_context()
        return EngineError(f"MLX cannot process the tokens: {in_one_line(error)}")

    def score(self, count: int, kept: NextTokens, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens in calls of ``prefill_step``, with the logits of all of them."""
        end = self._end_after(count)
        try:
            while self._length < end:
                size = min(self._call_tokens, end - self._length)
                for row in self._likeliest(size, kept.top_count):
                    kept.add(row)
                check()
        except _REFUSALS as error:
            raise self._refused(error) from error

    def _likeliest(self, size: int, count: int) -> list[list[tuple[int, float]]]:
        """Process ``size`` tokens, and return the likeliest next tokens after each with their log-probabilities."""
        logits = self._model(self._tokens[:, self._length : self._length + size], cache=self._cache)[0]
        logits = logits.astype(mx.float32)
        count = min(count, logits.shape[-1])
        log_probabilities = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        ids = mx.argpartition(-log_probabilities, kth=count - 1, axis=-1)[:, :count]
        values = mx.take_along_axis(log_probabilities, ids, axis=-1)
        is_sound = mx.isfinite(log_probabilities).all()
        self._wait_for([ids, values, is_sound, [layer.state for layer in self._cache]])
        self._length += size
        if not is_sound.item():
            raise EngineError("MLX's logits are no numbers: the weights are damaged, or a kernel is wrong")
        tokens, logs = np.array(ids), np.array(values)
        return [[(int(tokens[row, at]), float(logs[row, at])) for at in range(count)] for row in range(size)]

    def _call(self, size: int, *, is_last: bool) -> None:
        """Process ``size`` tokens. Logits that are not waited for are never computed."""
        logits = self._model(self._tokens[:, self._length : self._length + size], cache=self._cache)
        states = [layer.state for layer in self._cache]
        self._wait_for([logits, states] if is_last else states)
        self._length += size
        if not is_last:
            mx.clear_cache()  # as mlx-lm does between the parts of a prompt, for buffers of another size follow

    def _wait_for(self, arrays: Any) -> None:
        """Have arrays computed, and return when the device has."""
        mx.eval(arrays)
        mx.synchronize()

    def _forget_context(self) -> None:
        self._cache = self._new_cache()
        self._length = 0

    def _require_model(self) -> None:
        if self._model is None:
            raise EngineError("no model is loaded")


def declared_options() -> tuple[Option, ...]:
    """Every option, with the defaults of this machine, which are mlx-lm's."""
    devices = ("gpu", "cpu") if mx.default_device() == mx.Device(mx.gpu) else ("cpu",)
    return (
        Option("device", "choice", devices[0], "the processor that computes", choices=devices),
        Option("prefill_step", "integer", "2048", "tokens of a prompt that are processed at once", minimum=1),
        Option("kv_bits", "choice", _FLOATS, "bits of a cached element; none: a float", choices=_KV_BITS),
        Option("kv_group_size", "choice", "64", "cached elements that share a scale", choices=("32", "64", "128")),
    )


def _prompt_cache(model: Any, options: Mapping[str, OptionValue]) -> Any:
    """An empty cache, quantised from its first token if asked for."""
    cache = make_prompt_cache(model)
    if options["kv_bits"] == _FLOATS:
        return cache
    bits, group_size = int(options["kv_bits"]), int(options["kv_group_size"])
    try:
        return [layer.to_quantized(group_size=group_size, bits=bits) for layer in cache]
    except (AttributeError, NotImplementedError) as error:
        raise EngineError(
            "the option 'kv_bits' cannot be honoured: mlx-lm cannot quantise the cache of this architecture; "
            "leave it out"
        ) from error


def _build() -> str:
    """MLX's version, and the device that it computes on if nothing else is asked for."""
    device = mx.default_device()
    kind = "Metal" if mx.metal.is_available() else "CUDA" if device == mx.Device(mx.gpu) else "CPU"
    return f"mlx {version('mlx')}, {kind}"


def open_engine() -> Mlx:
    """The engine of this file."""
    return Mlx()
