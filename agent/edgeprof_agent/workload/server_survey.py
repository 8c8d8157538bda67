"""Which of the servers that edgeprof starts are on this device."""

import shutil

from edgeprof.engine import EngineReport
from edgeprof_agent.engines.server_kinds import ServerKind
from edgeprof_agent.engines.server_table import SERVER_KINDS
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig

_ANY_MODEL = "any"
"""Stands for the model's name, for a server that is asked for its version alone."""


async def survey_servers() -> tuple[EngineReport, ...]:
    """Describe every server that edgeprof starts without being told anything of it."""
    return tuple([await _describe(kind) for kind in SERVER_KINDS if kind.command])


async def _describe(kind: ServerKind) -> EngineReport:
    where = f"[servers.{kind.name}] in the agent's configuration"
    program = kind.command[0]
    if program == "{python}" and not kind.package:
        return _missing(kind, f"it runs in a folder of its own: {kind.install}, and give 'folder' under {where}")
    if program != "{python}" and shutil.which(program) is None:
        return _missing(kind, f"{program} is not on the PATH: {kind.install}, or give 'program' under {where}")
    return await _ask(kind)


def _missing(kind: ServerKind, cause: str) -> EngineReport:
    return EngineReport(name=kind.name, python="", missing=cause)


async def _ask(kind: ServerKind) -> EngineReport:
    """Start what drives the server, which asks its program or its package for the version."""
    try:
        process = await EngineProcess.start(kind.name, "", {kind.name: ServerConfig(model=_ANY_MODEL)})
    except EngineFailedError as error:
        return _missing(kind, str(error))
    try:
        hello = process.facts
    finally:
        await process.close()
    return EngineReport(
        name=kind.name,
        python="",
        version=hello.version,
        build=hello.build,
        capabilities=hello.capabilities,
        options=hello.options,
    )
