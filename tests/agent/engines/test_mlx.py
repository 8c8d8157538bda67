"""The engine itself, in this process, where its cache can be seen."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx_lm
import numpy as np
import numpy.typing as npt
import pytest

from edgeprof.task_set import make_tasks
from edgeprof_agent.engines.engine import EngineError, Loaded, Step
from edgeprof_agent.engines.mlx import Mlx, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder, StepCancelledError
from edgeprof_agent.engines.token_ids import token_id
from edgeprof_agent.models.process import prepare_model

SEED = 11


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def written(models: Path, name: str) -> Path:
    return Path(asyncio.run(prepare_model(f"synth:{name}", models, lambda _: None)).path)


@pytest.fixture(scope="module")
def tiny(models: Path) -> Path:
    return written(models, "tiny@hf-f16")


@pytest.fixture
def engine() -> Any:
    engine = open_engine()
    yield engine
    engine.unload()


def load(engine: Mlx, path: Path, *, context_tokens: int = 256, seed: int = SEED, **given: str) -> Loaded:
    engine.unload()
    return engine.load(str(path), read_options(engine.name, engine.options, given), context_tokens, seed)


def run(engine: Mlx, kind: str, *, prompt: int = 0, depth: int = 0, decode: int = 0, turns: int = 1) -> list[Any]:
    messages: list[Any] = []
    engine.run(Step(kind, prompt, depth, decode, turns), Recorder(1, messages.append, lambda _: False))
    return messages


def test_it_writes_what_mlx_lm_writes(engine: Mlx, tiny: Path) -> None:
    """By the library's own generator, whose default is the likeliest token; random weights hardly ever end a text."""
    prompts = [task.prompt for task in make_tasks(3, 10)]
    model, tokenizer, *_ = mlx_lm.load(str(tiny))
    expected = [mlx_lm.generate(model, tokenizer, prompt, max_tokens=8) for prompt in prompts]
    load(engine, tiny)
    run(engine, "decode", depth=16, decode=4)
    before = keys(engine)
    messages: list[Any] = []
    engine.run(Step("tasks", 0, 0, 8, 1, prompts=prompts), Recorder(1, messages.append, lambda _: False))
    # The library's generator leaves out a space at the beginning.
    assert [text.lstrip(" ") for text in messages[-1]["texts"]] == expected
    assert sum(len(each["counts"]) for each in messages if each["type"] == "tokens") == len(prompts)
    assert np.array_equal(keys(engine), before)


