"""The servers that edgeprof knows. The names of options are those of the engines in the child."""

from __future__ import annotations

from .options import Option
from .processors import physical_cores
from .server_kinds import Api, Flag, ServerKind, TokenCounter

_KV_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
# enum ggml_type in ggml.h
_GGML_TYPES = {"f32": "0", "f16": "1", "q4_0": "2", "q4_1": "3", "q5_0": "6", "q5_1": "7", "q8_0": "8"}


def _integer(name: str, text: str, *arguments: str, minimum: int = 0, default: str = "", environment: str = "") -> Flag:
    return Flag(Option(name, "integer", default, text, minimum=minimum), arguments, environment=environment)


def _boolean(name: str, text: str, *arguments: str, off: tuple[str, ...] = (), environment: str = "") -> Flag:
    words = {"true": "1", "false": "0"} if environment else {}
    return Flag(Option(name, "boolean", "", text), arguments, off, environment, words)


def _choice(name: str, text: str, choices: tuple[str, ...], *arguments: str, environment: str = "") -> Flag:
    return Flag(Option(name, "choice", "", text, choices=choices), arguments, environment=environment)


def _threads(*arguments: str) -> Flag:
    return _integer(
        "threads", "threads that decode single tokens", *arguments, minimum=1, default=str(physical_cores())
    )


# tools/server/README.md of llama.cpp. One slot, so that all prompts meet in one cache.
LLAMA_SERVER = ServerKind(
    name="llama-server",
    api=Api(
        token_prompts=True,
        body={"timings_per_token": True, "top_k": 1},
        endless_body={"ignore_eos": True},
        chat_body={"verbose": True},
        token_counter=TokenCounter("/tokenize", "content", "tokens"),
        prefix_reuse=True,
        ready_path="/health",
        version=("/props", "build_info"),
    ),
    command=(
        *("llama-server", "--host", "127.0.0.1", "--port", "{port}", "--model", "{model_path}"),
        *("--ctx-size", "{context}", "--parallel", "1"),
    ),
    flags=(
        _threads("--threads", "{}"),
        _integer("threads_batch", "threads that process prompts", "--threads-batch", "{}", minimum=1),
        _integer("batch", "tokens handed to llama.cpp in one call", "--batch-size", "{}", minimum=1),
        _integer("micro_batch", "tokens that llama.cpp computes at once", "--ubatch-size", "{}", minimum=1),
        _integer("gpu_layers", "layers on the GPU", "--n-gpu-layers", "{}"),
        _choice("flash_attention", "the fused attention kernel", ("auto", "on", "off"), "--flash-attn", "{}"),
        _choice("cache_type_k", "type of the cached keys", _KV_TYPES, "--cache-type-k", "{}"),
        _choice("cache_type_v", "type of the cached values", _KV_TYPES, "--cache-type-v", "{}"),
        _integer("cpu_moe_layers", "layers whose experts stay in the CPU's memory", "--n-cpu-moe", "{}"),
        _integer("prompt_cache_mib", "memory for caches of earlier prompts, MiB", "--cache-ram", "{}"),
        _boolean("prefix_reuse", "keep the cache of the prompt before", "--cache-prompt", off=("--no-cache-prompt",)),
        _boolean("kv_offload", "KV cache in the GPU's memory", "--kv-offload", off=("--no-kv-offload",)),
        _boolean("repack", "rearrange weights for the processor", "--repack", off=("--no-repack",)),
    ),
    version_arguments=("--version",),
    formats=("gguf",),
    install="install llama.cpp (brew install llama.cpp, or cmake --build build --target llama-server)",
)

# llama_cpp/server/settings.py of llama-cpp-python. Its streams tell no token counts.
LLAMA_CPP_PYTHON_SERVER = ServerKind(
    name="llama-cpp-python-server",
    api=Api(
        body={"temperature": 0.0},
        token_counter=TokenCounter("/extras/tokenize/count", "input", "count"),
        prefix_reuse=True,
        exact_counts=False,
    ),
    command=(
        *("{python}", "-m", "llama_cpp.server", "--host", "127.0.0.1", "--port", "{port}"),
        *("--model", "{model_path}", "--n_ctx", "{context}"),
    ),
    flags=(
        _threads("--n_threads", "{}"),
        _integer("threads_batch", "threads that process prompts", "--n_threads_batch", "{}", minimum=1),
        _integer("batch", "tokens handed to llama.cpp in one call", "--n_batch", "{}", minimum=1),
        _integer("micro_batch", "tokens that llama.cpp computes at once", "--n_ubatch", "{}", minimum=1),
        _integer("gpu_layers", "layers on the GPU; -1: all", "--n_gpu_layers", "{}", minimum=-1),
        _boolean(
            "flash_attention", "the fused attention kernel", "--flash_attn", "true", off=("--flash_attn", "false")
        ),
        _choice("cache_type_k", "type of the cached keys", tuple(_GGML_TYPES), "--type_k", "{}")._replace(
            words=_GGML_TYPES
        ),
        _choice("cache_type_v", "type of the cached values", tuple(_GGML_TYPES), "--type_v", "{}")._replace(
            words=_GGML_TYPES
        ),
        _boolean("mmap", "map the model file rather than read it", "--use_mmap", "true", off=("--use_mmap", "false")),
        _boolean("mlock", "keep the model from being swapped out", "--use_mlock", "true", off=("--use_mlock", "false")),
        _boolean("logits_all", "logits of every token", "--logits_all", "true", off=("--logits_all", "false")),
    ),
    package="llama-cpp-python",
    # The package's extra "server", but for PyYAML, which only a configuration file needs.
    modules=("llama_cpp", "uvicorn", "fastapi", "pydantic_settings", "sse_starlette", "starlette_context"),
    formats=("gguf",),
    install="pip install 'llama-cpp-python[server]'",
)

