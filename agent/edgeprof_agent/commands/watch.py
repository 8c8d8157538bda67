"""`edgeprof-agent watch`: all channels, live."""

import json
import os
import platform
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from edgeprof.telemetry import SampledFrame
from edgeprof_agent.commands.board_view import screen
from edgeprof_agent.commands.channel_table import ChannelTable, Row
from edgeprof_agent.commands.terminal import on_signals, second_screen, terminal_size
from edgeprof_agent.recording.golden import exposition_line
from edgeprof_agent.sampling.cadence import Cadence
from edgeprof_agent.sampling.clock import MonotonicClock
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.registry import discover_sensors

_SECOND_NS = 1_000_000_000

Show = Callable[[Sequence[Row]], None]


def watch_device(*, hertz: float, as_json: bool, count: int | None) -> int:
    """Show all channels ``count`` times, or until Ctrl-C. Returns the exit status, 0."""
    try:
        if sys.stdout.isatty() and not as_json:
            title = f"edgeprof-agent watch   {platform.node()}   {hertz:g} Hz   Ctrl-C ends"
            with second_screen() as draw:

                def show(rows: Sequence[Row]) -> None:
                    columns, lines = terminal_size()
                    draw(screen(rows, title, columns=columns, lines=lines))

                _watch(hertz, count, show)
        else:
            _watch(hertz, count, _write_json if as_json else _write_lines)
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python flushes into the pipe again
    return 0


def _watch(hertz: float, count: int | None, show: Show) -> None:
    slow_hertz = min(hertz, 1.0)
    frames: deque[SampledFrame] = deque()
    cadence = Cadence(fast_hertz=hertz, slow_hertz=slow_hertz, frame_seconds=1 / hertz)
    sampler = Sampler(discover_sensors(Path("/")), frames.append, cadence)
    sampler.start()
    try:
        _show_frames(frames, ChannelTable(slow_hertz), hertz, count, show)
    finally:
        sampler.stop()


def _show_frames(frames: deque[SampledFrame], table: ChannelTable, hertz: float, count: int | None, show: Show) -> None:
    clock = MonotonicClock()
    interval_ns = int(_SECOND_NS / hertz)
    ended = False
    shown = 0

    def end() -> None:
        nonlocal ended
        ended = True
        clock.wake()

    with closing(clock), on_signals(resized=clock.wake, ended=end):
        next_ns = clock.monotonic_ns() + interval_ns
        while shown != count:
            clock.wait_until(next_ns)
            if ended:
                return
            now_ns = clock.monotonic_ns()
            while frames:
                table.add(frames.popleft())
            show(table.rows(now_ns))
            if now_ns >= next_ns:  # else the terminal has a new size
                shown += 1
                next_ns = max(next_ns + interval_ns, now_ns)


def _write_lines(rows: Sequence[Row]) -> None:
    """Write what has a value now as Prometheus would be told it, behind a comment with the time."""
    lines = [exposition_line(row.channel, row.value) for row in rows if not row.is_stale]
    sys.stdout.write(f"# {time.time():.3f}\n{''.join(lines)}")
    sys.stdout.flush()


def _write_json(rows: Sequence[Row]) -> None:
    """Write one line."""
    channels = [
        {
            "metric": row.channel.metric,
            "labels": dict(row.channel.labels),
            "source": row.channel.source,
            "value": row.value,
            "age_seconds": round(row.age_seconds, 3),
            "stale": row.is_stale,
        }
        for row in rows
    ]
    sys.stdout.write(json.dumps({"time_seconds": round(time.time(), 3), "channels": channels}) + "\n")
    sys.stdout.flush()
