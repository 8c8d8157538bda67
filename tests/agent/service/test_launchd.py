"""The property list for macOS, parsed. launchd itself is not on this machine."""

import os
import plistlib
import subprocess
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.cli import _parser
from edgeprof_agent.service import launchd

COMMAND = Path("/opt/edgeprof/bin/edgeprof-agent")


def test_the_job_is_not_held_back_and_starts_again_when_it_fails() -> None:
    job = plistlib.loads(launchd.property_list(str(COMMAND), "ada"))

    assert job["Label"] == launchd.LABEL
    assert job["UserName"] == "ada"
    assert job["RunAtLoad"] is True
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["ProcessType"] == "Interactive", "Background and Standard are throttled"
    assert job["ThrottleInterval"] >= 10
    assert job["ExitTimeOut"] > 30, "a run gets 20 s to end, and delivery 10 s"
    assert not {"Nice", "LowPriorityIO", "Program"} & job.keys()


def test_its_arguments_are_ones_that_the_agent_takes() -> None:
    command, *arguments = plistlib.loads(launchd.property_list(str(COMMAND), "ada"))["ProgramArguments"]

    assert command == str(COMMAND)
    options = _parser().parse_args(arguments)
    assert options.config == Path("/Library/Application Support/edgeprof/agent.toml")
    assert options.log_file == Path("/Library/Logs/edgeprof/agent.log"), "launchd rotates nothing"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders to another user")
@pytest.mark.parametrize("keep_data", [False, True])
def test_all_of_it_is_written_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_data: bool) -> None:
    monkeypatch.setenv("SUDO_USER", "nobody")

    launchd.install(tmp_path, COMMAND)
    plist = tmp_path / f"Library/LaunchDaemons/{launchd.LABEL}.plist"
    assert plistlib.loads(plist.read_bytes())["UserName"] == "nobody"
    owners = subprocess.run(["stat", "-c", "%U", tmp_path / "Library/Logs/edgeprof"], capture_output=True, check=True)
    assert owners.stdout == b"nobody\n"

    launchd.uninstall(tmp_path, keep_data=keep_data)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == ({"Library/Application Support/edgeprof/agent.toml"} if keep_data else set())


def test_without_a_person_it_does_not_guess_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    with pytest.raises(EdgeprofError, match="as whom should the agent run"):
        launchd.install(tmp_path, COMMAND)
    assert list(tmp_path.iterdir()) == []
