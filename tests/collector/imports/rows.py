"""Results as llama-bench writes them: of its build 0c1e570, and as older ones did."""

import json
from pathlib import Path

SETUP: dict[str, object] = {
    "build_commit": "0c1e570",
    "build_number": 1,
    "cpu_info": "AMD EPYC",
    "gpu_info": "",
    "backends": "CPU",
    "model_filename": "/models/tinyllama-1.1b.Q4_0.gguf",
    "model_type": "llama 1B Q4_0",
    "model_size": 636_178_432,
    "model_n_params": 1_100_048_384,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_threads": 2,
    "poll": 50,
    "type_k": "f16",
    "type_v": "q8_0",
    "n_gpu_layers": -1,
    "no_kv_offload": False,
    "flash_attn": -1,
    "tensor_split": "0.00",
    "a_key_of_tomorrow": [1, 2],
}


def result(prompt: int = 0, decode: int = 0, *durations_ns: int, **others: object) -> dict[str, object]:
    """One test's object; ``others`` replace what it says besides."""
    test = {"n_prompt": prompt, "n_gen": decode, "n_depth": 0, "test_time": "2026-11-21T15:08:49Z"}
    computed = {"avg_ns": 1, "stddev_ns": 1, "avg_ts": 1.5, "stddev_ts": 0.5, "samples_ts": [1.5]}
    return {**SETUP, **test, **computed, "samples_ns": list(durations_ns), **others}


PREFILL = result(512, 0, 2_000_000_000, 4_000_000_000)
DECODE = result(0, 128, 10_000_000_000, 10_000_000_000, test_time="2026-11-21T15:08:59Z")
COMBINED = result(512, 128, 12_000_000_000)


def write_lines(path: Path, *results: object) -> Path:
    """A file as ``--output jsonl`` writes it."""
    path.write_text("".join(json.dumps(each) + "\n" for each in results), encoding="utf-8")
    return path
