"""The engine itself, in this process, where its logits can be seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from edgeprof_agent.engines.engine import EngineError, Loaded, Step
from edgeprof_agent.engines.llama_cpp import LlamaCpp, open_engine
from edgeprof_agent.engines.llama_cpp_options import KV_TYPES
from edgeprof_agent.engines.llama_cpp_parameters import Numa, model_parameters
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder
from edgeprof_agent.engines.token_ids import token_id
from tests.agent.engines.tiny_model import write_tiny_model

SEED = 11


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaCpp]:
    """One for all tests, as in the child: llama.cpp has one log, and keeps the address of what receives it."""
    engine = open_engine()
    yield engine
    engine.unload()


def load(engine: LlamaCpp, path: Path, *, context_tokens: int = 512, seed: int = SEED, **given: str) -> Loaded:
    options = read_options(engine.name, engine.options, {"threads": "1", **given})
    engine.unload()
    return engine.load(str(path), options, context_tokens, seed)


def run(engine: LlamaCpp, kind: str, *, prompt: int = 0, depth: int = 0, decode: int = 0, turns: int = 1) -> list[Any]:
    messages: list[Any] = []
    engine.run(Step(kind, prompt, depth, decode, turns), Recorder(1, messages.append, lambda _: False))
    return messages


def logits(engine: LlamaCpp) -> npt.NDArray[np.float32]:
    """What the model thinks comes after the last token in its context."""
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(engine._model))
    pointer = llama_cpp.llama_get_logits_ith(engine._context, -1)
    return np.array(pointer[:vocabulary], np.float32)


def tokens_in_cache(engine: LlamaCpp) -> int:
    return int(llama_cpp.llama_memory_seq_pos_max(llama_cpp.llama_get_memory(engine._context), 0)) + 1


def fresh_logits(engine: LlamaCpp, path: Path, length: int, seed: int = SEED) -> npt.NDArray[np.float32]:
    """The same, of a context that was filled once from its beginning."""
    load(engine, path, seed=seed)
    run(engine, "prefill", prompt=length)
    return logits(engine)


def likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Correlation: over 0.99 for one context processed in two ways (batches round differently), else far below."""
    return float(np.corrcoef(one, other)[0, 1])


def test_likeness_tells_contexts_apart(engine: LlamaCpp, tiny_model: Path) -> None:
    whole = fresh_logits(engine, tiny_model, 72)
    assert likeness(whole, fresh_logits(engine, tiny_model, 72)) > 0.99
    assert likeness(whole, fresh_logits(engine, tiny_model, 71)) < 0.9
    assert likeness(whole, fresh_logits(engine, tiny_model, 72, seed=4)) < 0.9


def test_a_repetition_finds_the_context_that_the_first_one_found(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    seen = []
    for _ in range(3):
        run(engine, "decode", depth=64, decode=8)
        assert tokens_in_cache(engine) == engine.context_length == 72
        seen.append(logits(engine))
    for found in seen[1:]:
        np.testing.assert_allclose(found, seen[0], atol=1e-4)
    assert likeness(seen[0], fresh_logits(engine, tiny_model, 72)) > 0.99


def test_steps_of_any_order_leave_the_context_right(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    run(engine, "chat", prompt=16, depth=8, decode=4, turns=3)
    run(engine, "prefill", prompt=100)
    run(engine, "decode", depth=200, decode=3)
    run(engine, "prefill", prompt=40, depth=30)
    assert tokens_in_cache(engine) == 70
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 70)) > 0.99


def test_a_context_that_cannot_be_cut_is_filled_again(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    engine._can_cut = False  # as for a recurrent model; load() sets it
    for _ in range(2):
        run(engine, "decode", depth=64, decode=8)
        assert tokens_in_cache(engine) == 72
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 72)) > 0.99


def test_a_prompt_larger_than_a_batch_is_processed_whole(engine: LlamaCpp, tiny_model: Path) -> None:
    in_force = load(engine, tiny_model, batch="32", micro_batch="16").options
    assert (in_force["batch"], in_force["micro_batch"]) == ("32", "16")
    run(engine, "prefill", prompt=100)
    assert tokens_in_cache(engine) == 100
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 100)) > 0.99


def test_a_chat_processes_each_token_once(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    messages = run(engine, "chat", prompt=20, depth=10, decode=5, turns=3)
    requests = [message for message in messages if message["type"] == "request"]
    assert [request["prompt_tokens"] for request in requests] == [20, 45, 70]
    assert [request["reused_tokens"] for request in requests] == [0, 25, 50]
    assert {request["depth_tokens"] for request in requests} == {10}
    # Of the last turn's last token nobody asks what comes next.
    assert tokens_in_cache(engine) == 10 + 3 * 25 - 1
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 84)) > 0.99


