"""The child does not outlive its parent.

Run as a program, this becomes the command in its arguments, which does not outlive its parent either:

    python lifeline.py COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends, even inside a call of the engine.

    Linux only: prctl(2), PR_SET_PDEATHSIG. It is not undone by what the engine does, nor by execve(2), and costs
    nothing. It leaves two cases to the end of standard input, which `channel.Channel` watches: a parent that died
    before this call, and other systems, where the engine's calls have to let go of Python's lock (ctypes does).

    Raises:
        OSError: the kernel refused.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    die_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  there is no shell to start it with
