"""The main job, whole: `edgeprof profile` from its options to its verdict, its report and what it leaves behind."""

import csv
import math
import shutil
import signal
import subprocess
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.end_to_end.conftest import Home, below, engine_of, next_event, wait_for

SMALLEST = "synth:smollm2-135m@q4_0"
TINY = "synth:tiny@q4_0"
# Long enough to be cut in the middle of a step, on any machine.
LONG_PLAN = """
name = "long"
repetitions = 500
[[steps]]
kind = "decode"
decode_tokens = 200
"""


@pytest.fixture
def long_plan(tmp_path: Path) -> str:
    path = tmp_path / "long.toml"
    path.write_text(LONG_PLAN, encoding="utf-8")
    return str(path)


def test_quick_plan_from_model_to_report(home: Home) -> None:
    ended = home.run("profile", SMALLEST, "--json", "--output", str(home.folder / "reports"))

    assert ended.status == 0, ended.errors
    assert ended.events("progress")
    assert ended.events("message")[0].startswith("The run will take about ")
    (verdict,) = ended.events("verdict")
    run_id = verdict["run_id"]
    assert verdict["state"] == "succeeded"
    steps = {step["name"]: step for step in verdict["steps"]}
    assert list(steps) == ["prefill 256", "decode 48", "decode 48 @ 512", "chat 3x(64+16)"]
    figures = {(name, figure["name"]): figure for name, step in steps.items() for figure in step["figures"]}
    assert figures["prefill 256", "prefill_tokens_per_second"]["n"] == 5
    decode = figures["decode 48", "decode_tokens_per_second"]
    assert decode["interval"]["low"] <= decode["median"] <= decode["interval"]["high"]
    assert 0 < figures["decode 48", "mbu_ratio"]["median"] < 1.5
    assert "synthetic" in verdict["flags"]
    assert verdict["memory"]["peak_resident_bytes"] > verdict["model"]["file_bytes"]
    page = (home.folder / "reports" / f"{run_id}.html").read_text(encoding="utf-8")
    assert run_id in page
    assert len(page) < 5_000_000

    listed = msgspec.json.decode(home.run("runs", "--json").output)
    assert [run["run_id"] for run in listed] == [run_id]
    lines = home.run("runs").output.splitlines()
    assert [lines[0].split(), lines[1].split()[0]] == [["run", "model", "engine", "plan", "state"], run_id]
    assert lines[-1] == f"All of the device {verdict['device']['device_id']}"
    shown = home.run("show", run_id[:12])
    assert shown.status == 0
    assert "decode rate" in shown.output
    again = home.run("show", "--json")
    assert msgspec.json.decode(again.output) == verdict

    exported = home.run("export", "--output", str(home.folder / "out"))
    events, telemetry = (Path(line) for line in exported.output.split())
    requests = msgspec.json.decode(events.read_bytes())["requests"]
    assert len(requests) == 5 * (1 + 1 + 1 + 3)
    with telemetry.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {"edgeprof_cpu_busy_ratio", "edgeprof_workload_resident_bytes"} <= {row["metric"] for row in rows}
    assert all(math.isfinite(float(row["value"])) for row in rows)


def test_plain_lines_where_there_is_no_terminal(home: Home) -> None:
    ended = home.run("profile", TINY, "--repetitions", "1")

    assert ended.status == 0, ended.errors
    assert "\x1b" not in ended.output
    assert "loading the model" in ended.output
    assert "Report: " in ended.output


def test_killed_engine_gives_a_failed_run_with_its_data(home: Home, long_plan: str) -> None:
    with home.running("profile", TINY, "--plan", long_plan, "--json") as process:
        next_event(process, "progress", lambda progress: progress["phase"] == "step" and progress["repetition"] >= 2)
        engine = engine_of(process)
        assert engine is not None
        engine.send_signal(signal.SIGKILL)
        verdict = next_event(process, "verdict")
        process.wait()

    assert process.returncode == 1
    assert verdict["state"] == "failed"
    assert "SIGKILL" in verdict["cause"]
    assert verdict["steps"][0]["figures"][0]["n"] >= 2
    (run,) = msgspec.json.decode(home.run("runs", "--json").output)
    assert run["state"] == "failed"


def test_ctrl_c_keeps_what_was_measured(home: Home, long_plan: str) -> None:
    with home.running("profile", TINY, "--plan", long_plan, "--json") as process:
        next_event(process, "progress", lambda progress: progress["phase"] == "step" and progress["repetition"] >= 2)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        verdict = next_event(process, "verdict")
        process.wait()

    assert process.returncode == 130
    assert verdict["state"] == "cancelled"
    assert verdict["steps"][0]["figures"][0]["n"] >= 2
    assert not [child for child in children if child.is_running()]


def test_everything_ends_when_the_command_is_killed(home: Home, long_plan: str) -> None:
    with home.running("profile", TINY, "--plan", long_plan, "--json") as process:
        next_event(process, "progress", lambda progress: progress["phase"] == "step")
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        process.kill()
        process.wait()
        gone, alive = psutil.wait_procs(children, timeout=60)

    assert not alive
    assert gone

    assert home.run("profile", TINY, "--repetitions", "1").status == 0
    later, killed = msgspec.json.decode(home.run("runs", "--json").output)
    assert (later["state"], killed["state"]) == ("succeeded", "cancelled")


def test_killed_agent_tells_of_its_run_when_it_is_back(home: Home, long_plan: str) -> None:
    with home.running("profile", TINY, "--plan", long_plan, "--json") as process:
        next_event(process, "progress", lambda progress: progress["phase"] == "step" and progress["repetition"] >= 2)
        agent, engine = below(process, "edgeprof-agent"), engine_of(process)
        assert agent is not None
        assert engine is not None
        agent.kill()
        _, alive = psutil.wait_procs([engine], timeout=60)
        process.wait()
        errors = process.stderr.read() if process.stderr else ""

    assert not alive
    assert process.returncode == 2
    assert errors.startswith("edgeprof: the agent ended")
    assert len(errors.splitlines()) == 1
    assert home.run("profile", TINY, "--repetitions", "1").status == 0
    later, killed = msgspec.json.decode(home.run("runs", "--json").output)
    assert (later["state"], killed["state"]) == ("succeeded", "failed")
    assert killed["cause"] == "the agent ended during the run"
    assert "the agent ended during the run" in home.run("show", killed["run_id"]).output


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_served_metrics_are_in_order(home: Home) -> None:
    import httpx

    with home.running("profile", TINY, "--repetitions", "1", "--serve", "--json") as process:
        address = next_event(process, "message", lambda text: text.startswith("metrics: ")).removeprefix("metrics: ")
        next_event(process, "verdict")
        page = wait_for(lambda: text if "edgeprof_result_decode" in (text := httpx.get(address).text) else None)
    checked = subprocess.run(["promtool", "check", "metrics"], check=False, input=page, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    for family in ("edgeprof_cpu_busy_ratio", "edgeprof_memory_available_bytes", "edgeprof_run_info"):
        assert f"\n{family}{{" in page
    assert "edgeprof_gpu_busy_ratio{" not in page or Path("/dev/nvidiactl").exists()


def test_second_profile_at_the_same_time_is_refused(home: Home, long_plan: str) -> None:
    with home.running("profile", TINY, "--plan", long_plan, "--json") as process:
        next_event(process, "progress")
        second = home.run("profile", TINY)

    assert second.status == 2
    assert len(second.errors.splitlines()) == 1
    assert "edgeprof: " in second.errors
