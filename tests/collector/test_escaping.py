"""What a device has named does nothing but show: in a page, a log line, a terminal and a Prometheus label."""

import asyncio
import io
import logging
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page
from edgeprof_collector.printable import PrintableFormatter, printable
from edgeprof_collector.report.escape import json_for_script
from edgeprof_collector.terminal import Terminal

# It clears a screen, names a window, turns the direction of writing, begins a line, and is markup of rich's.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\nedgeprof: all is well\x9b31m [bold red]a[/bold red] [/] :boom:"


def control_characters(text: str) -> list[str]:
    return [each for each in text if not each.isprintable() and each != "\n"]


def test_a_terminal_shows_it_as_text() -> None:
    output = io.StringIO()
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    terminal = Terminal(file=output, width=400)
    terminal.print(table)
    terminal.print(HOSTILE)
    assert control_characters(output.getvalue()) == []
    assert output.getvalue().count(r"\x1b[2J\x1b]0;owned") == 4
    assert "[bold red]a[/bold red] [/] :boom:" in output.getvalue()


def test_a_log_line_stays_one_line() -> None:
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(PrintableFormatter("edgeprof: %(message)s"))
    logger = logging.Logger("hostile")  # noqa: LOG001  one of its own
    logger.addHandler(handler)
    logger.warning("%s is refused: %s", HOSTILE, HOSTILE)
    assert output.getvalue().count("\n") == 1
    assert control_characters(output.getvalue()) == []
    assert r"\r\nedgeprof: all is well" in output.getvalue()


def test_a_page_holds_it_as_data() -> None:
    text = str(json_for_script({"name": "</script><!--<script>&" + HOSTILE}))
    assert not re.search("[<>&]", text)


async def parts_of(page: Page) -> list[bytes]:
    return [part async for part in page.text()]


def test_a_prometheus_label_holds_it_as_a_value() -> None:
    """The library that Prometheus' own client has reads back what was put in, quotes, slashes and lines too."""
    names = [HOSTILE.replace("\r", ""), 'a"} 1\nedgeprof_fake 2', "back\\slash\\", "\\n"]
    latest = LatestValues(CollectorHealth(), [(name, 1.0) for name in names])
    page = b"".join(asyncio.run(parts_of(Page([latest], CollectorHealth())))).decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    assert {sample.labels["device"] for sample in samples if "device" in sample.labels} == set(names)
    assert not any(sample.name == "edgeprof_fake" for sample in samples)


def test_what_is_fit_to_print_stays_as_it_is() -> None:
    assert printable("Jetson AGX Orin (Küche) 日本 ✓") == "Jetson AGX Orin (Küche) 日本 ✓"


def test_every_command_that_prints_has_this_terminal() -> None:
    """No command makes a console that would take markup or control characters from data."""
    commands = Path(__file__).parents[2] / "collector" / "edgeprof_collector"
    made = [file for file in commands.rglob("*.py") if re.search(r"\bConsole\(", file.read_text())]
    assert made == []