# mlx_lm/server.py of mlx-lm 0.32.
MLX_LM_SERVER = ServerKind(
    name="mlx-lm-server",
    api=Api(
        body={"temperature": 0.0},
        prefix_reuse=True,
        ready_path="/health",
        failed_log="generation thread died",
        model="default_model",
    ),
    command=(
        *("{python}", "-m", "mlx_lm.server", "--host", "127.0.0.1", "--port", "{port}"),
        *("--model", "{model_path}"),
    ),
    flags=(
        _integer("prefill_step", "prompt tokens processed at once", "--prefill-step-size", "{}", minimum=1),
        _integer("cache_bits", "bits of the cached keys and values", "--kv-bits", "{}", minimum=2),
        _integer("prompt_cache_count", "caches of earlier prompts that are kept", "--prompt-cache-size", "{}"),
    ),
    package="mlx-lm",
    # Those before it say that they are ready while they load, and go on to listen when what generates has died.
    oldest_version="0.32",
    modules=("mlx_lm", "mlx"),
    formats=("safetensors",),
    quantisation="mlx-q4",
    install="pip install 'edgeprof[mlx]', or where edgeprof is not installed pip install mlx-lm",
)

# docs.vllm.ai, "vllm serve" and "OpenAI-Compatible Server: extra parameters".
VLLM = ServerKind(
    name="vllm",
    api=Api(
        token_prompts=True,
        body={"temperature": 0.0},
        endless_body={"ignore_eos": True, "min_tokens": "{decode_tokens}"},
        chat_body={"return_token_ids": True},
        prefix_reuse=True,
        ready_path="/health",
        version=("/version", "version"),
    ),
    command=(
        *("vllm", "serve", "{model_path}", "--host", "127.0.0.1", "--port", "{port}"),
        *("--max-model-len", "{context}"),
    ),
    flags=(
        _choice("dtype", "type of the weights", ("auto", "half", "bfloat16", "float"), "--dtype", "{}"),
        _choice("kv_cache_dtype", "type of the KV cache", ("auto", "fp8", "fp8_e4m3"), "--kv-cache-dtype", "{}"),
        _integer("parallel_sequences", "requests computed together", "--max-num-seqs", "{}", minimum=1),
        _boolean("eager", "no CUDA graphs", "--enforce-eager"),
        _boolean(
            *("prefix_reuse", "keep the cache of earlier prompts", "--enable-prefix-caching"),
            off=("--no-enable-prefix-caching",),
        ),
    ),
    package="vllm",
    quantisation="hf-f16",
    install="pip install vllm",
)

# doc/en/kt-kernel/Native-Precision-Tutorial.md of kvcache-ai/ktransformers: SGLang with kt-kernel.
KTRANSFORMERS = ServerKind(
    name="ktransformers",
    api=Api(
        token_prompts=True,
        body={"temperature": 0.0},
        endless_body={"ignore_eos": True},
        prefix_reuse=True,
        ready_path="/health_generate",
        version=("/get_server_info", "version"),
    ),
    command=(
        *("{python}", "-m", "sglang.launch_server", "--host", "127.0.0.1", "--port", "{port}"),
        *("--model", "{model_path}", "--kt-weight-path", "{model_path}", "--trust-remote-code"),
    ),
    flags=(
        _integer("cpu_infer", "CPU threads that compute experts", "--kt-cpuinfer", "{}", minimum=1),
        _integer("thread_pools", "thread pools: one per NUMA node", "--kt-threadpool-count", "{}", minimum=1),
        _integer("gpu_experts", "experts of each layer on the GPU", "--kt-num-gpu-experts", "{}"),
        _choice(
            *("method", "how the experts' weights are stored"),
            ("BF16", "FP8", "FP8_PERCHANNEL", "RAWINT4", "AMXINT4", "AMXINT8", "LLAMAFILE"),
            *("--kt-method", "{}"),
        ),
        _integer("prefill_chunk", "prompt tokens processed at once", "--chunked-prefill-size", "{}", minimum=-1),
    ),
    package="sglang",
    modules=("sglang", "kt_kernel"),
    formats=("safetensors",),
    quantisation="hf-bf16",
    install="pip install sglang kt-kernel",
)

