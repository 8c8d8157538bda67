"""Which command starts an engine."""

import difflib
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import msgspec

from edgeprof_agent.engines.registry import ENGINES, PROGRAMS, ProgramEntry, find_engine, find_program
from edgeprof_agent.engines.server_setup import VARIABLE
from edgeprof_agent.engines.server_table import SERVER_KINDS
from edgeprof_agent.workload.engine_messages import EngineFailedError
from edgeprof_agent.workload.server_config import ServerConfig

CHILD = Path(__file__).parent.parent / "engines" / "child.py"
# What makes one interpreter look for its modules in another's folders.
_OF_ONE_INTERPRETER = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
_SERVER_ENGINE = "openai"
_NO_SERVERS: Mapping[str, ServerConfig] = {}


class Launch(NamedTuple):
    """A command and its environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def find_launch(engine: str, python: str, servers: Mapping[str, ServerConfig] = _NO_SERVERS) -> Launch:
    """Return what starts ``engine`` under ``python`` if given.

    ``engine`` is a name in the registry, a server that edgeprof knows or the device's configuration describes, or the
    path of a program.

    Raises:
        EngineFailedError: there is no such engine, or it is a program that has not been built.
    """
    program = find_program(engine)
    if program:
        return Launch((_program_path(program, python),), dict(os.environ))
    environment = dict(os.environ)
    if python:
        for name in _OF_ONE_INTERPRETER:
            environment.pop(name, None)
    server = servers.get(engine) or _known_server(engine)
    if server:
        environment[VARIABLE] = msgspec.json.encode({"name": engine, **asdict(server)}).decode()
        return Launch((python or sys.executable, str(CHILD), _SERVER_ENGINE), environment)
    if find_engine(engine):
        return Launch((python or sys.executable, str(CHILD), engine), environment)
    if os.sep not in engine:
        names = [*(entry.name for entry in (*ENGINES, *PROGRAMS)), *_startable_servers(), *servers]
        near = difflib.get_close_matches(engine, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use {', '.join(names)}, or the path of a program"
        raise EngineFailedError(f"no engine is called '{engine}': {hint}")
    return Launch((python, engine) if python else (engine,), environment)


def _program_path(entry: ProgramEntry, python: str) -> str:
    """The path of a program that edgeprof builds: beside the agent's own Python, where make puts it, or on PATH."""
    if python:
        raise EngineFailedError(f"the engine {entry.name} is a program, which no Python runs: leave the Python out")
    beside = Path(sys.executable).parent / entry.program
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(entry.program)
    if not found:
        raise EngineFailedError(
            f"the engine {entry.name} is not built: run 'make {entry.target}' in edgeprof's sources, "
            f"or put its program {entry.program} on PATH"
        )
    return found


def _startable_servers() -> list[str]:
    """The servers that edgeprof knows how to start without being told anything."""
    return [kind.name for kind in SERVER_KINDS if kind.command]


def _known_server(engine: str) -> ServerConfig | None:
    return ServerConfig() if engine in _startable_servers() else None
