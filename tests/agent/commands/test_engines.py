"""Which engines can be used here, found by starting them."""

import subprocess
import sys
import sysconfig
import venv
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
    kinds = ("prefill", "decode", "chat", "rows", "fidelity", "parallel", "perplexity", "tasks")
    assert llama.capabilities.step_kinds == kinds
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


def environment_without(folder: Path, *modules: str) -> str:
    """The Python of an environment that has everything installed that this one has, but for some modules."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name.partition(".")[0] not in modules:
            (packages / entry.name).symlink_to(entry)
    return str(folder / "bin" / "python")


def test_a_server_that_lacks_a_module_names_it_and_the_command_that_installs_it(tmp_path: Path) -> None:
    python = environment_without(tmp_path, "fastapi", "pydantic_settings", "sse_starlette", "starlette_context")
    found = engines_of(python)
    assert found["llama-cpp-python"].missing == ""
    assert found["llama-cpp-python-server"].missing == (
        "llama-cpp-python-server needs the modules fastapi, pydantic_settings, sse_starlette, starlette_context, "
        f"not installed for {python}: pip install 'llama-cpp-python[server]'"
    )


def test_a_server_that_is_too_old_names_both_versions_and_the_way_out(tmp_path: Path) -> None:
    pytest.importorskip("mlx_lm")
    python = environment_without(tmp_path, "mlx_lm-0")  # the folder that describes the package
    (packages,) = tmp_path.glob("lib/python3*/site-packages")
    (packages / "mlx_lm-0.31.3.dist-info").mkdir()
    (packages / "mlx_lm-0.31.3.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: mlx-lm\nVersion: 0.31.3\n")
    assert engines_of(python)["mlx-lm-server"].missing == (
        f"mlx-lm-server needs mlx-lm 0.32 or later, and {python} has 0.31.3: "
        "pip install --upgrade mlx-lm, with a later Python where that finds no later one"
    )


def engines_of(python: str) -> dict[str, EngineReport]:
    """What the command says when this Python runs it."""
    ask_there = "import sys; from edgeprof_agent.cli import main; sys.exit(main(['engines', '--json']))"
    answer = subprocess.run([python, "-c", ask_there], capture_output=True, check=True)
    return {report.name: report for report in msgspec.json.decode(answer.stdout, type=list[EngineReport])}


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
