"""What candle's program refuses, and how it ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engine_steps import decode, ignore, prefill, started
from tests.agent.engines.tiny_model import write_truncated, write_unknown_architecture

CANDLE = "candle"
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone ends a child in any call")

# Starts the program that it is given, tells its id, and stays.
LONELY_PARENT = """
import subprocess, sys, time
with subprocess.Popen(sys.argv[1:]) as child:
    time.sleep(600)
"""


LLAMA = {"model_type": "llama", "vocab_size": 64, "max_position_embeddings": 128, "torch_dtype": "float16"}
EMPTY_SAFETENSORS = (2).to_bytes(8, "little") + b"{}"


def write_folder(folder: Path, config: object, weights: str = "model.safetensors") -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / weights).write_bytes(EMPTY_SAFETENSORS)


def command(name: str, number: int, **fields: object) -> bytes:
    return json.dumps({"command": name, "id": number, **fields}).encode() + b"\n"


def load_command(model: Path, threads: int) -> bytes:
    options = {"threads": str(threads)}
    return command("load", 1, model_path=str(model), options=options, context_tokens=4096, seed=1)


def step_command(number: int, decode_tokens: int) -> bytes:
    fields = {"prompt_tokens": 0, "depth_tokens": 0, "decode_tokens": decode_tokens, "turns": 1}
    return command("step", number, kind="decode", **fields)


def await_message(messages: IO[bytes], kind: str) -> dict[str, Any]:
    """Read up to the first message of a kind."""
    for line in messages:
        message: dict[str, Any] = json.loads(line)
        if message["type"] == kind:
            return message
    raise AssertionError(f"it ended without '{kind}'")


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        (
            "unknown.gguf",
            "{path}: this runner of candle does not know the architecture 'xllam'; it runs llama, qwen2, qwen3",
        ),
        ("truncated.gguf", "{path}: candle cannot load it: tensor needs "),
        ("text.gguf", '{path}: no GGUF file: it begins with "once", not with "GGUF"'),
        ("empty.gguf", '{path}: no GGUF file: it begins with "", not with "GGUF"'),
        ("header.gguf", "{path}: candle cannot load it: "),
        ("missing.gguf", "{path}: cannot be read: No such file or directory"),
        ("", "{path}: its config.json cannot be read: No such file or directory"),
        ("weightless", "{path}: the folder has no *.safetensors files"),
        (
            "abacus",
            "{path}: this runner of candle does not know the architecture 'abacus'; it runs llama, qwen2, qwen3",
        ),
        ("quantised", "{path}: its weights are quantised, and candle reads floats from folders alone"),
        ("integers", "{path}: candle reads no weights of the type 'int8'"),
        ("shapeless", "{path}: candle cannot load it: its config.json: missing field `hidden_size`"),
        ("garbled", "{path}: candle cannot load it: its config.json: "),
    ],
)
@pytest.mark.usefixtures("candle")
def test_a_model_that_cannot_be_loaded(tiny_model: Path, tmp_path: Path, name: str, cause: str) -> None:
    write_unknown_architecture(tiny_model, tmp_path / "unknown.gguf")
    write_truncated(tiny_model, tmp_path / "truncated.gguf")
    (tmp_path / "text.gguf").write_text("once upon a time")
    (tmp_path / "empty.gguf").touch()
    (tmp_path / "header.gguf").write_bytes(tiny_model.read_bytes()[:100])
    write_folder(tmp_path / "weightless", LLAMA, "README.md")
    write_folder(tmp_path / "abacus", {**LLAMA, "model_type": "abacus"})
    write_folder(tmp_path / "quantised", {**LLAMA, "quantization": {"bits": 4}})
    write_folder(tmp_path / "integers", {**LLAMA, "torch_dtype": "int8"})
    write_folder(tmp_path / "shapeless", LLAMA)
    write_folder(tmp_path / "garbled", [])

    async def scenario() -> None:
        async with started(CANDLE) as process:
            path = tmp_path / name
            with pytest.raises(EngineFailedError) as failed:
                await process.load(str(path), {}, 64, 1)
            assert str(failed.value).startswith(cause.format(path=path))
            assert "\n" not in str(failed.value)
            await process.load(str(tiny_model), {"threads": "1"}, 64, 1)
            assert len(await process.run_step(decode(3), ignore)) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"thread": "2"}, "the engine candle has no option 'thread'; did you mean 'threads'? It has threads, batch, "),
        ({"threads": "0"}, "the option 'threads' cannot be '0': expected a whole number, 1 or more"),
        ({"batch": "many"}, "the option 'batch' cannot be 'many': expected a whole number, 0 or more"),
        ({"device": "tpu"}, "the option 'device' cannot be 'tpu': expected one of "),
    ],
)
@pytest.mark.usefixtures("candle")
def test_an_option_that_cannot_be_honoured(tiny_model: Path, options: dict[str, str], cause: str) -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            with pytest.raises(EngineFailedError) as failed:
                await process.load(str(tiny_model), options, 64, 1)
            assert str(failed.value).startswith(cause)
            assert process.running

    asyncio.run(scenario())


@pytest.mark.usefixtures("candle")
def test_a_context_beyond_what_candle_can(tiny_model: Path) -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            cause = (
                f"{tiny_model}: the plan needs a context of 4097 tokens, and candle's longest for this model is 4096"
            )
            with pytest.raises(EngineFailedError) as failed:
                await process.load(str(tiny_model), {}, 4097, 1)
            assert str(failed.value).startswith(cause)
            await process.load(str(tiny_model), {"threads": "1"}, 64, 1)
            with pytest.raises(EngineFailedError, match="needs 65 tokens of context; the model was loaded with 64"):
                await process.run_step(prefill(65), ignore)

    asyncio.run(scenario())


@pytest.mark.usefixtures("candle")
def test_kill_9_in_a_step_is_named_and_keeps_the_tokens_so_far(tiny_model: Path) -> None:
    async def scenario() -> None:
        process = await EngineProcess.start(CANDLE)
        await process.load(str(tiny_model), {"threads": "1"}, 4096, 1)
        with pytest.raises(EngineFailedError, match=r"killed by SIGKILL \(signal 9\) during decode 4096; .*memory"):
            await process.run_step(decode(4096), lambda _: os.kill(process.pid, signal.SIGKILL))
        (cut,) = process.requests_so_far
        assert 0 < len(cut.token_gaps_ns) < 4096
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
        await process.close()

    asyncio.run(scenario())


@linux_only
@pytest.mark.usefixtures("candle")
def test_running_out_of_memory_ends_the_engine_with_that_cause(candle: str, tiny_model: Path, tmp_path: Path) -> None:
    limited = tmp_path / "candle"
    limited.write_text(f"#!/bin/sh\nulimit -v 300000\nexec {candle}\n")
    limited.chmod(0o755)

    async def scenario() -> None:
        async with started(str(limited)) as process:
            await process.load(str(tiny_model), {"threads": "1", "batch": "0"}, 4096, 1)
            with pytest.raises(EngineFailedError, match=r"SIGABRT \(signal 6\) .*memory allocation of \d+ bytes "):
                await process.run_step(prefill(4096), ignore)

    asyncio.run(scenario())


def test_the_end_of_its_input_ends_it_in_the_middle_of_a_step(candle: str, tiny_model: Path) -> None:
    with subprocess.Popen([candle], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(load_command(tiny_model, 1) + step_command(2, 4096))
        child.stdin.flush()
        await_message(child.stdout, "tokens")
        child.stdin.close()
        assert child.wait(60) == 0
        assert b'"done"' not in child.stdout.read()


@linux_only
@pytest.mark.parametrize("threads", [1, 2])
def test_it_dies_with_its_parent_though_its_input_stays_open(candle: str, tiny_model: Path, threads: int) -> None:
    """Also when it has started itself afresh, as it must for one of these two numbers of threads at least."""
    parent = subprocess.Popen(
        [sys.executable, "-c", LONELY_PARENT, candle], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(load_command(tiny_model, threads))
        parent.stdin.flush()
        await_message(parent.stdout, "loaded")
        parent.kill()
        assert parent.stdout.read() == b""  # its output is closed, so it has ended


def test_what_is_no_command_ends_it(candle: str) -> None:
    ended = subprocess.run([candle], input=b"load!\n", capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr == b'error: the engine was sent what is no command: "load!"\n'


def test_a_command_that_it_does_not_know_is_refused(candle: str) -> None:
    with subprocess.Popen([candle], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(command("dance", 1) + command("load", 2) + command("close", 3))
        child.stdin.flush()
        assert await_message(child.stdout, "error")["cause"] == "no command is called 'dance'"
        assert "the command 'load' cannot be read: missing field" in await_message(child.stdout, "error")["cause"]
        assert child.wait(60) == 0
