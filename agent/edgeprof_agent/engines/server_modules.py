"""What a server that is a Python program needs of the interpreter that starts it."""

from __future__ import annotations

import importlib.util
import re
import sys

from .engine import EngineError
from .server_kinds import ServerKind


def refuse_missing_or_old_modules(kind: ServerKind) -> None:
    """Refuse a server that this interpreter is to start, and which would end at an import or is too old.

    Each module is looked for, none is imported: that takes seconds, and some look for devices.

    Raises:
        EngineError: a module is not installed, or an older package than edgeprof can use.
    """
    if not kind.command or kind.command[0] != "{python}":
        return
    if missing := [name for name in kind.modules if importlib.util.find_spec(name) is None]:
        modules = "the module" if len(missing) == 1 else "the modules"
        raise EngineError(
            f"{kind.name} needs {modules} {', '.join(missing)}, not installed for {sys.executable}: {kind.install}"
        )
    found = installed_version(kind.package) if kind.oldest_version else ""
    if found and _numbers(found) < _numbers(kind.oldest_version):
        raise EngineError(
            f"{kind.name} needs {kind.package} {kind.oldest_version} or later, and {sys.executable} has {found}: "
            f"pip install --upgrade {kind.package}, with a later Python where that finds no later one"
        )


def installed_version(package: str) -> str:
    """The version of a package; empty if its modules are there, but were not installed as a package."""
    from importlib import metadata  # noqa: PLC0415  it takes 20 ms, and few servers are Python packages

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