def test_a_folder_without_a_tokenizer_answers_no_tasks(engine: Mlx, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mute"
    shutil.copytree(tiny, folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    load(engine, folder)
    with pytest.raises(EngineError, match=r"/mute: has no tokenizer that mlx-lm can read, so that no text can be: "):
        engine.run(Step("tasks", 0, 0, 8, 1, prompts=["3, 4,"]), Recorder(1, lambda _: None, lambda _: False))


def keys(engine: Mlx) -> npt.NDArray[np.float32]:
    """The last layer's keys, a row for each token in the cache: every one depends on all tokens up to its own."""
    cache = engine._cache[-1]
    assert cache.offset == engine.context_length
    found: npt.NDArray[np.float32] = np.array(cache.state[0].astype(mx.float32))
    rows: npt.NDArray[np.float32] = found[0, :, : cache.offset].swapaxes(0, 1)  # it grows ahead of its content
    return rows.reshape(cache.offset, -1)


def fresh_keys(path: Path, length: int, seed: int = SEED) -> npt.NDArray[np.float32]:
    """The same, of a context that was filled once from its beginning."""
    engine = open_engine()
    load(engine, path, seed=seed)
    run(engine, "prefill", prompt=length)
    found = keys(engine)
    engine.unload()
    return found


def likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """The least correlation of a row with its counterpart: over 0.999 for one context processed in two ways."""
    assert one.shape == other.shape
    return min(float(np.corrcoef(*rows)[0, 1]) for rows in zip(one, other, strict=True))


def test_likeness_tells_contexts_apart(tiny: Path) -> None:
    whole = fresh_keys(tiny, 40)
    assert likeness(whole, fresh_keys(tiny, 40)) > 0.999
    assert likeness(whole, fresh_keys(tiny, 40, seed=4)) < 0.9
    assert likeness(whole[1:], fresh_keys(tiny, 39)) < 0.9


def test_a_repetition_finds_the_context_that_the_first_one_found(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny)
    for _ in range(3):
        run(engine, "decode", depth=32, decode=8)
        assert engine.context_length == 40
        assert likeness(keys(engine), fresh_keys(tiny, 40)) > 0.999


def test_steps_of_any_order_leave_the_context_right(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny)
    run(engine, "chat", prompt=8, depth=8, decode=4, turns=3)
    run(engine, "prefill", prompt=50)
    run(engine, "decode", depth=70, decode=3)
    run(engine, "prefill", prompt=20, depth=30)
    assert likeness(keys(engine), fresh_keys(tiny, 50)) > 0.999


def test_a_context_that_cannot_be_cut_is_filled_again(engine: Mlx, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(engine, tiny)
    run(engine, "decode", depth=32, decode=8)
    monkeypatch.setattr(type(engine._cache[0]), "is_trimmable", lambda _: False)
    run(engine, "decode", depth=32, decode=8)
    assert likeness(keys(engine), fresh_keys(tiny, 40)) > 0.999


@pytest.mark.parametrize("step", ["1", "7", "64"])
def test_a_prompt_is_processed_whole_in_steps_of_any_size(engine: Mlx, tiny: Path, step: str) -> None:
    assert load(engine, tiny, prefill_step=step).options["prefill_step"] == step
    run(engine, "prefill", prompt=40)
    assert likeness(keys(engine), fresh_keys(tiny, 40)) > 0.999


def test_a_chat_processes_each_token_once(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny)
    messages = run(engine, "chat", prompt=10, depth=10, decode=5, turns=3)
    requests = [message for message in messages if message["type"] == "request"]
    assert [request["prompt_tokens"] for request in requests] == [10, 25, 40]
    assert [request["reused_tokens"] for request in requests] == [0, 15, 30]
    assert engine.context_length == 10 + 3 * 15 - 1
    assert likeness(keys(engine), fresh_keys(tiny, 54)) > 0.999


def test_the_seed_alone_chooses_the_tokens(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny, seed=3)
    assert engine._tokens[0].tolist() == [token_id(3, position, 2048) for position in range(256)]


def test_when_a_step_returns_the_device_has_finished(engine: Mlx, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was queued has been waited for: nothing of the cache is left to compute."""
    load(engine, tiny)
    waited: list[Any] = []

    def note_and_wait(arrays: Any) -> None:
        waited.append(arrays)
        Mlx._wait_for(engine, arrays)

    monkeypatch.setattr(engine, "_wait_for", note_and_wait)
    run(engine, "prefill", prompt=40)
    run(engine, "decode", depth=40, decode=3)
    logits = [arrays[0] for arrays in waited if isinstance(arrays[0], mx.array)]
    assert [tuple(each.shape) for each in logits] == [(1, 1, 2048)] * 4
    assert len(waited) == 2 + 3  # the prompt without its last token, that one, and each decoded one


def test_the_cache_can_be_quantised(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny)
    run(engine, "decode", depth=32, decode=4)
    floats = sum(layer.nbytes for layer in engine._cache)
    assert load(engine, tiny, kv_bits="4", kv_group_size="32").options["kv_bits"] == "4"
    for _ in range(2):
        run(engine, "decode", depth=32, decode=4)
        assert engine.context_length == engine._cache[0].offset == 36
    assert sum(layer.nbytes for layer in engine._cache) < floats / 2


def test_memory_of_the_weights_is_told(engine: Mlx, tiny: Path) -> None:
    assert load(engine, tiny).weights_bytes == 15_473_664
    active = mx.get_active_memory()
    engine.unload()
    assert mx.get_active_memory() < active - 15_000_000


def test_models_quantised_by_mlx_run(engine: Mlx, models: Path) -> None:
    loaded = load(engine, written(models, "tiny-odd@mlx-q4"))
    run(engine, "chat", prompt=3, decode=2, turns=2)
    assert engine.context_length == 9
    assert loaded.weights_bytes == 834_048


def test_what_mlx_cannot_do_here_is_said_in_its_words_and_the_engine_goes_on(
    engine: Mlx, models: Path, tiny: Path
) -> None:
    load(engine, written(models, "tiny-moe@hf-f16"))
    if mx.default_device() == mx.Device(mx.cpu):
        with pytest.raises(EngineError, match=r"MLX cannot process the tokens: .*only supports float32"):
            run(engine, "prefill", prompt=4)
        assert engine.context_length == 0
    load(engine, tiny)
    run(engine, "prefill", prompt=4)
    assert engine.context_length == 4


def test_a_cancelled_step_leaves_a_sound_context(engine: Mlx, tiny: Path) -> None:
    load(engine, tiny, prefill_step="8")
    asked = iter([False, True])
    with pytest.raises(StepCancelledError):
        engine.run(Step("prefill", 40, 0, 0, 1), Recorder(1, lambda _: None, lambda _: next(asked)))
    assert engine.context_length == 16
    run(engine, "prefill", prompt=40)
    assert likeness(keys(engine), fresh_keys(tiny, 40)) > 0.999


def test_steps_that_cannot_be_run_are_refused(engine: Mlx, tiny: Path) -> None:
    with pytest.raises(EngineError, match="no model is loaded"):
        run(engine, "decode", decode=1)
    load(engine, tiny, context_tokens=64)
    with pytest.raises(EngineError, match="the step needs 65 tokens of context; the model was loaded with 64"):
        run(engine, "prefill", prompt=65)


def test_what_is_no_folder_of_a_model_is_refused_with_the_way_out(engine: Mlx, tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"model_type": "abacus"}')
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "config.json").write_bytes((tiny / "config.json").read_bytes())
    (tmp_path / "cut" / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes()[:5000])
    causes = {
        "model.gguf": "a file, and MLX reads Hugging Face folders: give a folder with config.json",
        "absent": "no folder of a model, for it has no config.json",
        "odd": "mlx-lm cannot load it: ",
        "cut": "mlx-lm cannot load it: ",
    }
    for name, cause in causes.items():
        with pytest.raises(EngineError) as refused:
            load(engine, tmp_path / name)
        assert str(refused.value).startswith(f"{tmp_path / name}: {cause}")
        assert "\n" not in str(refused.value)
