"""Which engines can be used here, found by starting them."""

import sys
from pathlib import Path

import msgspec
import pytest

from edgeprof.engine import EngineReport
from edgeprof_agent.cli import main
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[EngineReport]]:
    status = main(["engines", "--json", *arguments])
    return status, msgspec.json.decode(capsys.readouterr().out, type=list[EngineReport])


def test_every_engine_is_there_with_what_it_says_or_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    status, reports = ask(capsys)
    assert status == 0
    assert [report.name for report in reports] == [entry.name for entry in (*ENGINES, *PROGRAMS)]
    programs = {entry.name for entry in PROGRAMS}
    for report in reports:
        assert report.python == ("" if report.name in programs else sys.executable)
        assert bool(report.missing) != bool(report.version)
        assert report.missing == "" or report.capabilities is None
    (llama,) = [report for report in reports if report.name == "llama-cpp-python"]
    assert llama.build.startswith("llama.cpp ")
    assert llama.capabilities
    assert llama.capabilities.step_kinds == ("prefill", "decode", "chat", "rows", "fidelity", "parallel")
    assert "threads" in [option.name for option in llama.options]


def bare_interpreter(folder: Path) -> str:
    """A Python that has nothing installed."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_other_interpreters_are_asked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = bare_interpreter(tmp_path)
    status, reports = ask(capsys, "--python", bare, "--python", "/no/such/python")
    assert status == 1
    assert {report.python for report in reports} == {bare, "/no/such/python"}
    missing = [report.missing for report in reports if report.name == "llama-cpp-python"]
    assert missing[0].startswith("the engine llama-cpp-python is not installed for ")
    assert "pip install llama-cpp-python" in missing[0]
    assert missing[1] == "cannot start the engine: /no/such/python: No such file or directory"


def test_people_read_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engines", "--python", bare_interpreter(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "llama-cpp-python: not usable"
    assert "pip install 'edgeprof[llama-cpp-python]'" in lines[1]