def test_the_seed_alone_chooses_the_tokens(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model, seed=3)
    assert list(engine._tokens) == [token_id(3, position, 2048) for position in range(512)]
    run(engine, "prefill", prompt=40)
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 40, seed=3)) > 0.99


def test_logits_are_computed_for_the_last_token_alone_unless_asked(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    run(engine, "prefill", prompt=24)
    assert not llama_cpp.llama_get_logits_ith(engine._context, 5)
    load(engine, tiny_model, logits_all="true")
    run(engine, "prefill", prompt=24)
    assert llama_cpp.llama_get_logits_ith(engine._context, 5)


def test_options_reach_the_engine(engine: LlamaCpp, tiny_model: Path) -> None:
    options = read_options(
        engine.name,
        engine.options,
        {"threads": "2", "threads_batch": "1", "flash_attention": "off", "context": "2000", "cache_type_k": "q8_0"},
    )
    engine.unload()
    in_force = engine.load(str(tiny_model), options, 512, SEED).options
    assert (in_force["threads"], in_force["threads_batch"], in_force["flash_attention"]) == ("2", "1", "off")
    assert (in_force["context"], in_force["cache_type_k"], in_force["cache_type_v"]) == ("2048", "q8_0", "f16")
    assert llama_cpp.llama_n_threads(engine._context) == 2
    assert llama_cpp.llama_n_threads_batch(engine._context) == 1
    assert set(in_force) == {option.name for option in engine.options}


def test_what_was_left_to_the_engine_is_told_as_it_chose(engine: LlamaCpp, tiny_model: Path) -> None:
    in_force = load(engine, tiny_model).options
    assert in_force["flash_attention"] == "on"
    assert in_force["threads_batch"] == "1"
    assert in_force["context"] == "512"


def test_memory_is_told_by_kind(engine: LlamaCpp, tiny_model: Path) -> None:
    f16 = load(engine, tiny_model, context_tokens=2048)
    assert f16.weights_bytes == pytest.approx(tiny_model.stat().st_size, rel=0.05)
    # 3 layers, 2 heads of 64 keys and values each, 2 bytes per element
    assert f16.kv_cache_bytes == 2048 * 3 * 2 * 2 * 64 * 2
    f32 = load(engine, tiny_model, context_tokens=2048, cache_type_k="f32", cache_type_v="f32")
    assert f32.kv_cache_bytes == 2 * f16.kv_cache_bytes
    small = load(engine, tiny_model, context_tokens=2048, micro_batch="32")
    assert small.compute_bytes
    assert f16.compute_bytes
    assert small.compute_bytes < f16.compute_bytes


def test_a_context_too_small_for_the_plan_is_refused(engine: LlamaCpp, tiny_model: Path) -> None:
    with pytest.raises(EngineError, match="the option 'context' is 100, but the plan needs 512; leave it out"):
        load(engine, tiny_model, context="100")


def test_what_llama_cpp_refuses_is_refused_in_its_words(engine: LlamaCpp, tiny_model: Path) -> None:
    with pytest.raises(EngineError, match="quantized V cache requires flash_attn to be enabled"):
        load(engine, tiny_model, cache_type_v="q4_0", flash_attention="off")
    with pytest.raises(EngineError, match="no model is loaded"):
        run(engine, "decode", decode=1)


@pytest.mark.skipif(llama_cpp.llama_supports_gpu_offload(), reason="this llama-cpp-python has a GPU back end")
def test_kept_threads_compute_the_same_and_end_with_the_model(engine: LlamaCpp, tiny_model: Path) -> None:
    threads_before = len(psutil.Process().threads())
    found = []
    for kept in ("true", "false") * 10:
        in_force = load(engine, tiny_model, threads="3", threads_batch="2", thread_pool=kept).options
        assert in_force["thread_pool"] == kept
        run(engine, "chat", prompt=20, decode=4, turns=2)
        found.append(logits(engine))
    engine.unload()
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-4, atol=1e-4)
    # OpenMP keeps its own threads for as long as the process lives, whoever asked for them.
    assert len(psutil.Process().threads()) - threads_before <= 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gpu_layers", "3"),
        ("main_gpu", "1"),
        ("split_mode", "row"),
        ("tensor_split", "3,1"),
        ("offload_kqv", "false"),
        ("op_offload", "false"),
    ],
)
def test_options_of_a_gpu_that_is_not_there_are_refused(
    engine: LlamaCpp, tiny_model: Path, name: str, text: str
) -> None:
    given: Any = {name: text}
    with pytest.raises(EngineError, match=f"'{name}' needs a GPU"):
        load(engine, tiny_model, **given)
    assert load(engine, tiny_model, gpu_layers="0").options["gpu_layers"] == "0"


