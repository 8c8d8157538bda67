"""What a job may name."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.plan import Plan, Step, StepKind
from edgeprof.plan_file import find_plan
from edgeprof_agent.config import AllowedConfig
from edgeprof_agent.policy import refuse_unless_allowed

PLAN = Plan(name="tiny", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=8),))
COMMAND = JobCommand(job_id="job", version=1, plan=PLAN)


def test_by_default_every_model_and_engine_is_allowed_but_no_other_python() -> None:
    refuse_unless_allowed(replace(COMMAND, model="/any/where.gguf", engine="llama-cpp-python"), AllowedConfig())
    with pytest.raises(EdgeprofError, match=r"'/tmp/python': list it in allowed\.pythons"):
        refuse_unless_allowed(replace(COMMAND, python="/tmp/python"), AllowedConfig())
    refuse_unless_allowed(replace(COMMAND, python="/tmp/python"), AllowedConfig(pythons=("/tmp/python",)))


def test_engines_can_be_limited() -> None:
    allowed = AllowedConfig(engines=("llama-cpp-python",))
    refuse_unless_allowed(replace(COMMAND, engine="llama-cpp-python"), allowed)
    with pytest.raises(EdgeprofError, match="the engine 'other'"):
        refuse_unless_allowed(replace(COMMAND, engine="other"), allowed)


def test_servers_are_engines_by_their_names() -> None:
    allowed = AllowedConfig(engines=("kitchen",))
    refuse_unless_allowed(replace(COMMAND, engine="kitchen"), allowed)
    with pytest.raises(EdgeprofError, match="the engine 'llama-server'"):
        refuse_unless_allowed(replace(COMMAND, engine="llama-server"), allowed)


def test_a_program_is_run_as_an_engine_only_if_it_is_listed() -> None:
    with pytest.raises(EdgeprofError, match=r"'/bin/sh': list it in allowed\.programs"):
        refuse_unless_allowed(replace(COMMAND, engine="/bin/sh"), AllowedConfig())
    refuse_unless_allowed(replace(COMMAND, engine="/opt/engine"), AllowedConfig(programs=("/opt/engine",)))


def test_a_device_that_is_limited_to_folders_fetches_nothing(tmp_path: Path) -> None:
    of_the_hub = replace(COMMAND, model="hf:maker/model/file.gguf")
    refuse_unless_allowed(of_the_hub, AllowedConfig())
    with pytest.raises(EdgeprofError, match=r"does not fetch 'hf:maker/model/file\.gguf'"):
        refuse_unless_allowed(of_the_hub, AllowedConfig(model_folders=(str(tmp_path),)))


def test_models_can_be_limited_to_folders_whatever_the_path_looks_like(tmp_path: Path) -> None:
    models, other = tmp_path / "models", tmp_path / "other"
    models.mkdir()
    other.mkdir()
    (models / "link.gguf").symlink_to(other / "model.gguf")
    allowed = AllowedConfig(model_folders=(str(models),))
    refuse_unless_allowed(replace(COMMAND, model=str(models / "model.gguf")), allowed)
    refuse_unless_allowed(replace(COMMAND, model="synth:llama-3.2-1b@q4_0"), allowed)
    refuse_unless_allowed(COMMAND, allowed)
    for model in (other / "model.gguf", models / ".." / "other" / "model.gguf", models / "link.gguf"):
        with pytest.raises(EdgeprofError, match=r"outside of allowed\.model_folders"):
            refuse_unless_allowed(replace(COMMAND, model=str(model)), allowed)


def test_texts_are_limited_to_the_folders_of_models(tmp_path: Path) -> None:
    allowed = AllowedConfig(model_folders=(str(tmp_path),))
    for text, is_allowed in ((tmp_path / "text.txt", True), (tmp_path / ".." / "secret", False)):
        step = Step(kind=StepKind.PERPLEXITY, prompt_tokens=64, text=str(text))
        command = replace(COMMAND, plan=Plan(name="text", steps=(step,)))
        refuse_unless_allowed(command, AllowedConfig())
        if is_allowed:
            refuse_unless_allowed(command, allowed)
            continue
        with pytest.raises(
            EdgeprofError, match=r"does not allow the text '.*': it is outside of allowed\.model_folders"
        ):
            refuse_unless_allowed(command, allowed)


def test_plans_can_be_limited_and_a_name_is_not_enough(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "tiny"\nsteps = [{ kind = "prefill", prompt_tokens = 8 }]\n', encoding="utf-8")
    allowed = AllowedConfig(plans=("quick", str(own)))
    refuse_unless_allowed(replace(COMMAND, plan=find_plan("quick")), allowed)
    refuse_unless_allowed(replace(COMMAND, plan=find_plan(str(own))), allowed)
    for plan in (replace(find_plan("quick"), repetitions=10_000), replace(find_plan(str(own)), name="mine")):
        with pytest.raises(EdgeprofError, match=rf"does not allow the plan '{plan.name}'.*allowed\.plans"):
            refuse_unless_allowed(replace(COMMAND, plan=plan), allowed)
    with pytest.raises(EdgeprofError, match=r"allowed\.plans"):
        refuse_unless_allowed(COMMAND, AllowedConfig(plans=()))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (replace(PLAN, steps=()), "needs at least one"),
        (replace(PLAN, variants=()), "'variants' must not be empty"),
        (replace(PLAN, repetitions=0), "'repetitions' must be 1 or more"),
        (replace(PLAN, steps=(Step(kind=StepKind.DECODE),)), "a decode step needs it"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(plan: Plan, message: str) -> None:
    with pytest.raises(EdgeprofError, match=message):
        refuse_unless_allowed(replace(COMMAND, plan=plan), AllowedConfig())
