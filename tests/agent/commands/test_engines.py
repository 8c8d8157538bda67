"""Which engines can be used here, found by starting them."""

import sys
from pathlib import Path

import msgspec
import pytest

from edgeprof.engine import EngineReport
from edgeprof_agent.cli import main
from edgeprof_agent.engines.registry import ENGINES, PROGRAMS
from edgeprof_agent.engines.server_table import SERVER_KINDS
from tests.agent.servers.real_servers import LLAMA_SERVER_PROGRAM, why_missing


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[EngineReport]]:
    status = main(["engines", "--json", *arguments])
    return status, msgspec.json.decode(capsys.readouterr().out, type=list[EngineReport])


def test_every_engine_is_there_with_what_it_says_or_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    status, reports = ask(capsys)
    assert status == 0
    in_python = [entry.name for entry in ENGINES if entry.name != "openai"]  # what it drives are the servers
    others = [*(entry.name for entry in PROGRAMS), *(kind.name for kind in SERVER_KINDS if kind.command)]
    assert [report.name for report in reports] == [*in_python, *others]
    for report in reports:
        assert report.python == ("" if report.name in others else sys.executable)
        assert bool(report.missing) != bool(report.version)
        assert report.missing == "" or report.capabilities is None
    (llama,) = [report for report in reports if report.name == "llama-cpp-python"]
    assert llama.build.startswith("llama.cpp ")
    assert llama.capabilities
    assert llama.capabilities.step_kinds == ("prefill", "decode", "chat", "rows", "fidelity", "parallel", "perplexity")
    assert "threads" in [option.name for option in llama.options]


def server_reports(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: str
) -> dict[str, EngineReport]:
    monkeypatch.setenv("PATH", path)
    return {report.name: report for report in ask(capsys)[1]}


def test_a_server_that_is_not_there_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = server_reports(capsys, monkeypatch, "/nowhere")
    for name, cause in {
        "llama-server": "llama-server is not on the PATH: install llama.cpp",
        "vllm": "vllm is not on the PATH: pip install vllm",
        "tabbyapi": "it runs in a folder of its own: get github.com/theroyallab/tabbyAPI",
        "ollama": "ollama is not on the PATH: get it from ollama.com",
    }.items():
        assert found[name].missing.startswith(cause)
        assert f"under [servers.{name}] in the agent's configuration" in found[name].missing


def test_a_server_on_the_path_is_asked_for_its_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if cause := why_missing("llama-server"):
        pytest.skip(cause)
    found = server_reports(capsys, monkeypatch, str(LLAMA_SERVER_PROGRAM.parent))["llama-server"]
    assert found.missing == ""
    assert found.version[0].isdigit()
    assert "flash_attention" in [option.name for option in found.options]


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
