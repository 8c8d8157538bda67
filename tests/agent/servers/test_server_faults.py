"""Servers that fail: each has one line that says so, and the next run works."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig

from .serving import DECODE, PLAYING, ignore, with_engine

LONG = Step(kind=StepKind.DECODE, name="long", decode_tokens=1_000_000)
REFUSALS = ("answer-429", "answer-500", "answer-rubbish")
AFTER = "after 2 tokens of its answer"


def cause_of_step(behaviour: str, options: Mapping[str, str] | None = None) -> str:
    """Why a step fails; afterwards another server has been seen to start and to answer."""

    async def work(process: EngineProcess) -> str:
        loaded = await process.load("words.gguf", {"behaviour": behaviour, **(options or {})}, 200, 1)
        with pytest.raises(EngineFailedError) as failed:
            await process.run_step(DECODE, ignore)
        assert "\n" not in str(failed.value)
        (cut,) = process.requests_so_far or (None,)
        assert (len(cut.token_gaps_ns) if cut else 0) == (0 if behaviour in REFUSALS else 2)
        again = await process.load("words.gguf", {"behaviour": "good"}, 200, 1)
        assert loaded.process_id is not None
        assert again.process_id != loaded.process_id
        assert not psutil.pid_exists(loaded.process_id)
        assert len(await process.run_step(DECODE, ignore)) == 1
        return str(failed.value)

    return with_engine(work)


def cause_of_load(options: Mapping[str, str], server: ServerConfig = PLAYING) -> str:
    """Why a load fails; afterwards nothing runs below the engine, and it takes the next command."""

    async def work(process: EngineProcess) -> str:
        with pytest.raises(EngineFailedError) as failed:
            await process.load("words.gguf", options, 200, 1)
        assert psutil.Process(process.pid).children() == []
        await process.unload()
        return str(failed.value)

    return with_engine(work, servers={"playing": server})


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("answer-429", "answered 429 Too Many Requests: too many requests are waiting; it serves others too"),
        ("answer-500", "answered 500 Internal Server Error: the model fell over"),
        ("answer-rubbish", "answered 503 Service Unavailable: <html>no server</html>"),
        ("close-early", f"closed the connection before its answer was complete, {AFTER}"),
        ("malformed", """the server sent what is no event: '{"choices": [{"te'"""),
        ("wrong-type", "the server sent what is no event: '[1, 2]'"),
        ("error-event", "the server ended its answer with an error: out of memory"),
        ("killed", f"playing was killed by SIGKILL (signal 9) during an answer, {AFTER}"),
        ("crashed", f"playing crashed with SIGSEGV (signal 11) during an answer, {AFTER}; it said: fatal error: the"),
    ],
)
def test_a_server_that_fails_in_its_answer(behaviour: str, cause: str) -> None:
    assert cause in cause_of_step(behaviour)


def test_a_server_that_stalls() -> None:
    assert cause_of_step("stall", {"stall_seconds": "1"}).endswith(f"sent nothing for 1 s, {AFTER}")


def test_a_server_that_ignores_its_end_is_killed() -> None:
    async def work(process: EngineProcess) -> None:
        loaded = await process.load("words.gguf", {"behaviour": "ignores-terminate"}, 200, 1)
        await process.unload()
        assert loaded.process_id is not None
        assert not psutil.pid_exists(loaded.process_id)

    with_engine(work)


def test_a_server_that_is_never_ready() -> None:
    cause = cause_of_load({"behaviour": "never-ready", "ready_seconds": "1"})
    assert cause == ("playing was not ready after 1 s, and was ended; the option 'ready_seconds' gives it more time")


def test_a_server_that_ends_at_once() -> None:
    cause = cause_of_load({"behaviour": "ends-at-once"})
    assert cause == "playing ended with exit status 1 during its start; it said: error: no such model"


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        cause = cause_of_load({"port": str(port)})
    assert cause == (
        f"playing cannot listen on port {port}: Address already in use; leave the option 'port' out, and a free one "
        "is taken"
    )


@pytest.mark.parametrize(
    ("server", "cause"),
    [
        (ServerConfig(kind="vllm", program="/no/such/program"), "there is no program '/no/such/program'"),
        (ServerConfig(command=("no-such-program",)), "there is no program 'no-such-program'"),
        (replace(PLAYING, folder="/no/such/folder"), "playing cannot be started in '/no/such/folder'"),
        (replace(PLAYING, arguments=("{nothing}",)), "'{nothing}' cannot be filled in ('nothing'): use python, "),
        (replace(PLAYING, arguments=("{",)), "'{' cannot be filled in ("),
    ],
)
def test_a_server_that_cannot_be_started(server: ServerConfig, cause: str) -> None:
    assert cause in cause_of_load({}, server)


def test_a_program_that_is_no_program(tmp_path: Path) -> None:
    program = tmp_path / "server"
    program.write_bytes(b"\x00\x01\x02")
    program.chmod(0o755)
    cause = cause_of_load({}, ServerConfig(command=(str(program),)))
    assert cause == (
        f"playing ended with exit status 127 during its start; it said: error: {program} cannot be started: "
        "Exec format error"
    )


@pytest.mark.parametrize(
    ("server", "cause"),
    [
        (ServerConfig(kind="lama-server"), "[servers.playing]: no kind of server is called 'lama-server'; use one of"),
        (ServerConfig(kind="lm-studio"), "edgeprof cannot start a server of kind 'lm-studio': give 'address' or"),
        (ServerConfig(), "edgeprof cannot start a server of kind 'openai': give 'address' or 'command'"),
        (ServerConfig(kind="ollama"), "give 'model', the name by which ollama knows the model"),
        (ServerConfig(address="http://127.0.0.1:1"), "http://127.0.0.1:1 refused the connection ("),
    ],
)
def test_a_server_that_is_described_wrongly(server: ServerConfig, cause: str) -> None:
    async def nothing(_: EngineProcess) -> None:
        pytest.fail("it started")

    with pytest.raises(EngineFailedError) as failed:
        with_engine(nothing, servers={"playing": server})
    assert cause in str(failed.value)


def test_the_engine_of_servers_needs_one() -> None:
    async def nothing(_: EngineProcess) -> None:
        pytest.fail("it started")

    with pytest.raises(EngineFailedError, match=r"^the engine openai needs a server: name one that edgeprof starts"):
        with_engine(nothing, "openai", {})


@pytest.mark.parametrize("value", ["--help", "/etc/passwd", "$(id)", "a b"])
def test_an_option_of_ones_own_is_no_way_into_the_command(value: str) -> None:
    assert cause_of_load({"behaviour": value}).startswith(f"the option 'behaviour' cannot be '{value}': expected")


def test_a_step_can_be_cancelled_while_the_server_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is cut: neither the unload nor the test waits for the server's patience."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setenv("EDGEPROF_TEST_PIPE", str(pipe))

    async def work(process: EngineProcess) -> None:
        await process.load("words.gguf", {"behaviour": "stall", "stall_seconds": "600"}, 200, 1)
        step = asyncio.ensure_future(process.run_step(DECODE, ignore))
        assert await asyncio.to_thread(pipe.read_bytes) == b"."
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        await process.unload()

    with_engine(work)


def test_a_server_ends_with_an_engine_that_is_killed() -> None:
    async def work(process: EngineProcess) -> None:
        await process.load("words.gguf", {}, 200, 1)
        assert process.workload_pid is not None
        server = psutil.Process(process.workload_pid)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(EngineFailedError, match=r"SIGKILL"):
            await process.run_step(LONG, ignore)
        psutil.wait_procs([server], timeout=10)
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE

    with_engine(work)
