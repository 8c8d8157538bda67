"""Why a process ended, in words."""

from __future__ import annotations

import re
import signal

_TELLING = re.compile(r"error|assert|fatal|terminate|exception|cannot|failed", re.IGNORECASE)
_SHOWN_CHARACTERS = 300
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


def describe_status(status: int, doing: str, standard_error: str, who: str = "the engine") -> str:
    """Say in one line how a process ended.

    Args:
        status: its exit status, or a signal's number below zero.
        doing: what it was asked for.
        standard_error: the end of what it wrote there.
        who: what ended.
    """
    words = last_words(standard_error)
    said = f"; it said: {words}" if words else ""
    if status >= 0:
        return f"{who} ended with exit status {status} during {doing}{said}"
    number = -status
    name = f"{signal.Signals(number).name} (signal {number})" if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return (
            f"{who} was killed by {name} during {doing}; often that is the kernel, out of memory: "
            "take a smaller model, context or batch"
        )
    if number in _CRASHES:
        return f"{who} crashed with {name} during {doing}{said}"
    return f"{who} was ended by {name} during {doing}{said}"


def last_words(standard_error: str) -> str:
    """The last line that speaks of an error, or else the last line; empty if there is none."""
    lines = [line.strip() for line in standard_error.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or [""])[-1][:_SHOWN_CHARACTERS]
