"""Plans that ask for more than an engine can do."""

import asyncio
from dataclasses import replace

import psutil
import pytest

from edgeprof.engine import EngineCapabilities, EngineOption
from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Variant
from edgeprof_agent.workload.engine_messages import EngineHello
from edgeprof_agent.workload.preparation import prepare
from edgeprof_agent.workload.suitability import refuse_what_engine_cannot

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


def test_it_is_refused_before_the_model_is_touched_and_leaves_no_engine_behind(device: Device) -> None:
    with pytest.raises(EdgeprofError, match="the option 'behaviour' cannot be 'naughty'"):
        asyncio.run(prepare(job(plan_of("naughty"), "/no/such/model.gguf"), device.environment))
    assert psutil.Process().children() == []
