"""What the conformance suite tries: every engine, the servers that run here among them, each with a model for it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pytest

from edgeprof_agent.engines.engine import Capabilities
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS
from edgeprof_agent.engines.server_kinds import ServerKind, capabilities_of
from edgeprof_agent.engines.server_table import LLAMA_CPP_PYTHON_SERVER, LLAMA_SERVER, MLX_LM_SERVER
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig
from tests.agent.engines.llama_bench_program import put_llama_bench
from tests.agent.engines.tiny_model import write_tiny_folder, write_tiny_model
from tests.agent.servers.real_servers import LLAMA_SERVER_PROGRAM, why_missing

CONTEXT_TOKENS = 640
SEED = 2
WORD_TOKENS = 6
"""By how many tokens a text misses what was asked for at most: it ends with a whole word."""
ESTIMATE_RATIO = 0.25
"""By how much at most where nobody counts texts before they are sent, and a word is as long as two samples say."""
_READ_FOLDERS = ("mlx", "exllamav2")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An engine as the suite tries it.

    ``program``: it speaks the protocol itself, without a Python file of edgeprof's. ``text_prompts``: it is sent texts
    of about as many tokens as were asked for; ``estimated``: nobody counts them before. ``own_ends``: its answers end
    where its model ends them. ``without_reuse``: the options by which it processes a whole conversation again in every
    turn, if it has such.
    """

    name: str
    capabilities: Capabilities
    write_model: Callable[[Path], Path] = write_tiny_model
    servers: Mapping[str, ServerConfig] = field(default_factory=dict)
    program: bool = False
    text_prompts: bool = False
    estimated: bool = False
    own_ends: bool = False
    without_reuse: Mapping[str, str] = field(default_factory=dict)

    def about(self, tokens: int, answers: int = 0) -> object:
        """What a count has to equal: ``tokens``, or about as many, with so many ``answers`` of its own before."""
        if not self.text_prompts and (not answers or self.capabilities.token_steps):
            return tokens
        misses = WORD_TOKENS * (answers + 1)
        return pytest.approx(tokens, abs=max(misses, ESTIMATE_RATIO * tokens) if self.estimated else misses)


_WITHOUT_REUSE = {
    "kalosm": {"session": "rebuild"},
    "mistralrs": {"prefix_cache": "0"},
    LLAMA_SERVER.name: {"prefix_reuse": "false"},
}


def _server(kind: ServerKind, write_model: Callable[[Path], Path] = write_tiny_model, program: str = "") -> Subject:
    return Subject(
        name=kind.name,
        capabilities=capabilities_of(kind, attached=False),
        write_model=write_model,
        servers={kind.name: ServerConfig(program=program)},
        text_prompts=not kind.api.token_prompts,
        estimated=not kind.api.token_prompts and kind.api.token_counter is None,
        # The folder's model has no token that ends a text.
        own_ends="ignore_eos" not in kind.api.endless_body and write_model is not write_tiny_folder,
        without_reuse=_WITHOUT_REUSE.get(kind.name, {}),
    )


SERVERS = (
    _server(LLAMA_SERVER, program=str(LLAMA_SERVER_PROGRAM)),
    _server(LLAMA_CPP_PYTHON_SERVER),
    _server(MLX_LM_SERVER, write_tiny_folder),
)
"""Those that run here. What others answer is played by `tests/agent/servers/playing_server.py`."""

IN_PROCESS = (
    *(
        Subject(
            name=entry.name,
            capabilities=entry.capabilities,
            write_model=write_tiny_folder if entry.name in _READ_FOLDERS else write_tiny_model,
            text_prompts=entry.name == "mistralrs",
            without_reuse=_WITHOUT_REUSE.get(entry.name, {}),
        )
        for entry in ENGINES
        if entry.name != "openai"  # what it drives are the servers
    ),
    *(
        Subject(
            name=entry.name,
            capabilities=entry.capabilities,
            program=True,
            without_reuse=_WITHOUT_REUSE.get(entry.name, {}),
        )
        for entry in PROGRAMS
    ),
)


def each(*subjects: Subject) -> pytest.MarkDecorator:
    """Run a test with each of these."""
    return pytest.mark.parametrize("subject", subjects, ids=lambda subject: subject.name)


EACH_ENGINE = each(*IN_PROCESS, *SERVERS)
EACH_IN_PROCESS = each(*IN_PROCESS)
EACH_SERVER = each(*SERVERS)
EACH_PYTHON_ENGINE = each(*(subject for subject in (*IN_PROCESS, *SERVERS) if not subject.program))


async def start(subject: Subject, python: str = "") -> EngineProcess:
    """Start the engine."""
    return await EngineProcess.start(subject.name, python, subject.servers)


async def load(process: EngineProcess, model: Path, options: Mapping[str, str] | None = None) -> None:
    """Load the model, on one thread: threads that wait for others take processor time on a busy machine."""
    threads = {"threads": "1"} if any(option.name == "threads" for option in process.facts.options) else {}
    await process.load(str(model), {**threads, **(options or {})}, CONTEXT_TOKENS, SEED)


def with_engine(
    subject: Subject,
    model: Path | None,
    act: Callable[[EngineProcess], Awaitable[T]],
    options: Mapping[str, str] | None = None,
) -> T:
    """Start the engine, load the model if there is one, act, and close it."""

    async def scenario() -> T:
        process = await start(subject)
        try:
            if model is not None:
                await load(process, model, options)
            return await act(process)
        finally:
            await process.close()

    return asyncio.run(scenario())


def model_of(subject: Subject, model_folder: Path) -> Path:
    """A small model for the engine; where that cannot be started the test is skipped, with what it says itself."""
    if cause := _why_not_here(subject.name):
        pytest.skip(cause)
    return subject.write_model(model_folder)


@lru_cache
def _why_not_here(name: str) -> str:
    if cause := why_missing(name):
        return cause
    subject = next(each for each in (*IN_PROCESS, *SERVERS) if each.name == name)

    async def start_and_close() -> None:
        await (await start(subject)).close()

    try:
        asyncio.run(start_and_close())
    except EngineFailedError as error:
        return str(error)
    return ""


def put_programs_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have engines that are programs found where they were built here."""
    if put_llama_bench(folder):
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
