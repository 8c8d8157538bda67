"""A device's values, live: a table that is drawn again in place, lines, or JSON for scripts."""

import sys
import time
from collections.abc import Iterable, Iterator

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgeprof.catalogue import METRICS
from edgeprof.metric import Kind
from edgeprof.units import human
from edgeprof_collector.exposition.live import DeviceNow, LiveValue

_PREFIX = "edgeprof_"


def show_device(news: Iterable[DeviceNow], console: Console, *, as_json: bool) -> None:
    """Show what comes, until it ends or the person has seen enough."""
    if as_json:
        for values in news:
            sys.stdout.write(msgspec.json.encode(values).decode() + "\n")
            sys.stdout.flush()
        return
    rates = Rates()
    if not console.is_terminal:
        for values in news:
            for name, shown in rows(values, rates):
                console.print(f"{name} {shown}", highlight=False, markup=False, soft_wrap=True)
        return
    with Live(console=console, auto_refresh=False, screen=True) as live:
        for values in news:
            live.update(_table(values, rates), refresh=True)


class Rates:
    """What counters gain in a second, between one look and the next."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def of(self, series: str, value: float) -> float | None:
        """Return the gain per second since the value was last another; ``None`` at first, or when it was reset."""
        now = time.monotonic()
        before_seconds, before = self._before.setdefault(series, (now, value))
        if value != before:
            self._before[series] = (now, value)
        return (value - before) / (now - before_seconds) if now > before_seconds and value >= before else None


def rows(now: DeviceNow, rates: Rates) -> Iterator[tuple[str, str]]:
    """Yield each channel's name and its value as people read it, in the order of the catalogue."""
    order = {name: index for index, name in enumerate(METRICS)}
    for value in sorted(now.values, key=lambda one: (order.get(one.metric, len(order)), sorted(one.labels.items()))):
        name = " ".join([value.metric.removeprefix(_PREFIX), *value.labels.values()])
        shown = _shown(name, value, rates)
        yield name, "..." if shown is None else human(value.metric, shown)


def _shown(series: str, value: LiveValue, rates: Rates) -> float | None:
    metric = METRICS.get(value.metric)
    return rates.of(series, value.value) if metric and metric.kind is Kind.COUNTER else value.value


def _table(now: DeviceNow, rates: Rates) -> Table:
    state = "" if now.connected else "   away: no values"
    table = Table(
        box=None, title=Text(f"{now.device_id}{state}   Ctrl-C ends", "bold"), title_justify="left", show_header=False
    )
    for name, shown in rows(now, rates):
        table.add_row(Text(name), Text(shown))
    return table
