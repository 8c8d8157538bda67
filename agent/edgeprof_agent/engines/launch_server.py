"""Becomes a server that does not outlive the process that starts it: ``python launch_server.py PROGRAM ARGUMENT...``.

What `die_with_parent` asks of the kernel outlasts execve(2), so that the server needs to know nothing of it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

CANNOT_START = 127
"""The exit status when the program cannot be started, as a shell's."""


def _die_with_parent() -> None:
    """Run `lifeline.die_with_parent` of this file's folder, which is no package here."""
    spec = importlib.util.spec_from_file_location("lifeline", str(Path(__file__).with_name("lifeline.py")))
    assert spec is not None
    assert spec.loader is not None
    lifeline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lifeline)
    lifeline.die_with_parent()


if __name__ == "__main__":
    _die_with_parent()
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  an argument list is what is wanted, not a shell
    except OSError as error:
        sys.stderr.write(f"error: {sys.argv[1]} cannot be started: {error.strerror}\n")
        sys.exit(CANNOT_START)
