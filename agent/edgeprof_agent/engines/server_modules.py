"""What a server that is a Python program needs of the interpreter that starts it."""

from __future__ import annotations

import importlib.util
import sys

from .engine import EngineError
from .server_kinds import ServerKind


def refuse_without_its_modules(kind: ServerKind) -> None:
    """Refuse a server that this interpreter is to start, and which would end at an import.

    Each module is looked for, none is imported: that takes seconds, and some look for devices.

    Raises:
        EngineError: a module is not installed.
    """
    if not kind.command or kind.command[0] != "{python}":
        return
    if missing := [name for name in kind.modules if importlib.util.find_spec(name) is None]:
        modules = "the module" if len(missing) == 1 else "the modules"
        raise EngineError(
            f"{kind.name} needs {modules} {', '.join(missing)}, not installed for {sys.executable}: {kind.install}"
        )
