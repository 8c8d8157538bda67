"""The driver of ExLlamaV2: on a GPU where there is one; else against a stand-in with the library's own checks."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof_agent.engines.token_ids import token_id
from edgeprof_agent.models.process import prepare_model

HERE = Path(__file__).parent
CHILD = HERE.parents[2] / "agent" / "edgeprof_agent" / "engines" / "child.py"
ENDS = ("hello", "loaded", "done", "error")
STAND_INS = str(HERE / "stand_ins")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    config = {"model_type": "llama", "vocab_size": 1000, "max_position_embeddings": 4096}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return str(tmp_path)


def child(commands: list[dict[str, object]], **environment: str) -> list[dict[str, object]]:
    """Everything that the engine says: to start with, and to each command."""
    command = [sys.executable, str(CHILD), "exllamav2"]
    messages: list[dict[str, object]] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in [None, *commands, {"command": "close", "id": 99}]:
            if line:
                process.stdin.write(json.dumps(line) + "\n")
                process.stdin.flush()
            for answer in iter(process.stdout.readline, ""):
                messages.append(json.loads(answer))
                if messages[-1]["type"] in ENDS:
                    break
            if messages[0]["type"] == "error":
                break
    return messages


def load(path: str, identity: int = 1, **options: str) -> dict[str, object]:
    return {"command": "load", "id": identity, "model_path": path, "options": options, "context_tokens": 64, "seed": 1}


def test_where_it_is_not_installed_it_says_how_to() -> None:
    if importlib.util.find_spec("exllamav2"):
        pytest.skip("it is installed here")
    (message,) = child([])
    assert message["type"] == "error"
    assert str(message["cause"]).startswith("the engine exllamav2 is not installed for ")
    assert str(message["cause"]).endswith("or where edgeprof is not installed pip install exllamav2")


def test_without_a_gpu_it_says_so_at_once() -> None:
    (message,) = child([], PYTHONPATH=STAND_INS, STAND_IN_WITHOUT_GPU="1")
    assert message["type"] == "error"
    assert str(message["cause"]).startswith("exllamav2 needs a GPU, and torch 0-stand-in sees none: install torch for")


def test_what_it_cannot_load_is_refused_in_one_line(folder: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "config.json").write_text('{"model_type": "abacus", "vocab_size": 1, "max_position_embeddings": 1}')
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    commands = [
        load(str(tmp_path / "model.gguf"), 1),
        load(str(odd), 2),
        load(folder, 3, kv_bits="5"),
        load(folder, 4, kv_bit="4"),
        load(folder, 5),
    ]
    hello, *answers = child(commands, PYTHONPATH=STAND_INS)
    assert hello["build"] == "torch 0-stand-in, GPU 0, GPU 1"
    causes = [str(answer.get("cause", "")) for answer in answers]
    assert "model.gguf: a file, and ExLlamaV2 reads Hugging Face folders" in causes[0]
    assert causes[1] == f"{odd}: ExLlamaV2 cannot load it: Unknown architecture: abacus"
    assert causes[2] == "the option 'kv_bits' cannot be '5': expected one of none, 8, 6, 4"
    assert "has no option 'kv_bit'; did you mean 'kv_bits'?" in causes[3]
    assert answers[4]["type"] == "loaded"


def test_each_time_is_read_when_all_gpus_have_finished(folder: str) -> None:
    script = [sys.executable, str(HERE / "exllamav2_conversation.py"), folder]
    output = subprocess.run(
        script, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": STAND_INS}
    ).stdout
    seen = json.loads(output)
    assert seen["options"] == {"prefill_step": "32", "kv_bits": "4", "flash_attention": "auto"}
    assert seen["cache"] == "ExLlamaV2Cache_Q4"
    assert seen["waiting"] == [0] * (1 + 3 + 2 * (1 + 3))
    filled = [[10, False]]
    prompt = [[32, True], [32, True], [6, False]]
    decoded = [[1, False]] * 3  # the context was cut back to 40, not filled again
    turns = [[10, False], [1, False], [1, False], [1, False], [10, False], [1, False], [1, False]]
    assert seen["calls"] == filled + prompt + decoded + turns
    assert seen["reused"] == [0, 0, 0, 13]
    assert seen["context"] == 25
    assert seen["content"] == [token_id(7, position, 1000) for position in range(25)]


@pytest.mark.gpu
def test_a_real_model_runs_on_a_real_gpu(tmp_path: Path) -> None:
    pytest.importorskip("exllamav2")
    path = asyncio.run(prepare_model("synth:smollm2-135m@hf-f16", tmp_path, lambda _: None)).path
    step = {"command": "step", "depth_tokens": 0, "turns": 1}
    commands = [
        {**load(path), "context_tokens": 2048},
        {**step, "id": 2, "kind": "prefill", "prompt_tokens": 2000, "decode_tokens": 0},
        {**step, "id": 3, "kind": "decode", "prompt_tokens": 0, "decode_tokens": 8},
    ]
    answers = child(commands)
    assert [answer["type"] for answer in answers if answer["type"] in ENDS] == ["hello", "loaded", "done", "done"]
