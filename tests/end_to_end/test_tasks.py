"""Small tasks from the plan's file to the comparison's status: a model that can count, and its damaged twin."""

import csv
from pathlib import Path

from tests.agent.engines.numerate_model import write_numerate_model
from tests.end_to_end.conftest import Home

PLAN = """
name = "tasks"
repetitions = 1
rest_seconds = 0.1
steps = [{ kind = "tasks" }]
[gates]
wait_seconds = 0.0
"""


def _profiled(home: Home, plan: Path, model: Path) -> str:
    ended = home.run("profile", str(model), "--plan", str(plan), "--json")
    assert ended.status == 0, ended.errors
    (verdict,) = ended.events("verdict")
    return str(verdict["run_id"])


def test_a_model_that_counts_worse_fails_and_one_that_answers_alike_does_not(home: Home, tmp_path: Path) -> None:
    plan = tmp_path / "tasks.toml"
    plan.write_text(PLAN, encoding="utf-8")
    sound = write_numerate_model(tmp_path / "sound.gguf")
    damaged = write_numerate_model(tmp_path / "damaged.gguf", damaged=True)
    base, same, worse = (_profiled(home, plan, model) for model in (sound, sound, damaged))

    shown = home.run("show", base)
    assert "tasks 100: counting 40 of 40, arithmetic " in shown.output
    assert home.run("compare", base, same, "--fail-on", "fidelity").status == 0
    failed = home.run("compare", base, worse, "--across", "--fail-on", "fidelity")
    assert failed.status == 1
    assert "fidelity: broken: tasks 100, tasks answered right -" in failed.output

    files = home.run("export", base, "--output", str(home.folder / "out")).output.split()
    with Path(next(file for file in files if file.endswith(".tasks.csv"))).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    assert {row["right"] for row in rows if row["kind"] == "counting"} == {"yes"}
    again = home.run("compare", files[0], worse, "--across", "--fail-on", "fidelity")
    assert again.status == 1


def test_a_synthetic_model_is_refused_in_one_line(home: Home, tmp_path: Path) -> None:
    plan = tmp_path / "tasks.toml"
    plan.write_text(PLAN, encoding="utf-8")
    refused = home.run("profile", "synth:tiny@q4_0", "--plan", str(plan))
    assert refused.status == 2
    [line] = refused.errors.splitlines()
    assert "its weights are random and answer nothing, so the step 'tasks 100' would say nothing" in line
