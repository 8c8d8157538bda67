"""From the options of a plan to llama.cpp's parameters of a model and of a context."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Mapping, Sequence

from .engine import EngineError
from .llama_cpp_binding import llama_cpp
from .llama_cpp_options import (
    FLASH_ATTENTION,
    GPU_OPTIONS,
    KV_TYPES,
    LOAD_MODES,
    NUMA_STRATEGIES,
    ROPE_SCALINGS,
    SPLIT_MODES,
)
from .options import Option, OptionValue, read_value


def refuse_gpu_options_without_gpu(declared: Sequence[Option], options: Mapping[str, OptionValue]) -> None:
    """Refuse what would have no effect.

    Raises:
        EngineError: an option of GPUs is not at its default, and this llama.cpp has no back end for one.
    """
    if llama_cpp.llama_supports_gpu_offload():
        return
    for option in declared:
        if option.name not in GPU_OPTIONS or options[option.name] == read_value(option, option.default):
            continue
        if option.name == "gpu_layers" and options[option.name] == 0:
            continue
        raise EngineError(
            f"the option '{option.name}' needs a GPU, but this llama-cpp-python has no GPU back end; leave it out, "
            "or install llama-cpp-python built for the GPU"
        )


def model_parameters(options: Mapping[str, OptionValue]) -> Any:
    """What the model is loaded with. The array of shares lives as long as the parameters do.

    Raises:
        EngineError: the shares of the GPUs cannot be read.
    """
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = options["gpu_layers"]
    parameters.main_gpu = options["main_gpu"]
    parameters.split_mode = SPLIT_MODES[str(options["split_mode"])]
    if options["tensor_split"]:
        parameters.tensor_split = _shares(str(options["tensor_split"]))
    parameters.load_mode = LOAD_MODES[str(options["mmap"]), bool(options["mlock"])]
    parameters.use_extra_bufts = options["repack"]
    return parameters


def context_parameters(options: Mapping[str, OptionValue], context_tokens: int) -> Any:
    """What the context is made with."""
    threads = int(options["threads"])
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = context_tokens
    parameters.n_batch = options["batch"]
    parameters.n_ubatch = options["micro_batch"]
    parameters.n_threads = threads
    parameters.n_threads_batch = int(options["threads_batch"]) or threads
    parameters.flash_attn_type = FLASH_ATTENTION[str(options["flash_attention"])]
    parameters.type_k = KV_TYPES[str(options["cache_type_k"])]
    parameters.type_v = KV_TYPES[str(options["cache_type_v"])]
    parameters.offload_kqv = options["offload_kqv"]
    parameters.op_offload = options["op_offload"]
    parameters.swa_full = options["swa_full"]
    parameters.rope_scaling_type = ROPE_SCALINGS[str(options["rope_scaling"])]
    parameters.rope_freq_base = options["rope_frequency_base"]
    parameters.rope_freq_scale = options["rope_frequency_scale"]
    if options["logits_all"]:
        parameters.n_outputs_max_per_seq = 0
    return parameters


class Numa:
    """How threads are spread over the nodes of this process's memory. llama.cpp lets it be chosen once."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._nodes = len(list((root / "sys/devices/system/node").glob("node[0-9]*")))
        self._chosen = "off"

    def choose(self, strategy: str) -> None:
        """Have llama.cpp spread its threads.

        Raises:
            EngineError: there is only one node, or the process has chosen otherwise before.
        """
        if strategy == self._chosen:
            return
        if self._nodes < 2:
            raise EngineError(f"the option 'numa' cannot be '{strategy}': this machine has one NUMA node; leave it out")
        if self._chosen != "off":
            raise EngineError(
                f"the option 'numa' cannot be '{strategy}' after '{self._chosen}': llama.cpp chooses once in a "
                "process; compare them in two runs"
            )
        llama_cpp.llama_numa_init(NUMA_STRATEGIES[strategy])
        self._chosen = strategy


def _shares(text: str) -> Any:
    count = llama_cpp.llama_max_devices()
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if not shares or len(shares) > count or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise EngineError(
            f"the option 'tensor_split' cannot be '{text}': expected up to {count} shares with commas, such as 3,1"
        )
    return (ctypes.c_float * count)(*shares)
