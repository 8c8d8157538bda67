"""The options of llama-bench that a plan may set, under the names that llama-cpp-python's have.

An option is handed on only where it differs from llama-bench's own default, so that an older llama-bench need know no
more than it is asked for.
"""

from __future__ import annotations

from typing import Mapping

from .options import Option, OptionValue, write_value
from .processors import physical_cores

_KV_TYPES = ("f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
_LOAD_MODES = {"on": "mmap", "off": "none"}

_FLAGS = {
    "threads": "--threads",
    "batch": "--batch-size",
    "micro_batch": "--ubatch-size",
    "flash_attention": "--flash-attn",
    "poll": "--poll",
    "gpu_layers": "--n-gpu-layers",
    "cpu_moe_layers": "--n-cpu-moe",
    "main_gpu": "--main-gpu",
    "split_mode": "--split-mode",
    "tensor_split": "--tensor-split",
    "offload_kqv": "--no-kv-offload",
    "op_offload": "--no-op-offload",
    "repack": "--repack",
    "cache_type_k": "--cache-type-k",
    "cache_type_v": "--cache-type-v",
    "mmap": "--load-mode",
    "numa": "--numa",
}

_FIELDS = {
    "threads": "n_threads",
    "batch": "n_batch",
    "micro_batch": "n_ubatch",
    "gpu_layers": "n_gpu_layers",
    "cache_type_k": "type_k",
    "cache_type_v": "type_v",
}
"""What llama-bench calls an option in its output, where it says the value as it is written here."""


def declared_options() -> tuple[Option, ...]:
    """Every option, with llama-bench's defaults."""
    return (
        Option("threads", "integer", str(physical_cores()), "threads", minimum=1),
        Option("batch", "integer", "2048", "tokens handed to llama.cpp in one call", minimum=1),
        Option("micro_batch", "integer", "512", "tokens that llama.cpp computes at once", minimum=1),
        Option("flash_attention", "choice", "auto", "the fused attention kernel", choices=("auto", "on", "off")),
        Option("poll", "integer", "50", "how eagerly idle threads wait, in percent", minimum=0, maximum=100),
        Option("repack", "boolean", "true", "lay weights out anew for the CPU's kernels while loading"),
        Option("gpu_layers", "integer", "-1", "layers on the GPU; -1: all", minimum=-1),
        Option("cpu_moe_layers", "integer", "0", "first layers whose experts stay on the CPU", minimum=0),
        Option("main_gpu", "integer", "0", "the GPU that has the model where it is not split", minimum=0),
        Option("split_mode", "choice", "layer", "how a model is spread", choices=("none", "layer", "row", "tensor")),
        Option("tensor_split", "text", "", "the share of each GPU, such as 3,1; empty: by their free memory"),
        Option("offload_kqv", "boolean", "true", "keep the KV cache of layers on the GPU there too"),
        Option("op_offload", "boolean", "true", "let the GPU compute large products of weights that it does not hold"),
        Option("cache_type_k", "choice", "f16", "type of the cached keys", choices=_KV_TYPES),
        Option("cache_type_v", "choice", "f16", "type of the cached values", choices=_KV_TYPES),
        Option("mmap", "choice", "auto", "map the model file rather than read it", choices=("auto", "on", "off")),
        Option("numa", "choice", "off", "NUMA nodes", choices=("off", "distribute", "isolate", "numactl")),
    )


def arguments_of(options: Mapping[str, OptionValue]) -> list[str]:
    """The arguments that ask llama-bench for these options. Threads are always told: it is a figure to rely on."""
    defaults = {option.name: option.default for option in declared_options()}
    arguments: list[str] = []
    for name, value in options.items():
        if name == "threads" or write_value(value) != defaults[name]:
            arguments += [_FLAGS[name], _argument(name, value)]
    return arguments


def options_in_force(asked: Mapping[str, OptionValue], told: Mapping[str, object]) -> dict[str, str]:
    """What was asked for, and what llama-bench says of it."""
    in_force = {name: write_value(value) for name, value in asked.items()}
    in_force.update({name: str(told[field]) for name, field in _FIELDS.items() if field in told})
    return in_force


def _argument(name: str, value: OptionValue) -> str:
    if name in ("offload_kqv", "op_offload"):  # llama-bench asks the other way round
        return "0" if value else "1"
    if isinstance(value, bool):
        return str(int(value))
    if name == "mmap":
        return _LOAD_MODES[str(value)]
    return str(value).replace(",", "/") if name == "tensor_split" else str(value)
