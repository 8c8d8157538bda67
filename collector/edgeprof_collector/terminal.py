"""The terminal of people's commands: what devices have named shows as text and does nothing else."""

from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from edgeprof_collector.printable import printable


class Terminal(Console):
    """A console without markup, on which control characters within text show as escapes."""

    def __init__(
        self, *, stderr: bool = False, highlight: bool = True, file: IO[str] | None = None, width: int | None = None
    ) -> None:
        super().__init__(stderr=stderr, highlight=highlight, markup=False, emoji=False, file=file, width=width)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as the library does, and look through every piece of text. Its own control codes are apart."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.replace("\n", "").isprintable():
                yield segment
            else:
                text = "\n".join(printable(line) for line in segment.text.split("\n"))
                yield Segment(text, segment.style)
