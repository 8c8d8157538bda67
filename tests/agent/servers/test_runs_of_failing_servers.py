"""Runs whose server fails: each ends with its cause, leaves nothing running, and the next one works."""

from dataclasses import replace

import psutil
import pytest

from edgeprof.plan import Plan, Variant
from edgeprof.run import RunState
from edgeprof_agent.sampling.cadence import IDLE, Cadence
from tests.agent.workload.runs import Device, job, plan_of

from .serving import DECODE, PLAYING, PREFILL

SERVER = "playing"


def plan_with(behaviour: str) -> Plan:
    patience = {"ready_seconds": "2", "stall_seconds": "1"} if behaviour in ("never-ready", "stall") else {}
    variant = Variant(name=behaviour, options={"behaviour": behaviour, **patience})
    return replace(plan_of(repetitions=1), steps=(PREFILL, DECODE), variants=(variant,))


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("ends-at-once", "playing ended with exit status 1 during its start; it said: error: no such model"),
        ("never-ready", "playing was not ready after 2 s, and was ended"),
        ("answer-429", "answered 429 Too Many Requests: too many requests are waiting"),
        ("answer-500", "answered 500 Internal Server Error: the model fell over"),
        ("stall", "sent nothing for 1 s, after 2 tokens of its answer"),
        ("close-early", "closed the connection before its answer was complete, after 2 tokens of its answer"),
        ("malformed", "the server sent what is no event"),
        ("killed", "playing was killed by SIGKILL (signal 9) during an answer, after 2 tokens of its answer"),
        ("crashed", "playing crashed with SIGSEGV (signal 11) during an answer, after 2 tokens of its answer"),
    ],
)
def test_a_run_ends_with_its_servers_cause_and_the_next_one_works(
    device: Device, model: str, behaviour: str, cause: str
) -> None:
    device.environment = replace(device.environment, servers={SERVER: PLAYING})
    failed = device.run(job(plan_with(behaviour), model, SERVER))
    assert failed.state is RunState.FAILED
    assert cause in failed.cause
    assert "\n" not in failed.cause
    assert device.all(Cadence)[-1] == IDLE
    assert psutil.Process().children(recursive=True) == []
    finished = device.run(job(plan_with("good"), model, SERVER))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
