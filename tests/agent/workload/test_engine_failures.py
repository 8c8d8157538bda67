"""Engines that refuse, crash, are killed, speak rubbish or fall silent: each has one line that says so."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS
from edgeprof_agent.engines.server_table import SERVER_KINDS
from edgeprof_agent.workload import engine_child
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engines.interpreters import other_interpreters
from tests.agent.engines.scripted_engine import GOOD_HELLO
from tests.agent.engines.tiny_model import write_tiny_model, write_truncated, write_unknown_architecture

ENGINE_FILES = Path(__file__).parents[1] / "engines"
COUNTING = str(ENGINE_FILES / "counting_engine.py")
SCRIPTED = str(ENGINE_FILES / "scripted_engine.py")
LLAMA = "llama-cpp-python"
SERVERS = [kind.name for kind in SERVER_KINDS if kind.command]
NAMES = ", ".join([*(entry.name for entry in (*ENGINES, *PROGRAMS)), *SERVERS])
DECODE = Step(kind=StepKind.DECODE, name="decode 48", decode_tokens=48)
ENDLESS = Step(kind=StepKind.DECODE, name="decode for ever", decode_tokens=1_000_000)
LOADED = {"type": "loaded", "id": 1, "load_seconds": 0.0, "options": {}}
BEGUN = {
    "type": "request",
    "id": 1,
    "index": 0,
    "prompt_tokens": 0,
    "reused_tokens": 0,
    "depth_tokens": 0,
    "start_monotonic_ns": "NOW",
    "prefill_end_monotonic_ns": 0,
}
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone ends a child in any call")


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe that engines hold open: who reads it to its end knows that they have all ended."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setenv("EDGEPROF_TEST_PIPE", str(path))
    return path


def ignore(_count: int) -> None:
    pass


def cause_of_start(engine: str, python: str = "", silence_seconds: float = 60.0) -> str:
    """Why an engine does not start."""

    async def scenario() -> str:
        with pytest.raises(EngineFailedError) as failed:
            await EngineProcess.start(engine, python, silence_seconds=silence_seconds)
        return str(failed.value)

    return asyncio.run(scenario())


def cause_of_step(behaviour: str, silence_seconds: float = 60.0) -> tuple[str, bool]:
    """Why a step of the counting engine fails, and whether the engine is there afterwards."""

    async def scenario() -> tuple[str, bool]:
        process = await EngineProcess.start(COUNTING)
        try:
            await process.load("", {"behaviour": behaviour}, 48, 1)
            with pytest.raises(EngineFailedError) as failed:
                await process.run_step(DECODE, ignore, silence_seconds=silence_seconds)
            return str(failed.value), process.running
        finally:
            await process.close()

    return asyncio.run(scenario())


def play(monkeypatch: pytest.MonkeyPatch, *script: object) -> None:
    monkeypatch.setenv("EDGEPROF_TEST_SCRIPT", json.dumps(script))


def cause_of_scripted_step(monkeypatch: pytest.MonkeyPatch, *script: object) -> str:
    """Why a step fails that is answered with the script."""
    play(monkeypatch, GOOD_HELLO, None, *script)
    monkeypatch.setattr(engine_child, "LINE_BYTES", 4096)
    monkeypatch.setattr(engine_child, "EXIT_SECONDS", 1.0)
    monkeypatch.setattr(engine_child, "CLOSE_SECONDS", 0.1)

    async def scenario() -> str:
        process = await EngineProcess.start(SCRIPTED)
        try:
            with pytest.raises(EngineFailedError) as failed:
                await process.run_step(DECODE, ignore)
            return str(failed.value)
        finally:
            await process.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("engine", "python", "cause"),
    [
        ("llama-cp-python", "", "no engine is called 'llama-cp-python': did you mean 'llama-cpp-python'?"),
        ("x", "", f"no engine is called 'x': use {NAMES}, or the path of a program"),
        ("ollam", "", "no engine is called 'ollam': did you mean 'ollama'?"),
        ("/no/such/engine", "", "cannot start the engine: /no/such/engine: No such file or directory"),
        (LLAMA, "/no/such/python", "cannot start the engine: /no/such/python: No such file or directory"),
        (str(ENGINE_FILES), "", f"cannot start the engine: {ENGINE_FILES}: Permission denied"),
    ],
)
def test_an_engine_that_is_not_there(engine: str, python: str, cause: str) -> None:
    assert cause_of_start(engine, python) == cause


@pytest.mark.parametrize("python", list(other_interpreters().values())[:1] or [""])
def test_an_engine_that_is_not_installed(python: str) -> None:
    if (
        not python
        or subprocess.run([python, "-c", "import llama_cpp"], capture_output=True, check=False).returncode == 0
    ):
        pytest.skip("no Python without llama-cpp-python was found beside this one")
    assert cause_of_start(LLAMA, python) == (
        f"the engine {LLAMA} is not installed for {python}: pip install 'edgeprof[{LLAMA}]', "
        f"or where edgeprof is not installed pip install {LLAMA}"
    )


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (["hello?\n"], "the engine wrote what is no message of its protocol: 'hello?', during start"),
        (["\x1b[31m\n"], r"the engine wrote what is no message of its protocol: '\x1b[31m', during start"),
        (["x" * 200 + "\n"], f"the engine wrote what is no message of its protocol: '{'x' * 80}', during start"),
        (["[1]\n"], "the engine wrote what is no message of its protocol: '[1]', during start"),
        (['{"type":"x"}\n'], """the engine wrote what is no message of its protocol: '{"type":"x"}', during start"""),
        ([{**GOOD_HELLO, "protocol": 9}], "the engine speaks version 9 of the protocol, not 1, during start"),
        ([{"type": "done", "id": 0}], "the engine did not say hello, during start"),
        ([{"type": "error", "cause": "no GPU is here"}, 1], "no GPU is here"),
        ([7], "the engine ended with exit status 7 during start"),
    ],
)
def test_an_engine_that_starts_wrong(monkeypatch: pytest.MonkeyPatch, script: Sequence[object], cause: str) -> None:
    play(monkeypatch, *script)
    assert cause_of_start(SCRIPTED) == cause


def test_an_engine_with_a_field_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, {key: value for key, value in GOOD_HELLO.items() if key != "clock"})
    assert cause_of_start(SCRIPTED).startswith(
        "the engine wrote a wrong message: Object missing required field `clock`: '{"
    )


def test_an_engine_of_another_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, {**GOOD_HELLO, "clock": "CLOCK_REALTIME"})
    assert cause_of_start(SCRIPTED).startswith("the engine reads the clock CLOCK_REALTIME, not CLOCK_")
    play(monkeypatch, {**GOOD_HELLO, "monotonic_ns": 5})
    assert ": 5 is not between " in cause_of_start(SCRIPTED)


def test_an_engine_that_never_says_hello(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, None)
    cause = "the engine said nothing for 0.2 s during start, and was killed"
    assert cause_of_start(SCRIPTED, silence_seconds=0.2) == cause


def test_an_engine_that_closes_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cause_of_scripted_step(monkeypatch) == "the engine closed its output during decode 48, and was killed"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (["segmentation\n"], "the engine wrote what is no message of its protocol: 'segmentation', during decode 48"),
        (["x" * 10_000], "the engine wrote a line of over 4096 bytes, during decode 48"),
        ([{"type": "done", "id": 1}], "the engine ended a step before its request, during decode 48"),
        ([BEGUN, BEGUN], "the engine began request 0 out of order, during decode 48"),
        ([BEGUN, 3], "the engine ended with exit status 3 during decode 48"),
        ([{**GOOD_HELLO, "id": 1}], "the engine sent EngineHello in the middle of a step, during decode 48"),
        ([{"type": "done", "id": 2}], "the engine answered a command that it was not sent, during decode 48"),
        (['{"type":"done"}\n'], """the engine wrote a message without 'id': '{"type":"done"}', during decode 48"""),
        ([{"type": "error", "id": 1, "cause": "out of luck"}], "out of luck"),
    ],
)
def test_an_engine_that_answers_wrong(monkeypatch: pytest.MonkeyPatch, script: Sequence[object], cause: str) -> None:
    assert cause_of_scripted_step(monkeypatch, *script) == cause


def test_an_engine_that_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, GOOD_HELLO, None, {"type": "done", "id": 1})

    async def scenario() -> None:
        process = await EngineProcess.start(SCRIPTED)
        with pytest.raises(EngineFailedError, match="did not say what it loaded, during the load"):
            await process.load("", {}, 1, 1)
        await process.close()

    asyncio.run(scenario())


def test_an_engine_that_refuses_goes_on() -> None:
    assert cause_of_step("refuse") == ("it would rather not", True)


def test_an_engine_that_raises_is_quoted() -> None:
    cause = "the engine ended with exit status 1 during decode 48; it said: RuntimeError: something nobody expected"
    assert cause_of_step("fail") == (cause, False)


def test_an_engine_that_crashes_is_named_with_its_signal() -> None:
    cause, running = cause_of_step("abort")
    assert cause.startswith("the engine crashed with SIGABRT (signal 6) during decode 48")
    assert not running


@pytest.mark.parametrize("behaviour", ["hang", pytest.param("hold", marks=linux_only)])
def test_an_engine_that_hangs_is_killed(pipe: Path, behaviour: str) -> None:
    async def scenario() -> tuple[str, bytes]:
        held = asyncio.ensure_future(asyncio.to_thread(pipe.read_bytes))
        cause, _ = await asyncio.to_thread(cause_of_step, behaviour, 2.0)
        return cause, await held

    cause, said = asyncio.run(scenario())
    assert cause == "the engine said nothing for 2 s during decode 48, and was killed"
    assert said == b"."


def test_what_a_crashed_engine_has_started_ends_with_it(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_child, "EXIT_SECONDS", 1.0)

    async def scenario() -> tuple[str, bytes]:
        held = asyncio.ensure_future(asyncio.to_thread(pipe.read_bytes))
        cause, _ = await asyncio.to_thread(cause_of_step, "leave_child")
        return cause, await held

    cause, said = asyncio.run(scenario())
    assert cause.startswith("the engine crashed with SIGABRT (signal 6) during decode 48")
    assert said == b"."


def test_kill_9_in_a_step_is_named_and_keeps_the_tokens_so_far(tiny_model: Path) -> None:
    async def scenario() -> None:
        process = await EngineProcess.start(LLAMA)
        await process.load(str(tiny_model), {"threads": "1"}, 20_000, 1)
        long = Step(kind=StepKind.DECODE, name="decode 20000", decode_tokens=20_000)
        with pytest.raises(EngineFailedError, match=r"killed by SIGKILL \(signal 9\) during decode 20000; .*memory"):
            await process.run_step(long, lambda _: os.kill(process.pid, signal.SIGKILL))
        (cut,) = process.requests_so_far
        assert 0 < len(cut.token_gaps_ns) < 20_000
        assert not process.running
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
        with pytest.raises(EngineFailedError, match="SIGKILL"):
            await process.unload()
        await process.close()

    asyncio.run(scenario())


def test_the_agents_own_kill_is_not_taken_for_the_kernels() -> None:
    async def scenario() -> None:
        process = await EngineProcess.start(COUNTING)
        await process.load("", {"token_microseconds": "100"}, 1, 1)
        with pytest.raises(EngineFailedError, match=r"^the agent ended the engine$"):
            await process.run_step(ENDLESS, lambda _: process.kill())
        await process.close()

    asyncio.run(scenario())


def test_an_engine_that_ignores_close_and_terminate_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_child, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(engine_child, "EXIT_SECONDS", 0.1)
    play(monkeypatch, GOOD_HELLO)

    async def scenario() -> None:
        process = await EngineProcess.start(SCRIPTED)
        await process.close()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)

    asyncio.run(scenario())


def test_a_step_can_be_closed_from_another_task() -> None:
    async def scenario() -> None:
        process = await EngineProcess.start(COUNTING)
        await process.load("", {"token_microseconds": "100"}, 1, 1)
        closing: list[asyncio.Task[None]] = []
        with pytest.raises(EngineFailedError, match="decode for ever was cancelled"):
            await process.run_step(ENDLESS, lambda _: closing.append(asyncio.ensure_future(process.close())))
        await closing[0]
        assert not process.running

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("behaviour", "wrapped"), [("hang", False), pytest.param("hold", False, marks=linux_only), ("hang", True)]
)
def test_the_child_dies_with_its_parent(pipe: Path, tmp_path: Path, behaviour: str, wrapped: bool) -> None:
    """Inside a call of the engine too; and behind a wrapper, where only the end of its input tells it."""
    engine = tmp_path / "engine.sh"
    engine.write_text(f"#!/bin/sh\n{sys.executable} {COUNTING}\nexit $?\n")
    engine.chmod(0o755)
    parent = subprocess.Popen(
        [sys.executable, str(ENGINE_FILES / "lonely_parent.py"), str(engine) if wrapped else COUNTING, behaviour]
    )
    with pipe.open("rb") as held:
        assert held.read(1) == b"."
        parent.kill()
        parent.wait()
        assert held.read() == b""


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("unknown.gguf", "{path}: llama.cpp cannot load it: unknown model architecture: 'xllam'"),
        ("truncated.gguf", "{path}: llama.cpp cannot load it: tensor '"),
        ("text.gguf", "{path}: no GGUF file: it begins with b'once', not with b'GGUF'"),
        ("header.gguf", "{path}: llama.cpp cannot load it: "),
        ("missing.gguf", "{path}: cannot be read: No such file or directory"),
        ("", "{path}: cannot be read: Is a directory"),
    ],
)
def test_a_model_that_cannot_be_loaded(tiny_model: Path, tmp_path: Path, name: str, cause: str) -> None:
    write_unknown_architecture(tiny_model, tmp_path / "unknown.gguf")
    write_truncated(tiny_model, tmp_path / "truncated.gguf")
    (tmp_path / "text.gguf").write_text("once upon a time")
    (tmp_path / "header.gguf").write_bytes(tiny_model.read_bytes()[:100])

    async def scenario() -> None:
        process = await EngineProcess.start(LLAMA)
        path = tmp_path / name
        with pytest.raises(EngineFailedError) as failed:
            await process.load(str(path), {}, 64, 1)
        assert str(failed.value).startswith(cause.format(path=path))
        assert "\n" not in str(failed.value)
        await process.load(str(tiny_model), {"threads": "1"}, 64, 1)
        assert len(await process.run_step(DECODE, ignore)) == 1
        await process.close()

    asyncio.run(scenario())


@linux_only
def test_a_context_that_memory_has_no_room_for(tiny_model: Path, tmp_path: Path) -> None:
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -v 6000000\nexec {sys.executable} "$@"\n')
    limited.chmod(0o755)

    async def scenario() -> None:
        process = await EngineProcess.start(LLAMA, str(limited))
        with pytest.raises(EngineFailedError) as failed:
            await process.load(str(tiny_model), {"context": "5000000", "threads": "1"}, 64, 1)
        assert str(failed.value).startswith("llama.cpp cannot make a context of 5000000 tokens: ")
        assert process.running
        await process.close()

    asyncio.run(scenario())


@linux_only
def test_memory_that_may_not_be_locked(tiny_model: Path, tmp_path: Path) -> None:
    powerless = "setpriv --bounding-set=-all --inh-caps=-all" if os.geteuid() == 0 else ""
    if powerless and shutil.which("setpriv") is None:
        pytest.skip("root may lock all memory, and there is no setpriv to become less")
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -l 4\nexec {powerless} {sys.executable} "$@"\n')
    limited.chmod(0o755)

    async def scenario() -> None:
        process = await EngineProcess.start(LLAMA, str(limited))
        with pytest.raises(EngineFailedError, match="the option 'mlock' cannot be honoured: raise the limit"):
            await process.load(str(tiny_model), {"mlock": "true", "threads": "1"}, 64, 1)
        await process.close()

    asyncio.run(scenario())
