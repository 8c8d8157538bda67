"""Which command starts an engine."""

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from edgeprof_agent.engines.registry import ENGINES, find_engine
from edgeprof_agent.workload.engine_messages import EngineFailedError

CHILD = Path(__file__).parent.parent / "engines" / "child.py"
# What makes one interpreter look for its modules in another's folders.
_OF_ONE_INTERPRETER = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")


class Launch(NamedTuple):
    """A command and its environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def find_launch(engine: str, python: str) -> Launch:
    """Return what starts ``engine``, a name in the registry or the path of a program, under ``python`` if given.

    Raises:
        EngineFailedError: there is no such engine.
    """
    environment = dict(os.environ)
    if python:
        for name in _OF_ONE_INTERPRETER:
            environment.pop(name, None)
    if find_engine(engine):
        return Launch((python or sys.executable, str(CHILD), engine), environment)
    if os.sep not in engine:
        names = [entry.name for entry in ENGINES]
        near = difflib.get_close_matches(engine, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use {', '.join(names)}, or the path of a program"
        raise EngineFailedError(f"no engine is called '{engine}': {hint}")
    return Launch((python, engine) if python else (engine,), environment)
