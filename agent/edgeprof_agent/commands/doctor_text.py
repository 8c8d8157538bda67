"""The doctor's findings as text of 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence

from edgeprof_agent.sensors.diagnosis.examination import FamilyReport, Measured, count_refused
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State

_WIDTH = 80
_INDENT = " " * 12
_MOST_NAMES = 5  # the names of more are in the JSON
_COLOURS = {"measured": "32", "refused": "33", "absent": "2"}


def report_text(reports: Sequence[FamilyReport], *, colour: bool) -> str:
    """Return a section per family, and what can be done at the end. ``colour`` is for terminals."""
    lines = []
    for report in reports:
        lines.append(f"{report.title}")
        lines += [line for measured in report.measured for line in _measured_lines(measured, colour)]
        lines += [line for obstacle in report.obstacles for line in _obstacle_lines(obstacle, colour)]
        if report.problem and not any(report.problem in obstacle.reason for obstacle in report.obstacles):
            lines += _wrapped(f"Asked just now: {report.problem}", _INDENT)
        lines.append("")
    metrics = len({measured.metric for report in reports for measured in report.measured})
    channels = sum(measured.channels for report in reports for measured in report.measured)
    refused = count_refused(reports)
    closing = f"{metrics} metrics are measured here, in {channels} channels. "
    closing += f"{refused} could be had with the commands above." if refused else "Nothing is refused."
    return "\n".join([*lines, *textwrap.wrap(closing, _WIDTH)]) + "\n"


def _measured_lines(measured: Measured, colour: bool) -> Iterator[str]:
    more = len(measured.sources) - 1
    source = measured.sources[0] + (f" and {more} more" if more else "")
    count = f" x{measured.channels}" if measured.channels > 1 else ""
    head = f"{_state('measured', colour)}{measured.metric}{count}"
    plain = f"{'':12}{measured.metric}{count}"
    if len(plain) + 2 + len(source) <= _WIDTH:
        yield f"{head}  {source}"
    else:
        yield head
        yield from _wrapped(source, _INDENT + "  ")


def _obstacle_lines(obstacle: Obstacle, colour: bool) -> Iterator[str]:
    shown = obstacle.metrics if len(obstacle.metrics) <= _MOST_NAMES else (f"{len(obstacle.metrics)} metrics",)
    for index, metric in enumerate(shown):
        yield (_state(obstacle.state.value, colour) if index == 0 else _INDENT) + metric
    yield from _wrapped(f"{obstacle.source}: {obstacle.reason}", _INDENT + "  ")
    if obstacle.state is State.REFUSED:
        for line in "\n".join(f"$ {remedy}" for remedy in obstacle.remedies).split("\n"):
            yield f"    {line}"


def _state(state: str, colour: bool) -> str:
    text = f"  {state:10}"
    return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if colour else text


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
