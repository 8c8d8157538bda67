"""The options of llama.cpp that a plan may set. The defaults are llama-bench's."""

from __future__ import annotations

import llama_cpp

from .options import Option
from .processors import physical_cores

# enum llama_flash_attn_type in llama.h
FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
KV_TYPES = {
    "f32": llama_cpp.GGML_TYPE_F32,
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
# enum llama_load_mode in llama.h, by the options mmap and mlock.
LOAD_MODES = {
    ("auto", False): -1,
    ("off", False): 0,
    ("on", False): 1,
    ("off", True): 2,
    ("auto", True): 3,
    ("on", True): 3,
}


def declared_options() -> tuple[Option, ...]:
    """Every option, with the defaults of this machine."""
    cores = str(physical_cores())
    kv_types = tuple(KV_TYPES)
    return (
        Option("threads", "integer", cores, "threads that decode single tokens", minimum=1),
        Option("threads_batch", "integer", "0", "threads that process prompts; 0: as many as 'threads'", minimum=0),
        Option("batch", "integer", "2048", "tokens handed to llama.cpp in one call", minimum=1),
        Option("micro_batch", "integer", "512", "tokens that llama.cpp computes at once", minimum=1),
        Option("gpu_layers", "integer", "-1", "layers on the GPU; -1: all", minimum=-1),
        Option("flash_attention", "choice", "auto", "the fused attention kernel", choices=tuple(FLASH_ATTENTION)),
        Option("cache_type_k", "choice", "f16", "type of the cached keys", choices=kv_types),
        Option("cache_type_v", "choice", "f16", "type of the cached values", choices=kv_types),
        Option("mmap", "choice", "auto", "map the model file rather than read it", choices=("auto", "on", "off")),
        Option("mlock", "boolean", "false", "keep the model from being swapped out"),
        Option("context", "integer", "0", "tokens of context; 0: what the plan needs", minimum=0),
        Option("logits_all", "boolean", "false", "compute the logits of every token, not of the last alone"),
    )
