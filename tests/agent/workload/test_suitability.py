"""Plans that ask for more than an engine can do."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from edgeprof.engine import EngineCapabilities, EngineOption
from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.run import RunStarted
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.workload.engine_messages import EngineHello
from edgeprof_agent.workload.preparation import prepare
from edgeprof_agent.workload.suitability import (
    refuse_texts_that_cannot_be_read,
    refuse_what_engine_cannot,
    refuse_what_model_cannot,
    without_what_engine_cannot,
)

from .runs import Device, job, plan_of

CAPABLE = EngineCapabilities(token_steps=True, logits=False, parallel_sequences=1, prefix_reuse=True)
HELLO = EngineHello(
    protocol=1,
    engine="abacus",
    version="1",
    build="",
    clock="any",
    monotonic_ns=1,
    capabilities=CAPABLE,
    options=(
        EngineOption(name="beads", kind="integer", default="10", minimum=1, maximum=100),
        EngineOption(name="wood", kind="choice", default="oak", choices=("oak", "pine")),
        EngineOption(name="carving", kind="verse", default=""),
    ),
)


def with_options(**options: str) -> Plan:
    return replace(plan_of(), variants=(Variant(name="plain"), Variant(name="other", options=options)))


@pytest.mark.parametrize("options", [{}, {"beads": "100", "wood": "pine"}, {"carving": "a kind of its own"}])
def test_what_the_engine_can_do_is_let_through(options: dict[str, str]) -> None:
    refuse_what_engine_cannot(with_options(**options), HELLO)


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"bead": "3"}, "the engine abacus has no option 'bead'; did you mean 'beads'? It has beads, wood, carving"),
        ({"beads": "101"}, "the option 'beads' cannot be '101': expected a whole number from 1 to 100"),
        ({"wood": "ebony"}, "the option 'wood' cannot be 'ebony': expected one of oak, pine"),
    ],
)
def test_options_are_checked_in_every_variant(options: dict[str, str], cause: str) -> None:
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_engine_cannot(with_options(**options), HELLO)
    assert str(refused.value) == cause


def test_an_engine_need_not_declare_its_options() -> None:
    refuse_what_engine_cannot(with_options(anything="goes"), replace(HELLO, options=()))


def test_a_step_that_the_engine_does_not_run_names_one_that_does() -> None:
    narrow = replace(HELLO, capabilities=replace(CAPABLE, step_kinds=("prefill", "decode")))
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_engine_cannot(plan_of(), narrow)
    cause = str(refused.value)
    assert cause.startswith("the engine abacus cannot run the step 'chat': it runs prefill and decode steps alone; ")
    assert "take the engine llama-cpp-python" in cause


@pytest.mark.parametrize(
    ("step", "engines"),
    [
        (Step(kind=StepKind.PARALLEL, name="eight", sequences=8, decode_tokens=4), "llama-cpp-python"),
        (Step(kind=StepKind.PERPLEXITY, name="text", prompt_tokens=64, text="/t"), "llama-cpp-python"),
        (Step(kind=StepKind.TASKS, name="tasks", tasks=20), "llama-cpp-python or mlx or openai"),
        (Step(kind=StepKind.ROWS, name="four", rows=4, decode_tokens=16), "llama-cpp-python or mlx or exllamav2"),
    ],
)
def test_a_kind_of_step_that_few_engines_run_names_them(step: Step, engines: str) -> None:
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_engine_cannot(replace(plan_of(), steps=(step,)), HELLO)
    cause = str(refused.value)
    assert cause.startswith(f"the engine abacus cannot run the step '{step.name}': it runs prefill ")
    assert cause.endswith(f"; take the engine {engines}, or leave the step out")


@pytest.mark.parametrize(
    ("sequences", "advice"), [(8, "take the engine llama-cpp-python, or take fewer"), (1000, "most; take fewer")]
)
def test_more_sequences_than_the_engine_decodes_together_are_refused(sequences: int, advice: str) -> None:
    step = Step(kind=StepKind.PARALLEL, name="many", sequences=sequences, decode_tokens=4)
    narrow = replace(HELLO, capabilities=replace(CAPABLE, step_kinds=("parallel",), parallel_sequences=4))
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_engine_cannot(replace(plan_of(), steps=(step,)), narrow)
    cause = str(refused.value)
    assert cause.startswith("the engine abacus cannot run the step 'many': it decodes 4 sequences together at most; ")
    assert advice in cause


def test_optional_steps_are_left_out_where_the_engine_cannot_run_them() -> None:
    four = Step(kind=StepKind.ROWS, name="four", rows=4, decode_tokens=16)
    plan = replace(plan_of(), steps=(*plan_of().steps, replace(four, optional=True)))
    assert without_what_engine_cannot(plan, HELLO) == plan_of()
    needed = replace(plan_of(), steps=(*plan_of().steps, four))
    assert without_what_engine_cannot(needed, HELLO) == needed
    able = replace(HELLO, capabilities=replace(CAPABLE, step_kinds=("prefill", "decode", "chat", "rows")))
    assert without_what_engine_cannot(plan, able) == plan


def test_a_run_tells_which_steps_it_left_out(device: Device, model: str) -> None:
    four = Step(kind=StepKind.ROWS, name="four", rows=4, decode_tokens=16, optional=True)
    plan = plan_of()
    device.run(job(replace(plan, steps=(four, *plan.steps)), model))
    [started] = device.all(RunStarted)
    assert (started.plan, started.left_out_steps) == (plan, ("four",))


_TEXTS: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, " does not exist on this device: name a text in UTF-8"),
    "empty": (b"", " is empty: name one that holds some"),
    "blank": (b" \n", " is empty: name one that holds some"),
    "latin-1": ("café".encode("latin-1"), " is not UTF-8 at byte 3: convert it"),
    "endless": (b"a" * (16 << 20) + b"a", " has more than 16 MiB: take a part of it"),
}


@pytest.mark.parametrize(("content", "cause"), _TEXTS.values(), ids=_TEXTS)
def test_a_text_that_cannot_be_scored_is_refused_in_one_line(tmp_path: Path, content: bytes | None, cause: str) -> None:
    text = tmp_path / "text"
    if content is not None:
        text.write_bytes(content)
    with pytest.raises(EdgeprofError) as refused:
        refuse_texts_that_cannot_be_read(replace(plan_of(), steps=(_perplexity(text),)))
    assert str(refused.value) == f"the text {text}{cause}"


def test_a_folder_and_what_may_not_be_read_are_no_texts(tmp_path: Path) -> None:
    with pytest.raises(EdgeprofError, match=r" is no file: name a text in UTF-8$"):
        refuse_texts_that_cannot_be_read(replace(plan_of(), steps=(_perplexity(tmp_path),)))
    with pytest.raises(EdgeprofError, match=r" cannot be read: File name too long$"):
        refuse_texts_that_cannot_be_read(replace(plan_of(), steps=(_perplexity(tmp_path / ("a" * 300)),)))


def test_a_missing_text_is_refused_before_the_model_is_touched(device: Device, tmp_path: Path) -> None:
    plan = replace(plan_of(), steps=(_perplexity(tmp_path / "none"),), variants=(Variant(name="plain"),))
    command = replace(job(plan, "/no/such/model.gguf"), engine="llama-cpp-python", python="")
    with pytest.raises(EdgeprofError, match=r"^the text .*/none does not exist on this device: name a text in UTF-8$"):
        asyncio.run(prepare(command, device.environment))
    assert psutil.Process().children() == []


def _perplexity(text: Path) -> Step:
    return Step(kind=StepKind.PERPLEXITY, name="text", prompt_tokens=64, windows=4, text=str(text))


_TASKS = Step(kind=StepKind.TASKS, name="tasks 20", tasks=20)


def test_random_weights_are_asked_nothing(device: Device) -> None:
    plan = replace(plan_of(), steps=(_TASKS,), variants=(Variant(name="plain"),))
    command = replace(job(plan, "synth:tiny@q8_0"), engine="llama-cpp-python", python="")
    with pytest.raises(EdgeprofError) as refused:
        asyncio.run(prepare(command, device.environment))
    assert str(refused.value) == (
        "synth:tiny@q8_0: its weights are random and answer nothing, so the step 'tasks 20' would say nothing: name a "
        "real model, leave the step out, or make it 'optional'"
    )
    assert psutil.Process().children() == []
    assert not list(device.environment.cache_folder.rglob("*.gguf"))


def test_optional_tasks_are_left_out_of_a_run_of_random_weights(device: Device) -> None:
    plan = replace(plan_of(), variants=(Variant(name="plain"),))
    optional = replace(plan, steps=(*plan.steps, replace(_TASKS, optional=True)))
    command = replace(job(optional, "synth:tiny@q8_0"), engine="llama-cpp-python", python="")
    device.run(command)
    [started] = device.all(RunStarted)
    assert (started.plan, started.left_out_steps, started.unanswerable_steps) == (plan, (), ("tasks 20",))


@pytest.mark.parametrize("step", [_TASKS, Step(kind=StepKind.PERPLEXITY, name="text", prompt_tokens=64, text="/t")])
def test_a_model_without_a_vocabulary_can_read_no_text(step: Step) -> None:
    model = ModelOutline(name="numbers", format="gguf", file_bytes=1, has_vocabulary=False)
    with pytest.raises(EdgeprofError) as refused:
        refuse_what_model_cannot(replace(plan_of(), steps=(step,)), model)
    assert str(refused.value) == (
        f"numbers: has no vocabulary to read a text with, which the step '{step.name}' needs: take a model that has "
        "one, or leave the step out"
    )
    refuse_what_model_cannot(plan_of(), model)


def test_it_is_refused_before_the_model_is_touched_and_leaves_no_engine_behind(device: Device) -> None:
    with pytest.raises(EdgeprofError, match="the option 'behaviour' cannot be 'naughty'"):
        asyncio.run(prepare(job(plan_of("naughty"), "/no/such/model.gguf"), device.environment))
    assert psutil.Process().children() == []