def test_the_shares_of_gpus_are_read(engine: LlamaCpp) -> None:
    parameters = model_parameters(read_options(engine.name, engine.options, {"tensor_split": "3,1.5"}))
    assert parameters.tensor_split[:3] == [3.0, 1.5, 0.0]
    for wrong in ("3;1", "0,0", "-1,2", ",".join(["1"] * 1000)):
        with pytest.raises(EngineError, match=r"'tensor_split' cannot be '.*': expected up to \d+ shares"):
            model_parameters(read_options(engine.name, engine.options, {"tensor_split": wrong}))


@pytest.mark.parametrize("kind", KV_TYPES)
def test_every_type_of_cache_can_be_used(engine: LlamaCpp, tiny_model: Path, kind: str) -> None:
    whole = fresh_logits(engine, tiny_model, 40)
    in_force = load(engine, tiny_model, cache_type_k=kind, cache_type_v=kind).options
    assert (in_force["cache_type_k"], in_force["cache_type_v"]) == (kind, kind)
    run(engine, "prefill", prompt=40)
    assert likeness(logits(engine), whole) > 0.8


@pytest.mark.parametrize(
    ("name", "text"), [("rope_frequency_base", "500.0"), ("rope_frequency_scale", "0.25"), ("rope_scaling", "yarn")]
)
def test_positions_are_turned_as_the_options_say(engine: LlamaCpp, tiny_model: Path, name: str, text: str) -> None:
    load(engine, tiny_model, rope_frequency_scale="0.5")
    run(engine, "prefill", prompt=60)
    before = logits(engine)
    given: Any = {"rope_frequency_scale": "0.5", name: text}
    in_force = load(engine, tiny_model, **given).options
    assert in_force[name] == text
    run(engine, "prefill", prompt=60)
    assert np.abs(logits(engine) - before).max() > 1e-3


def test_the_models_own_positions_are_told(engine: LlamaCpp, tiny_model: Path) -> None:
    in_force = load(engine, tiny_model).options
    assert (in_force["rope_scaling"], in_force["rope_frequency_base"], in_force["rope_frequency_scale"]) == (
        "linear",
        "10000.0",
        "1",
    )


def test_weights_can_be_left_as_they_lie(engine: LlamaCpp, tiny_model: Path) -> None:
    whole = fresh_logits(engine, tiny_model, 40)
    assert load(engine, tiny_model, repack="false").options["repack"] == "false"
    run(engine, "prefill", prompt=40)
    assert likeness(logits(engine), whole) > 0.99


def test_threads_are_spread_over_nodes_once(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="'numa' cannot be 'distribute': this machine has one NUMA node"):
        Numa(tmp_path).choose("distribute")
    for node in ("node0", "node1"):
        (tmp_path / "sys/devices/system/node" / node).mkdir(parents=True)
    numa = Numa(tmp_path)
    for strategy in ("off", "distribute", "distribute"):
        numa.choose(strategy)
    with pytest.raises(EngineError, match="'numa' cannot be 'isolate' after 'distribute'"):
        numa.choose("isolate")


def test_a_step_beyond_the_context_is_refused(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model, context_tokens=64)
    with pytest.raises(EngineError, match="the step needs 65 tokens of context; the model was loaded with 64"):
        run(engine, "prefill", prompt=65)


def test_a_call_that_fails_is_an_error_and_the_next_step_starts_clean(engine: LlamaCpp, tiny_model: Path) -> None:
    load(engine, tiny_model)
    run(engine, "prefill", prompt=10)
    good, engine._tokens[20] = engine._tokens[20], 999_999
    with pytest.raises(EngineError, match=r"llama_decode returned -1, invalid batch: .*999999"):
        run(engine, "decode", depth=10, decode=20)
    engine._tokens[20] = good
    run(engine, "decode", depth=10, decode=20)
    assert tokens_in_cache(engine) == 30
    assert likeness(logits(engine), fresh_logits(engine, tiny_model, 30)) > 0.99
