"""What goes wrong with any engine: each time one line says why, and the next start works."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engines.conformance import (
    CONTEXT_TOKENS,
    EACH_ENGINE,
    EACH_PYTHON_ENGINE,
    MODELS,
    SEED,
    Entry,
    put_programs_on_the_path,
    skip_unless_here,
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
    entry: Entry, tmp_path: Path, model_folder: Path
) -> None:
    skip_unless_here(entry)
    text = tmp_path / "story.gguf"
    text.write_text("Once upon a time there was no model.")
    model = MODELS[entry.name](model_folder)

    async def act(process: EngineProcess) -> int:
        for path in (text, tmp_path / "no-such-model.gguf"):
            with pytest.raises(EngineFailedError) as failed:
                await process.load(str(path), {}, CONTEXT_TOKENS, SEED)
            assert str(path) in str(failed.value)
            assert "\n" not in str(failed.value)
        await process.load(str(model), {}, CONTEXT_TOKENS, SEED)
        return await decode(process)

    assert with_engine(entry, None, act) == 1


@EACH_ENGINE
def test_a_step_without_a_model_is_refused(entry: Entry) -> None:
    skip_unless_here(entry)

    async def act(process: EngineProcess) -> None:
        with pytest.raises(EngineFailedError, match="no model is loaded"):
            await decode(process)

    with_engine(entry, None, act)


@EACH_ENGINE
@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGKILL, r"killed by SIGKILL \(signal 9\) during decode 8; often that is the kernel, out of memory"),
        # Rust's runtime lets pass a SIGSEGV that no access to memory has caused.
        (signal.SIGABRT, r"the engine crashed with SIGABRT \(signal 6\) during decode 8"),
        (signal.SIGSTOP, r"the engine said nothing for 2 s during decode 8, and was killed"),
    ],
    ids=["killed", "crashed", "hung"],
)
def test_an_engine_that_ends_is_named_with_its_cause(
    entry: Entry, tmp_path: Path, model_folder: Path, number: signal.Signals, cause: str
) -> None:
    skip_unless_here(entry)
    model = MODELS[entry.name](model_folder)

    async def scenario() -> None:
        process = await EngineProcess.start(entry.name)
        await process.load(str(model), {}, CONTEXT_TOKENS, SEED)
        os.kill(process.pid, number)
        with pytest.raises(EngineFailedError, match=cause):
            await process.run_step(DECODE, ignore, silence_seconds=2.0)
        assert not process.running
        await process.close()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)

    asyncio.run(scenario())
    assert with_engine(entry, model, decode) == 1


@EACH_PYTHON_ENGINE
def test_what_is_printed_before_the_engine_takes_its_output_is_quoted(
    entry: Entry, tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_unless_here(entry)
    model = MODELS[entry.name](model_folder)
    (tmp_path / "sitecustomize.py").write_text(RUBBISH)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(EngineFailedError) as failed:
            with_engine(entry, None, decode)
    assert str(failed.value) == (
        "the engine wrote what is no message of its protocol: 'Loading the loader ...', during start"
    )
    assert with_engine(entry, model, decode) == 1


@EACH_PYTHON_ENGINE
def test_an_engine_that_is_not_installed_says_how_to_install_it(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an interpreter without packages, and on a machine without programs."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")

    async def scenario() -> str:
        with pytest.raises(EngineFailedError) as failed:
            await EngineProcess.start(entry.name, str(bare))
        return str(failed.value)

    cause = asyncio.run(scenario())
    assert "install" in cause
    assert "\n" not in cause
