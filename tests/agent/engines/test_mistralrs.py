"""The engine itself, in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeprof_agent.engines.engine import EngineError, Loaded, Step
from edgeprof_agent.engines.mistralrs import MistralRs, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder, StepCancelledError
from tests.agent.engines.tiny_model import write_tiny_folder, write_tiny_model


@pytest.fixture
def engine() -> Iterator[MistralRs]:
    engine = open_engine()
    yield engine
    engine.unload()


def load(engine: MistralRs, path: Path, **given: str) -> Loaded:
    return engine.load(str(path), read_options(engine.name, engine.options, given), 512, 3)


def run(engine: MistralRs, kind: str, *, prompt: int = 0, depth: int = 0, decode: int = 0, turns: int = 1) -> list[Any]:
    messages: list[Any] = []
    engine.run(Step(kind, prompt, depth, decode, turns), Recorder(1, messages.append, lambda _: False))
    return messages


def ends(messages: list[Any]) -> list[Any]:
    return [message for message in messages if message["type"] == "request_end"]


@pytest.mark.parametrize("write", [write_tiny_model, write_tiny_folder])
def test_files_and_folders_run(engine: MistralRs, model_folder: Path, write: Any) -> None:
    load(engine, write(model_folder))
    (end,) = ends(run(engine, "prefill", prompt=100))
    assert end["prompt_tokens"] == pytest.approx(100, abs=4)
    assert end["reused_tokens"] == 0
    messages = run(engine, "decode", depth=50, decode=6)
    assert ends(messages)[0]["depth_tokens"] == pytest.approx(50, abs=4)
    times = [time for message in messages if message["type"] == "tokens" for time in message["times_monotonic_ns"]]
    assert len(times) == 6
    assert times == sorted(times)


def test_a_repetition_does_its_work_again(engine: MistralRs, model_folder: Path) -> None:
    load(engine, write_tiny_model(model_folder))
    reused = [ends(run(engine, "prefill", prompt=80))[0]["reused_tokens"] for _ in range(3)]
    assert max(reused) <= 2  # two texts may begin with the same word


def test_later_turns_reuse_what_the_engine_says(engine: MistralRs, model_folder: Path) -> None:
    load(engine, write_tiny_model(model_folder))
    turns = ends(run(engine, "chat", prompt=60, decode=3, turns=3))
    reused = [turn["reused_tokens"] for turn in turns]
    assert reused[0] == 0
    assert 0 < reused[1] < reused[2]
    assert all(turn["reused_tokens"] < turn["prompt_tokens"] for turn in turns)
    load(engine, write_tiny_model(model_folder), prefix_cache="0")
    assert [turn["reused_tokens"] for turn in ends(run(engine, "chat", prompt=60, decode=3, turns=3))] == [0, 0, 0]


def test_tokens_that_make_one_character_are_counted_each(engine: MistralRs, model_folder: Path) -> None:
    """They come together: of random weights every fifth answer of eight tokens has such."""
    load(engine, write_tiny_model(model_folder))
    messages = run(engine, "chat", prompt=7, decode=8, turns=20)
    events = [len(message["times_monotonic_ns"]) for message in messages if message["type"] == "tokens"]
    assert min(events) < 8
    for number, end in zip(events, ends(messages), strict=True):
        assert sum(end.get("counts", [1] * number)) == 8


def test_a_model_can_be_quantised_while_it_is_loaded(engine: MistralRs, model_folder: Path) -> None:
    assert load(engine, write_tiny_folder(model_folder), in_situ_quant="q8_0").options["in_situ_quant"] == "q8_0"
    assert len(ends(run(engine, "decode", decode=2))) == 1


def test_what_it_cannot_load_is_refused_in_one_line(engine: MistralRs, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    for name in ("model.gguf", "absent.gguf"):
        with pytest.raises(EngineError) as refused:
            load(engine, tmp_path / name)
        assert str(refused.value).startswith(f"{tmp_path / name}: mistral.rs cannot load it: ")
        assert "\n" not in str(refused.value)
    with pytest.raises(EngineError, match="no model is loaded"):
        run(engine, "decode", decode=1)


def test_a_cancelled_step_ends_and_the_next_one_runs(engine: MistralRs, model_folder: Path) -> None:
    load(engine, write_tiny_model(model_folder))
    asked = iter([False, False, False, True])
    with pytest.raises(StepCancelledError):
        engine.run(Step("decode", 0, 0, 20, 1), Recorder(1, lambda _: None, lambda _: next(asked, True)))
    assert len(ends(run(engine, "decode", decode=2))) == 1
