"""Whether an engine can do what a plan asks for, seen before a model is loaded."""

from collections.abc import Mapping
from dataclasses import replace

from edgeprof.engine import EngineOption
from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Step, StepKind
from edgeprof_agent.engines.engine import EngineError
from edgeprof_agent.engines.options import KINDS, Option, read_value, refuse_unknown
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS
from edgeprof_agent.engines.text_file import read_text_file
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.workload.engine_messages import EngineHello
from edgeprof_agent.workload.readable_models import engines_that_read, readable_models
from edgeprof_agent.workload.server_config import ServerConfig

_FORMATS = {"gguf": "a GGUF file", "safetensors": "a Hugging Face folder"}


def without_what_engine_cannot(plan: Plan, engine: EngineHello) -> Plan:
    """The plan without the optional steps that an engine does not run."""
    return replace(plan, steps=tuple(each for each in plan.steps if not (each.optional and _why_not(each, engine))))


def refuse_what_engine_cannot(plan: Plan, engine: EngineHello) -> None:
    """Hold a plan's steps and options against what an engine said of itself.

    Raises:
        EdgeprofError: a step is of a kind that the engine does not run, or a variant sets an option that it does not
            have, or to a value that the option cannot have, or a server would have to begin anew that is not ours.
    """
    if plan.fresh_processes and not engine.capabilities.loads_model:
        raise EdgeprofError(
            f"the server '{engine.engine}' runs already and cannot begin anew for each repetition: leave out "
            "the plan's 'fresh_processes', say --no-fresh-processes, or have edgeprof start the server"
        )
    for step in plan.steps:
        if cause := _why_not(step, engine):
            raise EdgeprofError(cause)
    try:
        for variant in plan.variants:
            _check_options(engine, variant.options)
    except EngineError as error:
        raise EdgeprofError(str(error)) from error


def refuse_texts_that_cannot_be_read(plan: Plan) -> None:
    """Look at every text that a plan's steps score.

    Raises:
        EdgeprofError: one cannot be read, is empty, too long, or not UTF-8.
    """
    try:
        for path in dict.fromkeys(step.text for step in plan.steps if step.text):
            read_text_file(path)
    except EngineError as error:
        raise EdgeprofError(str(error)) from error


def without_what_model_cannot(plan: Plan, *, synthetic: bool) -> Plan:
    """The plan without the optional steps whose questions random weights cannot answer."""
    return replace(plan, steps=tuple(each for each in plan.steps if not (each.optional and synthetic and _asks(each))))


def refuse_what_model_cannot(plan: Plan, model: ModelOutline) -> None:
    """Hold a plan's steps against what is known of a model before it is read whole.

    Raises:
        EdgeprofError: a step that is not optional asks a synthetic model something, or a step needs a vocabulary that
            the model does not have.
    """
    for step in plan.steps:
        if _asks(step) and model.synthetic and not step.optional:
            raise EdgeprofError(
                f"{model.name}: its weights are random and answer nothing, so the step '{step.name}' would say "
                "nothing: name a real model, leave the step out, or make it 'optional'"
            )
        if step.kind in (StepKind.TASKS, StepKind.PERPLEXITY) and not model.has_vocabulary:
            raise EdgeprofError(
                f"{model.name}: has no vocabulary to read a text with, which the step '{step.name}' needs: take a "
                "model that has one, or leave the step out"
            )


def refuse_what_engine_cannot_read(
    engine: str, servers: Mapping[str, ServerConfig], model: str, model_format: str
) -> None:
    """Hold the form of a model against those that an engine is known to read.

    Raises:
        EdgeprofError: it is none of them.
    """
    readable = readable_models(engine, servers)
    if readable and model_format not in readable.formats:
        raise EdgeprofError(
            f"{model}: {_FORMATS[model_format]}, and the engine {engine} reads {_FORMATS[readable.formats[0]]}: take "
            f"the engine {' or '.join(engines_that_read(model_format))}, or another model, such as "
            f"synth:llama-3.2-1b@{readable.quantisation}"
        )


def _why_not(step: Step, engine: EngineHello) -> str:
    """Why an engine cannot run a step, and what to do instead; empty if it can."""
    able = engine.capabilities
    if step.kind.value not in able.step_kinds:
        return (
            f"the engine {engine.engine} cannot run the step '{step.name}': it runs "
            f"{_listed(able.step_kinds)} steps alone; {_who_runs(step.kind.value)}leave the step out"
        )
    if step.sequences > able.parallel_sequences:
        return (
            f"the engine {engine.engine} cannot run the step '{step.name}': it decodes {able.parallel_sequences} "
            f"sequences together at most; {_who_decodes(step.sequences)}take fewer 'sequences'"
        )
    return ""


def _asks(step: Step) -> bool:
    """Whether a step is worth nothing without a model that has learnt something."""
    return step.kind is StepKind.TASKS


def _check_options(engine: EngineHello, given: dict[str, str]) -> None:
    """Check what can be checked without the engine: it need not declare its options, and may have kinds of its own."""
    declared = {option.name: option for option in engine.options}
    if not declared:
        return
    refuse_unknown(engine.engine, tuple(declared), given)
    for name, text in given.items():
        if declared[name].kind in KINDS:
            read_value(_declared(declared[name]), text)


def _declared(option: EngineOption) -> Option:
    return Option(option.name, option.kind, option.default, option.help, option.minimum, option.maximum, option.choices)


def _who_runs(kind: str) -> str:
    return _advice([entry.name for entry in (*ENGINES, *PROGRAMS) if kind in entry.capabilities.step_kinds])


def _who_decodes(sequences: int) -> str:
    return _advice(
        [
            entry.name
            for entry in (*ENGINES, *PROGRAMS)
            if "parallel" in entry.capabilities.step_kinds and entry.capabilities.parallel_sequences >= sequences
        ]
    )


def _advice(names: list[str]) -> str:
    return f"take the engine {' or '.join(names)}, or " if names else ""


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(words) or "no"
