"""What the conformance suite needs of an engine: whether it is here, and a model that it loads."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pytest

from edgeprof_agent.engines.registry import ENGINES, PROGRAMS, EngineEntry, ProgramEntry
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engines.llama_bench_program import put_llama_bench
from tests.agent.engines.tiny_model import write_tiny_folder, write_tiny_model

CONTEXT_TOKENS = 640
SEED = 7
MODELS: Mapping[str, Callable[[Path], Path]] = {
    "llama-cpp-python": write_tiny_model,
    "mlx": write_tiny_folder,
    "mistralrs": write_tiny_model,
    "exllamav2": write_tiny_folder,
    "llama-bench": write_tiny_model,
    "candle": write_tiny_model,
    "kalosm": write_tiny_model,
}
"""What writes a small model for an engine into a folder. An engine that is not here is not tried."""

Entry = EngineEntry | ProgramEntry
EACH_PYTHON_ENGINE = pytest.mark.parametrize("entry", ENGINES, ids=lambda entry: entry.name)
EACH_ENGINE = pytest.mark.parametrize("entry", [*ENGINES, *PROGRAMS], ids=lambda entry: entry.name)
TEXT_PROMPTS = ("mistralrs",)
"""Engines that are sent a text of about as many tokens as were asked for, to the next word."""
WORD_TOKENS = 6
T = TypeVar("T")


def asked_of(entry: Entry, tokens: int, turn: int = 0) -> object:
    """What an engine's count has to equal: ``tokens``, or about as many where prompts are texts that grow by turns."""
    return pytest.approx(tokens, abs=WORD_TOKENS * (turn + 1)) if entry.name in TEXT_PROMPTS else tokens


def with_engine(entry: Entry, model: Path | None, act: Callable[[EngineProcess], Awaitable[T]]) -> T:
    """Start the engine, load the model if there is one, act, and close it."""

    async def scenario() -> T:
        process = await EngineProcess.start(entry.name)
        try:
            if model is not None:
                await process.load(str(model), _on_one_thread(process), CONTEXT_TOKENS, SEED)
            return await act(process)
        finally:
            await process.close()

    return asyncio.run(scenario())


def _on_one_thread(process: EngineProcess) -> dict[str, str]:
    """The option for it where there is one: threads that wait for others take processor time on a busy machine."""
    return {"threads": "1"} if any(option.name == "threads" for option in process.facts.options) else {}


def skip_unless_here(entry: Entry) -> None:
    """Skip the test, with the reason, where the engine cannot be started or nobody has said what it loads."""
    if entry.name not in MODELS:
        pytest.skip(f"no model for {entry.name} in tests/agent/engines/conformance.py")
    if cause := _why_not_here(entry.name):
        pytest.skip(cause)


@lru_cache
def _why_not_here(name: str) -> str:
    async def start_and_close() -> None:
        await (await EngineProcess.start(name)).close()

    try:
        asyncio.run(start_and_close())
    except EngineFailedError as error:
        return str(error)
    return ""


def put_programs_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have engines that are programs found where they were built here."""
    if put_llama_bench(folder):
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
