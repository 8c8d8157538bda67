"""What llama.cpp writes after prompts, held against a model of which it is known and the binding's own generator."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from edgeprof.task_set import ANSWER_TOKENS, TASK_CONTEXT_TOKENS, TaskKind, is_right, make_tasks
from edgeprof_agent.engines.engine import EngineError, Step
from edgeprof_agent.engines.llama_cpp import LlamaCpp, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder, StepCancelledError
from tests.agent.engines.numerate_model import write_numerate_model
from tests.agent.engines.tiny_model import write_tiny_model

TASKS = make_tasks(3, 100)
PROMPTS = [task.prompt for task in TASKS]


@pytest.fixture(scope="module")
def numerate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numerate_model(tmp_path_factory.mktemp("models") / "numerate.gguf")


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def engine() -> Iterator[LlamaCpp]:
    engine = open_engine()
    yield engine
    engine.unload()


def load(engine: LlamaCpp, model: Path, context_tokens: int = TASK_CONTEXT_TOKENS, **given: str) -> None:
    options = read_options(engine.name, engine.options, {"threads": "1", **given})
    engine.load(str(model), options, context_tokens, 11)


def run(engine: LlamaCpp, prompts: Sequence[str] = PROMPTS, most: int = ANSWER_TOKENS) -> list[Any]:
    messages: list[Any] = []
    step = Step("tasks", 0, 0, most, 1, prompts=prompts)
    engine.run(step, Recorder(1, messages.append, lambda _: False))
    return messages


def rights(texts: Sequence[str], kind: TaskKind) -> list[bool]:
    return [is_right(text, task.expected) for task, text in zip(TASKS, texts, strict=True) if task.kind is kind]


def test_a_model_that_can_count_counts_and_does_not_calculate(engine: LlamaCpp, numerate: Path) -> None:
    load(engine, numerate)
    texts = run(engine)[-1]["texts"]
    assert rights(texts, TaskKind.COUNTING) == [True] * 40
    assert [text for task, text in zip(TASKS, texts, strict=True) if task.kind is TaskKind.ARITHMETIC] == [" 7\n"] * 60


def test_its_damaged_twin_counts_worse(engine: LlamaCpp, tmp_path: Path) -> None:
    load(engine, write_numerate_model(tmp_path / "damaged.gguf", damaged=True))
    assert 10 <= sum(rights(run(engine)[-1]["texts"], TaskKind.COUNTING)) <= 30


def test_it_writes_what_the_binding_writes(engine: LlamaCpp, numerate: Path) -> None:
    """By the binding's own class: its tokens, its sampler at temperature 0, its text."""
    library = llama_cpp.Llama(str(numerate), n_ctx=TASK_CONTEXT_TOKENS, n_threads=1, verbose=False)
    expected = []
    for prompt in PROMPTS[:20]:
        answer = library.create_completion(prompt, max_tokens=2, temperature=0.0)
        assert isinstance(answer, dict)
        expected.append(answer["choices"][0]["text"])
    library.close()
    load(engine, numerate)
    assert run(engine, PROMPTS[:20], most=2)[-1]["texts"] == expected


def test_the_answers_are_the_same_in_smaller_calls(engine: LlamaCpp, numerate: Path) -> None:
    load(engine, numerate)
    whole = run(engine)[-1]
    engine.unload()
    load(engine, numerate, batch="32", micro_batch="32")
    assert run(engine)[-1] == whole


def test_each_prompt_with_its_answer_is_a_token_event(engine: LlamaCpp, random: Path) -> None:
    load(engine, random)
    [tokens] = [each for each in run(engine, PROMPTS[:4]) if each["type"] == "tokens"]
    assert len(tokens["counts"]) == 4
    assert all(ANSWER_TOKENS < count <= TASK_CONTEXT_TOKENS for count in tokens["counts"])


def test_it_leaves_other_steps_as_they_are(engine: LlamaCpp, random: Path) -> None:
    load(engine, random)
    fidelity = Step("fidelity", 8, 16, 4, 1, top_count=4)
    messages: list[Any] = []
    engine.run(fidelity, Recorder(1, messages.append, lambda _: False))
    before = messages[-1]
    run(engine, PROMPTS[:4])
    engine.run(fidelity, Recorder(1, messages.append, lambda _: False))
    assert messages[-1] == before


def test_a_context_without_room_is_refused(engine: LlamaCpp, random: Path) -> None:
    load(engine, random, 32)
    with pytest.raises(EngineError, match=r"^a prompt has \d+ tokens and its answer 300; the context has 256$"):
        run(engine, PROMPTS[:1], most=300)


def test_it_can_be_cancelled_between_two_prompts(engine: LlamaCpp, random: Path) -> None:
    load(engine, random)
    with pytest.raises(StepCancelledError):
        engine.run(Step("tasks", 0, 0, 8, 1, prompts=PROMPTS), Recorder(1, lambda _: None, lambda _: True))
    assert engine.context_length == 0
