"""Which engines can be used on this device: each one's process is started, says what it is, and ends."""

import sys
from collections.abc import Sequence

from edgeprof.engine import EngineReport
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_agent.workload.server_survey import survey_servers

_SERVERS = "openai"
HELLO_SECONDS = 60.0
"""How long an engine may take to say hello. Some compile or look for devices while they are imported."""


async def survey_engines(pythons: Sequence[str] = ()) -> tuple[EngineReport, ...]:
    """Describe every engine of the registry, and the servers that edgeprof starts.

    Those that are Python packages are described under the agent's own interpreter, or else under each of ``pythons``;
    then those that are programs are left out, and servers.
    """
    names = [entry.name for entry in ENGINES if entry.name != _SERVERS]
    reports = [await _describe(name, python) for python in (pythons or (sys.executable,)) for name in names]
    if pythons:
        return tuple(reports)
    reports += [await _describe(entry.name, "") for entry in PROGRAMS]
    return (*reports, *await survey_servers())


async def _describe(name: str, python: str) -> EngineReport:
    try:
        process = await EngineProcess.start(
            name, "" if python == sys.executable else python, silence_seconds=HELLO_SECONDS
        )
    except EngineFailedError as error:
        return EngineReport(name=name, python=python, missing=str(error))
    try:
        hello = process.facts
        return EngineReport(
            name=hello.engine,
            python=python,
            version=hello.version,
            build=hello.build,
            python_version=hello.python_version,
            capabilities=hello.capabilities,
            options=hello.options,
        )
    finally:
        await process.close()
