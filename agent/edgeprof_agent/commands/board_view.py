"""All channels on one screen: a heading per subject, a line or a few per metric."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from edgeprof.units import human
from edgeprof_agent.commands.channel_table import Row

# By how the metric's name goes on behind "edgeprof_". What fits nowhere is of the board.
_SUBJECTS = (
    ("CPU", ("cpu_", "pressure_")),
    ("Memory", ("memory_", "swap_", "major_page_faults")),
    ("GPU", ("gpu_", "workload_gpu_")),
    ("Workload", ("workload_",)),
    ("Disks and networks", ("disk_", "network_")),
    ("Agent", ("sensor_", "sampler_", "agent_", "spool_")),
    ("Board", ("",)),
)
_ORDER = ("CPU", "Memory", "GPU", "Board", "Disks and networks", "Workload", "Agent")
# Sources that two families share are told apart by their labels; in a view, these say nothing new.
_SILENT_LABELS = ("source",)
_PREFIX = "edgeprof_"
_NAME_WIDTH = 32
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def screen(rows: Sequence[Row], title: str, *, columns: int, lines: int) -> list[str]:
    """Return the lines of a screen of this size; what does not fit is counted in the last one."""
    body = list(_body(rows, columns))
    room = lines - 1
    if len(body) > room:
        hidden = len(body) - room + 1
        body = [*body[: room - 1], f"{_DIM}{hidden} lines more: make the window larger{_PLAIN}"]
    return [f"{_BOLD}{title[:columns]}{_PLAIN}", *body]


def _body(rows: Sequence[Row], columns: int) -> Iterator[str]:
    for subject in _ORDER:
        here = [row for row in rows if subject_of(row.channel.metric) == subject]
        if here:
            yield f"{_BOLD}{subject}{_PLAIN}"
        for metric, group in groupby(here, key=lambda row: row.channel.metric):
            yield from _metric_lines(metric, tuple(group), columns)


def subject_of(metric: str) -> str:
    """Name the subject that a metric is shown under."""
    rest = metric.removeprefix(_PREFIX)
    return next(subject for subject, beginnings in _SUBJECTS if rest.startswith(beginnings))


def _metric_lines(metric: str, rows: Sequence[Row], columns: int) -> Iterator[str]:
    """Cells side by side, as wide as the widest: they do not jump when values change."""
    cells = [_cell(metric, row) for row in rows]
    width = max(14, *(len(cell) for cell in cells))
    room = max(columns - _NAME_WIDTH - 3, width)
    per_line = max(1, (room + 2) // (width + 2))
    name = metric.removeprefix(_PREFIX)
    for start in range(0, len(cells), per_line):
        part = zip(cells[start : start + per_line], rows[start : start + per_line], strict=True)
        text = "  ".join(_marked(cell[: columns - _NAME_WIDTH - 3].ljust(width), row) for cell, row in part)
        yield f"  {(name if start == 0 else '')[:_NAME_WIDTH]:{_NAME_WIDTH}} {text}"


def _cell(metric: str, row: Row) -> str:
    labels = " ".join(value for name, value in row.channel.labels if name not in _SILENT_LABELS)
    shown = "..." if row.shown is None else human(metric, row.shown)
    stale = f" ({row.age_seconds:.0f} s old)" if row.is_stale else ""
    return f"{labels} {shown}{stale}" if labels else f"{shown}{stale}"


def _marked(cell: str, row: Row) -> str:
    return f"{_DIM}{cell}{_PLAIN}" if row.is_stale else cell
