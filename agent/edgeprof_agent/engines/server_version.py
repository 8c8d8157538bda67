"""Which version a server is of."""

from __future__ import annotations

import re
import shutil
import subprocess

from .engine import EngineError
from .server_client import ServerClient, StreamBrokenError
from .server_kinds import ServerKind
from .server_modules import installed_version
from .server_setup import ServerSetup

UNKNOWN = "unknown"
_PATIENCE_SECONDS = 10.0
_VERSION = re.compile(r"version:?\s+(?:is\s+)?(.+)", re.IGNORECASE)


def server_version(kind: ServerKind, setup: ServerSetup) -> str:
    """Ask a server that runs, the program of one that does not, or the package's own description.

    Raises:
        EngineError: the server does not answer.
    """
    if setup.attached:
        return _served_version(kind, setup)
    if kind.version_arguments:
        return _program_version(kind)
    if kind.package and kind.command[0] == "{python}":
        return installed_version(kind.package) or UNKNOWN
    return UNKNOWN


def _served_version(kind: ServerKind, setup: ServerSetup) -> str:
    client = ServerClient(setup.address.rstrip("/"), setup.api_key)
    try:
        if kind.api.version is None:
            client.ask("/v1/models")  # is it there at all?
            return UNKNOWN
        path, field = kind.api.version
        return str(client.ask(path).get(field, UNKNOWN))
    except StreamBrokenError as error:
        raise EngineError(f"{setup.address} {error}: start the server, or correct 'address'") from error
    finally:
        client.close()


def _program_version(kind: ServerKind) -> str:
    program = shutil.which(kind.command[0])
    if program is None:
        return UNKNOWN  # the load says so
    try:
        answer = subprocess.run(
            [program, *kind.version_arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN  # likewise, if it cannot be started
    found = _VERSION.search(answer.stdout.decode(errors="replace"))
    return found.group(1).strip() if found else UNKNOWN
