"""The command that starts each kind of server."""

from collections.abc import Mapping

import pytest

from edgeprof_agent.engines.engine import EngineError
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.server_kinds import ServerKind
from edgeprof_agent.engines.server_setup import Command, ServerSetup, build_command, kind_of
from edgeprof_agent.engines.server_table import SERVER_KINDS


def command_of(setup: ServerSetup, options: Mapping[str, str]) -> Command:
    kind = kind_of(setup)
    read = read_options(setup.name, [flag.option for flag in kind.flags], options)
    return build_command(
        kind, setup, read, model_path="/models/m.gguf", context_tokens=512, port=8099, python="/venv/bin/python"
    )


@pytest.mark.parametrize(
    ("kind", "options", "arguments"),
    [
        (
            "llama-server",
            {"threads": "4", "flash_attention": "on", "gpu_layers": "20", "cache_type_k": "q8_0"},
            "--ctx-size 512 --parallel 1 --threads 4 --n-gpu-layers 20 --flash-attn on --cache-type-k q8_0",
        ),
        ("llama-server", {"threads": "1", "prefix_reuse": "false"}, "--threads 1 --no-cache-prompt"),
        (
            "llama-cpp-python-server",
            {"threads": "2", "cache_type_v": "q8_0", "flash_attention": "false"},
            "/venv/bin/python -m llama_cpp.server --host 127.0.0.1 --port 8099 --model /models/m.gguf --n_ctx 512",
        ),
        (
            "llama-cpp-python-server",
            {"threads": "2", "cache_type_v": "q8_0", "flash_attention": "false"},
            "--n_ctx 512 --n_threads 2 --flash_attn false --type_v 8",
        ),
        ("mlx-lm-server", {"cache_bits": "4"}, "--port 8099 --model /models/m.gguf --kv-bits 4"),
        ("vllm", {"eager": "true"}, "vllm serve /models/m.gguf --host 127.0.0.1 --port 8099 --max-model-len 512 --enf"),
        ("vllm", {"eager": "false", "prefix_reuse": "false"}, "--max-model-len 512 --no-enable-prefix-caching"),
        ("ktransformers", {"cpu_infer": "60", "method": "AMXINT4"}, "--kt-cpuinfer 60 --kt-method AMXINT4"),
        ("text-generation-webui", {"threads": "3"}, "--model-dir /models --model m.gguf --ctx-size 512 --threads 3"),
        ("tabbyapi", {"cache_mode": "Q4"}, "--model-dir /models --model-name m.gguf --max-seq-len 512 --cache-mode Q4"),
    ],
)
def test_options_become_flags(kind: str, options: Mapping[str, str], arguments: str) -> None:
    assert arguments in " ".join(command_of(ServerSetup(kind), options).arguments)


def test_ollama_is_told_by_its_environment() -> None:
    command = command_of(ServerSetup("ollama", model="llama3.2:1b"), {"flash_attention": "true", "cache_type": "q8_0"})
    assert command.arguments == ["ollama", "serve"]
    assert command.environment == {
        "OLLAMA_HOST": "127.0.0.1:8099",
        "OLLAMA_CONTEXT_LENGTH": "512",
        "OLLAMA_NUM_PARALLEL": "1",
        "OLLAMA_FLASH_ATTENTION": "1",
        "OLLAMA_KV_CACHE_TYPE": "q8_0",
    }


def test_the_configuration_adds_to_a_command_and_replaces_its_program() -> None:
    setup = ServerSetup(
        "mine", "llama-server", program="/opt/llama-server", arguments=["--no-warmup"], environment={"A": "{port}"}
    )
    command = command_of(setup, {"threads": "1"})
    assert (command.arguments[0], command.arguments[-1]) == ("/opt/llama-server", "--no-warmup")
    assert command.environment == {"A": "8099"}


def test_a_command_of_ones_own_has_placeholders_as_options() -> None:
    setup = ServerSetup(
        "mine",
        command=["/opt/serve", "--kv={kv}", "{model_folder}/{model_file}", "-p{port}", "{{}}"],
        options={"kv": "/default/of/the/device"},
    )
    assert command_of(setup, {}).arguments == [
        "/opt/serve",
        "--kv=/default/of/the/device",
        "/models/m.gguf",
        "-p8099",
        "{}",
    ]
    assert command_of(setup, {"kv": "q8_0"}).arguments[1] == "--kv=q8_0"
    with pytest.raises(EngineError, match="the option 'kv' cannot be '/etc/passwd'"):
        command_of(setup, {"kv": "/etc/passwd"})


def test_placeholders_reach_no_attribute() -> None:
    with pytest.raises(EngineError, match="cannot be filled in"):
        command_of(ServerSetup("mine", command=["{port.__class__.__mro__[9]}"]), {})


def test_a_server_that_runs_has_no_options_of_its_start() -> None:
    assert kind_of(ServerSetup("llama-server", address="http://127.0.0.1:8080")).flags == ()


@pytest.mark.parametrize("kind", [kind for kind in SERVER_KINDS if kind.command], ids=lambda kind: kind.name)
def test_every_kind_says_where_it_listens_and_no_option_twice(kind: ServerKind) -> None:
    setup = ServerSetup(kind.name, model="m")
    command = command_of(setup, {})
    assert "8099" in " ".join([*command.arguments, *command.environment.values()])
    assert "127.0.0.1" in " ".join([*command.arguments, *command.environment.values()]) or setup.name == (
        "text-generation-webui"  # it listens on this machine alone unless it is told otherwise
    )
    names = [flag.option.name for flag in kind_of(setup).flags]
    assert len(names) == len(set(names))
