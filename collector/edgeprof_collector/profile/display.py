"""What a person sees while a run goes on: a live panel, plain lines, or JSON for scripts."""

import sys
from typing import Any, Protocol, TextIO

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from edgeprof.run import PhaseKind, Progress

_PHASE_NAMES = {
    PhaseKind.PREPARE: "preparing engine and model",
    PhaseKind.GATE: "waiting for the device to be cool and idle",
    PhaseKind.CEILING: "measuring memory bandwidth",
    PhaseKind.LOAD: "loading the model",
    PhaseKind.WARM_UP: "warming up",
    PhaseKind.REST: "at rest",
    PhaseKind.STEP: "",
    PhaseKind.UNLOAD: "unloading",
}


_BAR_COLUMNS = 30


class Display(Protocol):
    """Shows how a run goes on. Used as a context manager."""

    def __enter__(self) -> "Display": ...

    def __exit__(self, *error: object) -> None: ...

    def show(self, progress: Progress) -> None:
        """Show where the run stands; called every other second, and when the run goes on to something else."""
        ...

    def say(self, text: str) -> None:
        """Tell something that stays."""
        ...


def choose_display(console: Console, *, as_json: bool) -> Display:
    """Return the display that suits the output: a terminal, a file or pipe, or a script."""
    if as_json:
        return JsonDisplay(sys.stdout)
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


def what_runs(progress: Progress) -> str:
    """Return what the run is doing, in words: a step and its repetition, or a phase."""
    if progress.phase is not PhaseKind.STEP:
        return _PHASE_NAMES[progress.phase]
    return f"{progress.step}, repetition {progress.repetition + 1} of {progress.repetition_count}"


def clock_text(seconds: float) -> str:
    """Return a duration as minutes and seconds: 75 is ``1:15``."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def readings(progress: Progress) -> list[str]:
    """Return what the run shows now, as far as it is known: its rate, its heat, its memory."""
    shown = []
    if progress.tokens_per_second is not None:
        shown.append(f"{progress.tokens_per_second:.1f} tokens/s")
    if progress.temperature_celsius is not None:
        shown.append(f"{progress.temperature_celsius:.0f} °C")
    if progress.resident_bytes is not None:
        shown.append(f"{progress.resident_bytes / 1e9:.2f} GB resident")
    return shown


class LiveDisplay:
    """A small panel that is drawn again in place. It draws only when there is news: drawing costs CPU time."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "LiveDisplay":
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Draw the panel."""
        self._live.update(_panel(progress), refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the panel."""
        self._live.console.print(text, highlight=False)


def _panel(progress: Progress) -> Text:
    """Three lines as one text: laying out a table would cost several times as much."""
    filled = round(progress.done_ratio * _BAR_COLUMNS)
    times = f"{clock_text(progress.elapsed_seconds)} gone, about {clock_text(progress.remaining_seconds)} left"
    return Text.assemble(
        ("━" * filled, "bar.complete"),
        ("━" * (_BAR_COLUMNS - filled), "bar.back"),
        f"  {progress.done_ratio:4.0%}  {times}\n",
        (f"{what_runs(progress)}\n", "bold"),
        ("   ".join(readings(progress)), "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


class PlainDisplay:
    """One line whenever the run goes on to something else; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def __enter__(self) -> "PlainDisplay":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, progress: Progress) -> None:
        """Print a line if the run does something else than before."""
        what = what_runs(progress)
        if what == self._last:
            return
        self._last = what
        left = f"about {clock_text(progress.remaining_seconds)} left"
        self.say(f"{clock_text(progress.elapsed_seconds)}  {', '.join([what, *readings(progress), left])}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, soft_wrap=True)


class JsonDisplay:
    """One JSON object a line, each with an ``event``: ``progress``, ``message``, and at the end ``verdict``."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def __enter__(self) -> "JsonDisplay":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, progress: Progress) -> None:
        """Write a progress event."""
        self.write("progress", progress)

    def say(self, text: str) -> None:
        """Write a message event."""
        self.write("message", text)

    def write(self, event: str, content: Any) -> None:
        """Write ``{"event": event, event: content}``."""
        self._output.write(msgspec.json.encode({"event": event, event: content}).decode() + "\n")
        self._output.flush()
