"""The rules, judged by Prometheus' own tool."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "packaging/prometheus"
UNIT_TESTS = Path(__file__).with_name("edgeprof-alerts.test.yml")


def promtool(*arguments: str | Path) -> str:
    """Run it, and return what it says."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_its_rules_are_valid() -> None:
    said = promtool("check", "config", RULES / "prometheus.yml")

    assert "SUCCESS: 2 rule files found" in said


def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool("test", "rules", UNIT_TESTS)


def test_every_alert_is_shown_to_fire() -> None:
    alerts = re.findall(r"- alert: (\w+)", (RULES / "edgeprof-alerts.yml").read_text())
    shown = re.findall(r"alertname: (\w+)\n\s+eval_time: \w+\n\s+exp_alerts:\n", UNIT_TESTS.read_text())

    assert len(alerts) == len(set(alerts)) > 10
    assert set(alerts) == set(shown)
