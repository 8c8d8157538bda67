"""`edgeprof plan`, as a person sees it."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeprof.errors import EdgeprofError
from edgeprof.plan_file import built_in_plan, built_in_plan_names
from edgeprof_collector.cli import app


def test_every_built_in_plan_is_listed_with_what_it_is_for() -> None:
    result = CliRunner().invoke(app, ["plan", "list"])

    assert result.exit_code == 0
    for name in built_in_plan_names():
        assert f"\n{name} " in result.output
        assert built_in_plan(name).description.split()[0] in result.output


@pytest.mark.parametrize("name", built_in_plan_names())
def test_every_step_of_a_built_in_plan_is_shown(name: str) -> None:
    result = CliRunner().invoke(app, ["plan", "show", name, "--model", "synth:smollm2-135m@q4_0"])

    assert result.exit_code == 0
    assert re.search(r"\nTakes +about [1-9].* with *synth:smollm2-135m@q4_0", result.output)
    assert all(f"\n{step.name} " in result.output for step in built_in_plan(name).steps)


def test_a_plan_that_begins_new_processes_says_so() -> None:
    shown = {name: CliRunner().invoke(app, ["plan", "show", name]).output for name in ("compare", "quick")}

    assert "\nProcesses " in shown["compare"]
    assert "\nProcesses " not in shown["quick"]


def test_the_time_with_a_file_is_not_guessed() -> None:
    with pytest.raises(EdgeprofError) as refused:
        CliRunner().invoke(app, ["plan", "show", "quick", "--model", "/some.gguf"], catch_exceptions=False)

    assert str(refused.value) == (
        "/some.gguf: only of synthetic shapes is the time known beforehand; profile it to be told"
    )


def test_a_good_plan_passes_the_check(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[[steps]]\nkind = "rows"\nrows = 4\ndecode_tokens = 16\n', encoding="utf-8")

    result = CliRunner().invoke(app, ["plan", "check", str(path)])

    assert (result.exit_code, result.output) == (0, f"{path}: a plan without fault\n")


def test_each_wrong_key_is_a_line_and_the_check_fails(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[[steps]]\nkind = "rows"\nrow = 4\nturns = 0\n', encoding="utf-8")

    result = CliRunner().invoke(app, ["plan", "check", str(path)])

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{path}:4: unknown key 'steps[0].row'; did you mean 'rows'?",
        f"{path}:5: 'steps[0].turns': expected `int` >= 1",
    ]
