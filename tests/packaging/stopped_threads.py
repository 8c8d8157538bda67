"""Threads that are stopped one by one, as a debugger does it: the others of their process go on."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PTRACE_DETACH = 17
_PTRACE_SEIZE = 0x4206
_PTRACE_INTERRUPT = 0x4207
_WALL = 0x40000000  # wait for threads too

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


@contextmanager
def all_but_the_main_thread_stopped(pid: int) -> Iterator[None]:
    """Stop the other threads of a process; those that are still there go on in the end."""
    stopped = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if int(task.name) != pid]
    for thread in stopped:
        _ptrace(_PTRACE_SEIZE, thread)
        _ptrace(_PTRACE_INTERRUPT, thread)
        os.waitpid(thread, _WALL)
    try:
        yield
    finally:
        for thread in stopped:
            if _libc.ptrace(_PTRACE_DETACH, thread, None, None) != 0:  # it was killed, and waits to be taken note of
                os.waitpid(thread, _WALL)


def _ptrace(request: int, thread: int) -> None:
    if _libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