# README.md of oobabooga/text-generation-webui, "List of command-line flags". Start it in its own folder.
TEXT_GENERATION_WEBUI = ServerKind(
    name="text-generation-webui",
    api=Api(
        body={"temperature": 0.0},
        endless_body={"ban_eos_token": True},
        token_counter=TokenCounter("/v1/internal/token-count", "text", "length"),
        prefix_reuse=True,
    ),
    command=(
        *("{python}", "server.py", "--api", "--api-port", "{port}", "--nowebui"),
        *("--model-dir", "{model_folder}", "--model", "{model_file}", "--ctx-size", "{context}"),
    ),
    flags=(
        _threads("--threads", "{}"),
        _integer("threads_batch", "threads that process prompts", "--threads-batch", "{}", minimum=1),
        _integer("batch", "tokens handed to llama.cpp in one call", "--batch-size", "{}", minimum=1),
        _integer("gpu_layers", "layers on the GPU", "--gpu-layers", "{}"),
        _choice("loader", "what runs the model", ("llama.cpp", "ExLlamav3", "Transformers"), "--loader", "{}"),
        _choice("cache_type", "type of the KV cache", ("fp16", "q8_0", "q4_0"), "--cache-type", "{}"),
    ),
    install="get github.com/oobabooga/text-generation-webui",
)

# common/config_models.py of theroyallab/tabbyAPI. Start it in its own folder.
TABBY_API = ServerKind(
    name="tabbyapi",
    api=Api(
        body={"temperature": 0.0},
        endless_body={"ban_eos_token": True, "min_tokens": "{decode_tokens}"},
        token_counter=TokenCounter("/v1/token/encode", "text", "length"),
        prefix_reuse=True,
        ready_path="/health",
    ),
    command=(
        *("{python}", "main.py", "--host", "127.0.0.1", "--port", "{port}", "--disable-auth", "true"),
        *("--model-dir", "{model_folder}", "--model-name", "{model_file}", "--max-seq-len", "{context}"),
    ),
    flags=(
        _choice("backend", "what runs the model", ("exllamav2", "exllamav3"), "--backend", "{}"),
        _choice("cache_mode", "type of the KV cache", ("FP16", "Q8", "Q6", "Q4"), "--cache-mode", "{}"),
        _integer("prefill_chunk", "prompt tokens processed at once", "--chunk-size", "{}", minimum=1),
    ),
    formats=("safetensors",),
    quantisation="hf-f16",
    install="get github.com/theroyallab/tabbyAPI",
)

# envconfig/config.go and docs/openai.md of ollama/ollama. It runs the model in a process of its own, below it.
OLLAMA = ServerKind(
    name="ollama",
    api=Api(
        body={"temperature": 0.0}, prefix_reuse=True, ready_path="/api/version", version=("/api/version", "version")
    ),
    command=("ollama", "serve"),
    flags=(
        _boolean("flash_attention", "the fused attention kernel", environment="OLLAMA_FLASH_ATTENTION"),
        _choice(*("cache_type", "type of the KV cache", ("f16", "q8_0", "q4_0")), environment="OLLAMA_KV_CACHE_TYPE"),
    ),
    environment={
        "OLLAMA_HOST": "127.0.0.1:{port}",
        "OLLAMA_CONTEXT_LENGTH": "{context}",
        "OLLAMA_NUM_PARALLEL": "1",
    },
    version_arguments=("--version",),
    needs_model_name=True,
    install="get it from ollama.com/download",
)

# lmstudio.ai/docs: `lms server start` only asks the application, which cannot be started for a run alone.
LM_STUDIO = ServerKind(name="lm-studio", api=Api(body={"temperature": 0.0}, prefix_reuse=True))

# Any other: what OpenAI's own API promises, and nothing more.
OPENAI = ServerKind(name="openai", api=Api(body={"temperature": 0.0}))

SERVER_KINDS = (
    LLAMA_SERVER,
    LLAMA_CPP_PYTHON_SERVER,
    MLX_LM_SERVER,
    VLLM,
    KTRANSFORMERS,
    TEXT_GENERATION_WEBUI,
    TABBY_API,
    OLLAMA,
    LM_STUDIO,
    OPENAI,
)


def find_server_kind(name: str) -> ServerKind | None:
    """The kind of this name, if edgeprof knows one."""
    return next((kind for kind in SERVER_KINDS if kind.name == name), None)
