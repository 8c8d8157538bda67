"""The options of llama.cpp that a plan may set. The defaults are llama-bench's."""

from __future__ import annotations

from .options import Option
from .processors import physical_cores

GPU_OPTIONS = ("gpu_layers", "main_gpu", "split_mode", "tensor_split", "offload_kqv", "op_offload")
"""Options that mean something only where there is a GPU."""

# enum llama_flash_attn_type in llama.h
FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
# enum ggml_type in ggml.h: those that llama-bench takes for its caches
KV_TYPES = {"f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20}
# enum llama_split_mode in llama.h
SPLIT_MODES = {"none": 0, "layer": 1, "row": 2, "tensor": 3}
# enum llama_rope_scaling_type in llama.h
ROPE_SCALINGS = {"model": -1, "none": 0, "linear": 1, "yarn": 2, "longrope": 3}
# enum ggml_numa_strategy in ggml-cpu.h; mirroring is declared there and not implemented
NUMA_STRATEGIES = {"off": 0, "distribute": 1, "isolate": 2, "numactl": 3}
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
    return (*_of_processors(), *_of_gpus(), *_of_context(), *_of_memory())


def _of_processors() -> tuple[Option, ...]:
    cores = str(physical_cores())
    return (
        Option("threads", "integer", cores, "threads that decode single tokens", minimum=1),
        Option("threads_batch", "integer", "0", "threads that process prompts; 0: as many as 'threads'", minimum=0),
        Option("thread_pool", "boolean", "true", "keep the threads between calls, as llama.cpp's own programs do"),
        Option("batch", "integer", "2048", "tokens handed to llama.cpp in one call", minimum=1),
        Option("micro_batch", "integer", "512", "tokens that llama.cpp computes at once", minimum=1),
        Option("flash_attention", "choice", "auto", "the fused attention kernel", choices=tuple(FLASH_ATTENTION)),
        Option("logits_all", "boolean", "false", "compute the logits of every token, not of the last alone"),
        Option("repack", "boolean", "true", "lay weights out anew for the CPU's kernels while loading"),
    )


def _of_gpus() -> tuple[Option, ...]:
    return (
        Option("gpu_layers", "integer", "-1", "layers on the GPU; -1: all", minimum=-1),
        Option("main_gpu", "integer", "0", "the GPU that has the model where it is not split", minimum=0),
        Option("split_mode", "choice", "layer", "how a model is spread over several GPUs", choices=tuple(SPLIT_MODES)),
        Option("tensor_split", "text", "", "the share of each GPU, such as 3,1; empty: by their free memory"),
        Option("offload_kqv", "boolean", "true", "keep the KV cache of layers on the GPU there too"),
        Option("op_offload", "boolean", "true", "let the GPU compute large products of weights that it does not hold"),
    )


def _of_context() -> tuple[Option, ...]:
    kv_types = tuple(KV_TYPES)
    return (
        Option("context", "integer", "0", "tokens of context; 0: what the plan needs", minimum=0),
        Option("cache_type_k", "choice", "f16", "type of the cached keys", choices=kv_types),
        Option("cache_type_v", "choice", "f16", "type of the cached values", choices=kv_types),
        Option("swa_full", "boolean", "false", "keep the whole context of layers that look at a sliding window"),
        Option("rope_scaling", "choice", "model", "how positions are scaled", choices=tuple(ROPE_SCALINGS)),
        Option("rope_frequency_base", "number", "0", "base of the rotation's frequencies; 0: the model's", minimum=0),
        Option("rope_frequency_scale", "number", "0", "factor of the frequencies; 0: the model's", minimum=0),
    )


def _of_memory() -> tuple[Option, ...]:
    return (
        Option("mmap", "choice", "auto", "map the model file rather than read it", choices=("auto", "on", "off")),
        Option("mlock", "boolean", "false", "keep the model from being swapped out"),
        Option("numa", "choice", "off", "where threads run on several NUMA nodes", choices=tuple(NUMA_STRATEGIES)),
    )
