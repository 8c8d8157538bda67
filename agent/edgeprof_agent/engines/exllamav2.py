"""ExLlamaV2 0.2 and up, on the GPUs that torch sees. Written against its source; see docs/engines.md."""

from __future__ import annotations

import gc
from typing import Any, Callable, Mapping

import exllamav2
import torch

from .engine import EngineError, Loaded, in_one_line
from .exllamav2_options import declared_options
from .model_folder import require_folder
from .options import OptionValue, write_value
from .token_engine import TokenEngine
from .token_ids import token_id

_CACHES = {
    "none": "ExLlamaV2Cache",
    "8": "ExLlamaV2Cache_Q8",
    "6": "ExLlamaV2Cache_Q6",
    "4": "ExLlamaV2Cache_Q4",
}
_CONTEXT_MULTIPLE = 256  # the length of a cache has to be one
# What ExLlamaV2 raises for a model that it does not know or cannot read, and torch for a lack of memory.
_REFUSALS = (AssertionError, AttributeError, KeyError, OSError, RuntimeError, TypeError, ValueError)


class ExLlamaV2(TokenEngine):
    """One model of ExLlamaV2, spread over the GPUs as it chooses, and its cache.

    ``forward`` returns when the GPU has been given its work, so every time is read after all GPUs were waited for.
    The logits of a call's last token alone are computed.
    """

    name = "exllamav2"

    def __init__(self) -> None:
        self.version = str(exllamav2.__version__)
        self.build = f"torch {torch.__version__}, {_devices()}"
        self.options = declared_options()
        self._model: Any = None
        self._cache: Any = None
        self._tokens: Any = None
        self._call_tokens = 0

    @property
    def context_length(self) -> int:
        """Tokens in the context."""
        return int(self._cache.current_seq_len) if self._cache is not None else 0

    def load(self, path: str, options: Mapping[str, OptionValue], context_tokens: int, seed: int) -> Loaded:
        """Load the model of a folder, in 16-bit floats or in EXL2.

        Raises:
            EngineError: the folder holds no model that ExLlamaV2 can load, or memory ran out.
        """
        folder = require_folder(path, "ExLlamaV2", "hf-f16")
        try:
            config = exllamav2.ExLlamaV2Config(str(folder))
            config.max_seq_len = -(-context_tokens // _CONTEXT_MULTIPLE) * _CONTEXT_MULTIPLE
            config.max_input_len = min(int(options["prefill_step"]), config.max_seq_len)
            if options["flash_attention"] == "off":
                config.no_flash_attn = True
            self._model = exllamav2.ExLlamaV2(config)
            make_cache = getattr(exllamav2, _CACHES[str(options["kv_bits"])])
            self._cache = make_cache(self._model, max_seq_len=config.max_seq_len, lazy=True)
            self._model.load_autosplit(self._cache)
            _synchronise()
        except _REFUSALS as error:
            self.unload()
            raise EngineError(f"{path}: ExLlamaV2 cannot load it: {in_one_line(error)}") from error
        self._call_tokens = int(config.max_input_len)
        ids = [token_id(seed, position, int(config.vocab_size)) for position in range(context_tokens)]
        self._tokens = torch.tensor([ids], dtype=torch.long)
        in_force = {**options, "prefill_step": self._call_tokens}
        return Loaded(
            options={name: write_value(value) for name, value in in_force.items()},
            weights_bytes=None,
            kv_cache_bytes=None,
            compute_bytes=None,
        )

    def unload(self) -> None:
        """Give the memory of model and cache back."""
        if self._model is not None:
            self._model.unload()
        self._model = self._cache = self._tokens = None
        gc.collect()
        torch.cuda.empty_cache()

    def rewind(self, length: int, check: Callable[[], None]) -> None:
        """Make the context hold its first ``length`` tokens; the cache overwrites what lies behind them."""
        cache = self._require_cache()
        cache.current_seq_len = min(length, cache.current_seq_len)
        self.process(length - self.context_length, check)

    def process(self, count: int, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens in calls of at most ``prefill_step``, then wait for the GPUs."""
        cache = self._require_cache()
        start = self.context_length
        end = start + count
        if end > self._tokens.shape[1]:
            raise EngineError(
                f"the step needs {end} tokens of context; the model was loaded with {self._tokens.shape[1]}"
            )
        try:
            for begin in range(start, end, self._call_tokens):
                call_end = min(begin + self._call_tokens, end)
                ids = self._tokens[:, begin:call_end]
                self._model.forward(ids, cache, preprocess_only=call_end < end, last_id_only=True)
                if call_end < end:
                    check()
            _synchronise()
        except _REFUSALS as error:
            cache.current_seq_len = 0  # how far it came is not known
            raise EngineError(f"ExLlamaV2 cannot process the tokens: {in_one_line(error)}") from error

    def process_together(self, count: int, check: Callable[[], None]) -> None:
        """Process the next ``count`` tokens in one call, then wait for the GPUs.

        Raises:
            EngineError: the option 'prefill_step' is smaller.
        """
        if count > self._call_tokens:
            raise EngineError(
                f"the option 'prefill_step' is {self._call_tokens}, but the step needs calls of {count} tokens"
            )
        self.process(count, check)

    def _require_cache(self) -> Any:
        if self._cache is None:
            raise EngineError("no model is loaded")
        return self._cache


def _synchronise() -> None:
    """Wait until every GPU has done its work: a model may lie on several."""
    for device in range(torch.cuda.device_count()):
        torch.cuda.synchronize(device)


def _devices() -> str:
    return ", ".join(torch.cuda.get_device_name(device) for device in range(torch.cuda.device_count()))


def open_engine() -> ExLlamaV2:
    """The engine of this file.

    Raises:
        EngineError: torch sees no GPU.
    """
    if not torch.cuda.is_available():
        raise EngineError(
            f"exllamav2 needs a GPU, and torch {torch.__version__} sees none: install torch for your CUDA or ROCm "
            "(https://pytorch.org/get-started/locally), or take another engine"
        )
    return ExLlamaV2()
