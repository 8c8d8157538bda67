"""A terminal's second screen, redrawn in place."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # the second screen, no cursor, no wrapping
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"


@contextmanager
def second_screen() -> Iterator[Callable[[Sequence[str]], None]]:
    """Give a function that draws lines from the top; the first screen is back afterwards, whatever happens."""

    def draw(lines: Sequence[str]) -> None:
        # one write, each line cleared behind its text: nothing is ever blank, so nothing flickers
        sys.stdout.write("\x1b[H" + "\x1b[K\r\n".join(lines) + "\x1b[K\x1b[J")
        sys.stdout.flush()

    sys.stdout.write(_ENTER)
    try:
        yield draw
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


@contextmanager
def on_signals(resized: Callable[[], None], ended: Callable[[], None]) -> Iterator[None]:
    """Call these when the terminal changes its size, and when the program is to end."""
    handlers = {signal.SIGWINCH: resized, signal.SIGINT: ended, signal.SIGTERM: ended}

    def handle(number: int, _: FrameType | None) -> None:
        handlers[signal.Signals(number)]()

    before = {number: signal.signal(number, handle) for number in handlers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def terminal_size() -> tuple[int, int]:
    """Return columns and lines."""
    size = os.get_terminal_size(sys.stdout.fileno())
    return size.columns or 80, size.lines or 24
