"""The page of the engines lists each one that there is, with what it can do and all of its options."""

import asyncio
import re
from pathlib import Path

import pytest

from edgeprof_agent.engines.registry import ENGINES, PROGRAMS, EngineEntry, ProgramEntry
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineHello, EngineProcess

PAGE = (Path(__file__).parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("entry", [*ENGINES, *PROGRAMS], ids=lambda entry: entry.name)


def section(heading: str) -> str:
    """What stands under a heading, up to the next of the same level."""
    level = re.escape(heading.split(" ", 1)[0])
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^{level} |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"docs/engines.md has no heading '{heading}'"
    return found[1]


def row(heading: str, name: str) -> list[str]:
    """The cells after the first of an engine's row in a section's table."""
    found = re.search(rf"^\| \[?`{re.escape(name)}`.*$", section(heading), re.MULTILINE)
    assert found, f"'{heading}' in docs/engines.md says nothing of {name}"
    return [cell.strip() for cell in found[0].strip("|").split("|")[1:]]


def hello_of(entry: EngineEntry | ProgramEntry) -> EngineHello:
    async def ask() -> EngineHello:
        process = await EngineProcess.start(entry.name)
        await process.close()
        return process.facts

    try:
        return asyncio.run(ask())
    except EngineFailedError as error:
        pytest.skip(str(error))


@EACH
def test_every_engine_has_its_rows(entry: EngineEntry | ProgramEntry) -> None:
    able = entry.capabilities
    yes = {True: "yes", False: "no"}
    assert row("## What each can do", entry.name) == [
        ", ".join(able.step_kinds),
        yes[able.token_times],
        yes[able.token_steps],
        yes[able.logits],
        str(able.parallel_sequences),
        yes[able.prefix_reuse],
    ]
    assert row("## Which there are", entry.name)
    assert row("## How far each was verified", entry.name)


@EACH
def test_every_option_is_there_with_its_default(entry: EngineEntry | ProgramEntry) -> None:
    options = {option.name: option for option in hello_of(entry).options}
    table = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section(f"### {entry.name}"), re.MULTILINE)
    assert [name for name, _ in table] == list(options)
    for name, default in table:
        if re.fullmatch(r"true|false|-?[\d.]+", default):
            assert default == options[name].default, name
