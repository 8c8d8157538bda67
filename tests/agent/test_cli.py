"""What `edgeprof-agent` says when it cannot do what it is asked."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof import __version__
from edgeprof_agent.cli import main
from tests.agent.processes import agent, agent_says


@contextlib.contextmanager
def unused_address() -> Iterator[str]:
    """An address on which nothing listens while this lasts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"edgeprof-agent {__version__}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("colector = 'x:1'", "agent.toml:1: unknown key 'colector'; did you mean 'collector'?"),
        ("[spool]\nmax_bytes = 'much'", "agent.toml:2: 'spool.max_bytes': "),
        ("[", "agent.toml: not valid TOML: "),
    ],
)
def test_a_wrong_configuration_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(content)
    status, said = agent_says("run", "--config", str(config))
    assert status == 2
    assert said.startswith("edgeprof-agent: ")
    assert message in said
    assert said.count("\n") == 1


def test_a_configuration_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    status, said = agent_says("run", "--config", str(tmp_path / "none.toml"))
    assert status == 2
    assert said.endswith("none.toml: cannot be read: No such file or directory\n")
    assert said.count("\n") == 1


def test_an_address_that_is_none_is_named() -> None:
    status, said = agent_says("run", "--collector", "http://localhost")
    assert status == 2
    assert "argument --collector: expected HOST:PORT, such as 192.168.1.5:7743, not 'http://localhost'" in said


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, said = agent_says("run", "--state-folder", str(tmp_path / "file" / "state"))
    assert status == 2
    assert "cannot be written: Not a directory; choose another --state-folder" in said
    assert said.count("\n") == 1


def test_a_parent_that_gives_no_pipe_is_told_so(tmp_path: Path) -> None:
    status, said = agent_says("run", "--state-folder", str(tmp_path), "--exit-with-parent")
    assert status == 2
    assert "--exit-with-parent needs standard input to be a pipe" in said
    assert said.count("\n") == 1


def test_a_second_agent_is_told_who_the_first_is(tmp_path: Path) -> None:
    with unused_address() as address, agent(tmp_path, address) as first:
        first.until_said("device ")
        status, said = agent_says("run", "--state-folder", str(tmp_path / "state"))
        assert status == 2
        assert f"another edgeprof-agent (process {first.process.pid}) uses {tmp_path / 'state'}: stop it" in said
        assert said.count("\n") == 1
        assert first.close_input() == 0


def test_the_agent_waits_for_a_collector_that_is_not_there_and_stops_with_its_parent(tmp_path: Path) -> None:
    with unused_address() as address, agent(tmp_path, address) as running:
        running.until_said("Connection refused; trying again")
        assert running.close_input() == 0
        assert not running.ready_file.exists()
        assert "Traceback" not in running.said()
