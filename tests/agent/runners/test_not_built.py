"""Programs that have not been built, or lie elsewhere."""

import asyncio
import sys
from pathlib import Path

import pytest

from edgeprof_agent.engines.registry import PROGRAMS, ProgramEntry
from edgeprof_agent.workload.engine_launch import find_launch
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where alone programs are looked for."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("entry", PROGRAMS, ids=lambda entry: entry.name)
def test_a_program_that_is_not_built_says_how(entry: ProgramEntry) -> None:
    with pytest.raises(EngineFailedError) as failed:
        asyncio.run(EngineProcess.start(entry.name))
    assert str(failed.value) == (
        f"the engine {entry.name} is not built: run 'make {entry.target}' in edgeprof's sources, "
        f"or put its program {entry.program} on PATH"
    )


def test_a_program_is_found_beside_the_python_and_then_on_path(nowhere: Path) -> None:
    (nowhere / "bin").mkdir()
    on_path, beside = nowhere / "edgeprof-candle", nowhere / "bin" / "edgeprof-candle"
    for path in (on_path, beside):
        path.touch(mode=0o755)
        assert find_launch("candle", "").arguments == (str(path),)


def test_every_program_has_its_target_in_the_makefile() -> None:
    makefile = (Path(__file__).parents[3] / "Makefile").read_text(encoding="utf-8")
    for entry in PROGRAMS:
        assert f"\n{entry.target}:" in makefile
        assert f"/{entry.program} " in makefile
