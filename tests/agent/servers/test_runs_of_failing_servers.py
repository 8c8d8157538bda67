"""Runs whose server fails: each ends with its cause, leaves nothing running, and the next one works."""

import threading
from dataclasses import replace
from http.server import ThreadingHTTPServer

import psutil
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Variant
from edgeprof.run import RunState
from edgeprof_agent.sampling.cadence import IDLE, Cadence
from edgeprof_agent.workload.server_config import ServerConfig
from tests.agent.workload.runs import Device, job, plan_of

from .playing_server import Handler
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


def test_a_server_is_started_anew_with_each_fresh_process(device: Device, model: str) -> None:
    device.environment = replace(device.environment, servers={SERVER: PLAYING})
    plan = replace(plan_with("good"), repetitions=3, fresh_processes=True)
    finished = device.run(job(plan, model, SERVER))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    followed = [entry[1] for entry in device.all(tuple) if entry[1]]
    assert len(set(followed)) == 3
    assert not any(map(psutil.pid_exists, followed))


def test_a_server_that_runs_already_is_not_begun_anew(device: Device) -> None:
    """The refusal comes before its model is looked at."""
    plan = replace(plan_of(), fresh_processes=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        device.environment = replace(device.environment, servers={"there": ServerConfig(address=address)})
        try:
            with pytest.raises(EdgeprofError, match="'there' runs already") as refused:
                device.run(replace(job(plan, "/no/such/model.gguf", "there")))
        finally:
            server.shutdown()
            thread.join()
    assert "\n" not in str(refused.value)
    assert device.record == []
