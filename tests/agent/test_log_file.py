"""The agent's own log file."""

import re
from pathlib import Path

from tests.agent.processes import agent, agent_says, collector


def test_the_agent_logs_to_the_file_that_it_is_told(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    with collector(tmp_path) as server, agent(tmp_path, server.ready()["grpc"], "--log-file", str(log)) as device:
        device.ready()
        assert device.close_input() == 0
        assert device.said() == ""
    assert re.search(
        r"^\d{4}-\d\d-\d\d \S+ connected to the collector at 127\.0\.0\.1:\d+$", log.read_text(), re.MULTILINE
    )


def test_a_log_file_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    status, said = agent_says("run", "--log-file", str(tmp_path / "nowhere/agent.log"))
    assert (status, said.count("\n")) == (2, 1)
    assert said.endswith("cannot be written: No such file or directory; name another --log-file\n")
