"""What goes wrong with any engine: each time one line says why, and the next start works."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engines.conformance import (
    EACH_ENGINE,
    EACH_IN_PROCESS,
    EACH_PYTHON_ENGINE,
    EACH_SERVER,
    Subject,
    load,
    model_of,
    put_programs_on_the_path,
    start,
    with_engine,
)

DECODE = Step(kind=StepKind.DECODE, name="decode 8", decode_tokens=8)
RUBBISH = "print('Loading the loader ...', flush=True)\n"


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_programs_on_the_path(tmp_path, monkeypatch)


def ignore(_count: int) -> None:
    pass


async def decode(process: EngineProcess) -> int:
    return len(await process.run_step(DECODE, ignore))


@EACH_ENGINE
def test_a_model_of_another_format_is_refused_and_the_engine_goes_on(
    subject: Subject, tmp_path: Path, model_folder: Path
) -> None:
    model = model_of(subject, model_folder)
    text = tmp_path / "story.gguf"
    text.write_text("Once upon a time there was no model.")

    async def act(process: EngineProcess) -> int:
        for path in (text, tmp_path / "no-such-model.gguf"):
            with pytest.raises(EngineFailedError) as failed:
                await load(process, path)
            assert str(path) in str(failed.value)
            assert "\n" not in str(failed.value)
        await load(process, model)
        return await decode(process)

    assert with_engine(subject, None, act) == 1


@EACH_ENGINE
def test_a_step_without_a_model_is_refused(subject: Subject, model_folder: Path) -> None:
    model_of(subject, model_folder)

    async def act(process: EngineProcess) -> None:
        with pytest.raises(EngineFailedError, match="no model is loaded"):
            await decode(process)

    with_engine(subject, None, act)


@EACH_IN_PROCESS
@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGKILL, r"killed by SIGKILL \(signal 9\) during decode 8; often that is the kernel, out of memory"),
        (signal.SIGSEGV, r"the engine crashed with SIGSEGV \(signal 11\) during decode 8"),
        (signal.SIGSTOP, r"the engine said nothing for 2 s during decode 8, and was killed"),
    ],
    ids=["killed", "crashed", "hung"],
)
def test_an_engine_that_ends_is_named_with_its_cause(
    subject: Subject, model_folder: Path, number: signal.Signals, cause: str
) -> None:
    model = model_of(subject, model_folder)

    async def scenario() -> None:
        process = await start(subject)
        await load(process, model)
        if subject.program and number == signal.SIGSEGV:
            # Rust's runtime lets the first one pass that no access to memory has caused.
            os.kill(process.pid, number)
            assert await decode(process) == 1
        os.kill(process.pid, number)
        with pytest.raises(EngineFailedError, match=cause):
            await process.run_step(DECODE, ignore, silence_seconds=2.0)
        assert not process.running
        await process.close()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)

    asyncio.run(scenario())
    assert with_engine(subject, model, decode) == 1


@EACH_SERVER
def test_a_server_that_ends_is_named_with_its_cause_and_can_be_started_again(
    subject: Subject, model_folder: Path
) -> None:
    model = model_of(subject, model_folder)
    causes = {
        # Some are asked to count the prompt's tokens first.
        signal.SIGKILL: rf"^{subject.name} was killed by SIGKILL \(signal 9\) during (an answer|a count of tokens)",
        signal.SIGSEGV: rf"^{subject.name} crashed with SIGSEGV \(signal 11\) during (an answer|a count of tokens)",
        signal.SIGSTOP: r"^http://127\.0\.0\.1:\d+ (sent nothing for 2 s, before its first|did not answer in time)",
    }

    async def act(process: EngineProcess) -> None:
        for number, cause in causes.items():
            await load(process, model, {"first_token_seconds": "2"} if number == signal.SIGSTOP else {})
            server = process.workload_pid
            assert server is not None
            os.kill(server, number)
            with pytest.raises(EngineFailedError, match=cause):
                await decode(process)
            await process.unload()
            assert not psutil.pid_exists(server)
        await load(process, model)
        assert await decode(process) == 1

    with_engine(subject, None, act)


@EACH_PYTHON_ENGINE
def test_what_is_printed_before_the_engine_takes_its_output_is_quoted(
    subject: Subject, tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(subject, model_folder)
    (tmp_path / "sitecustomize.py").write_text(RUBBISH)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(EngineFailedError) as failed:
            with_engine(subject, None, decode)
    assert str(failed.value) == (
        "the engine wrote what is no message of its protocol: 'Loading the loader ...', during start"
    )
    assert with_engine(subject, model, decode) == 1


@EACH_PYTHON_ENGINE
def test_an_engine_that_is_not_installed_says_how_to_install_it(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an interpreter without packages, and on a machine without programs."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")

    async def scenario() -> str:
        with pytest.raises(EngineFailedError) as failed:
            await start(subject, str(bare))
        return str(failed.value)

    cause = asyncio.run(scenario())
    assert "install" in cause
    assert "\n" not in cause
