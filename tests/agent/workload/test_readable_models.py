"""Models of a form that an engine does not read."""

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.workload.server_config import ServerConfig
from edgeprof_agent.workload.suitability import refuse_what_engine_cannot_read

SERVERS = {
    "kitchen": ServerConfig(kind="llama-server", address="http://127.0.0.1:8080"),
    "pantry": ServerConfig(command=("serve", "{model_path}")),
}


@pytest.mark.parametrize(
    ("engine", "model_format", "cause"),
    [
        ("mlx", "gguf", "a GGUF file, and the engine mlx reads a Hugging Face folder: take the engine llama-cpp-py"),
        ("mlx-lm-server", "gguf", "or another model, such as synth:llama-3.2-1b@mlx-q4"),
        ("kalosm", "safetensors", "and the engine kalosm reads a GGUF file: take the engine mlx or mistralrs or "),
        ("llama-server", "safetensors", "or another model, such as synth:llama-3.2-1b@q4_0"),
        ("kitchen", "safetensors", "and the engine kitchen reads a GGUF file"),
    ],
)
def test_it_is_refused_with_the_names_of_engines_that_do(engine: str, model_format: str, cause: str) -> None:
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_engine_cannot_read(engine, SERVERS, "my-model", model_format)
    assert str(refused.value).startswith("my-model: a ")
    assert cause in str(refused.value)


@pytest.mark.parametrize("engine", ["/opt/own-engine", "pantry", "vllm", "mistralrs", "candle"])
@pytest.mark.parametrize("model_format", ["gguf", "safetensors"])
def test_what_is_not_known_or_reads_both_is_let_through(engine: str, model_format: str) -> None:
    refuse_what_engine_cannot_read(engine, SERVERS, "my-model", model_format)
