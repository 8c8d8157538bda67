import json

import pytest

from edgeprof_agent.cli import main
from edgeprof_agent.commands.doctor_text import report_text
from edgeprof_agent.sensors.diagnosis.examination import FamilyReport, Measured
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State


def test_the_exit_status_tells_whether_anything_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json"])
    families = json.loads(capsys.readouterr().out)["families"]
    states = [obstacle["state"] for family in families for obstacle in family["obstacles"]]
    assert status == (1 if "refused" in states else 0)
    assert families[0]["measured"][0]["metric"] == "edgeprof_cpu_busy_ratio"


def test_text_is_for_people_without_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    text = capsys.readouterr().out
    assert "  measured  edgeprof_cpu_busy_ratio  /proc/stat\n" in text
    assert "\x1b" not in text


def test_states_are_coloured_on_a_terminal() -> None:
    measured = Measured(metric="edgeprof_cpu_busy_ratio", channels=1, sources=("/proc/stat",))
    refused = Obstacle(metrics=("a",), state=State.REFUSED, source="/b", reason="c", remedies=("d \\\n  e",))
    report = FamilyReport(family="cpu", title="CPU", measured=(measured,), obstacles=(refused,), problem="failed")
    assert report_text([report], colour=True) == (
        "CPU\n"
        "\x1b[32m  measured  \x1b[0medgeprof_cpu_busy_ratio  /proc/stat\n"
        "\x1b[33m  refused   \x1b[0ma\n"
        "              /b: c\n"
        "    $ d \\\n"
        "      e\n"
        "            Asked just now: failed\n"
        "\n"
        "1 metrics are measured here, in 1 channels. 1 could be had with the commands\n"
        "above.\n"
    )
