"""Runs on several devices, by the commands that a person has: real collector, real agents, a network between."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgeprof.job import JobState
from tests.agent.processes import Service, agent, collector
from tests.end_to_end.conftest import Ended, Home, wait_for
from tests.faults.proxy import Network, network

ENGINE = Path(__file__).parent.parent / "agent" / "workload" / "obedient_engine.py"
WITH_ENGINE = ("--engine", str(ENGINE), "--python", sys.executable)
MODEL = "synth:tiny@q8_0"
PLAN = """
name = "short"
repetitions = 1
rest_seconds = {rest}
[[steps]]
kind = "decode"
decode_tokens = 4
[gates]
wait_seconds = 0
"""


@dataclass
class Fleet:
    """A collector, and what a person asks of it."""

    url: str
    address: str
    home: Home
    folder: Path

    def edgeprof(self, *arguments: str) -> Ended:
        """Run a command against the collector."""
        return self.home.run(*arguments, "--collector", self.url)

    def run(self, *targets: str, rest: float = 0.2, more: tuple[str, ...] = ()) -> dict[str, str]:
        """Ask for a run; return the jobs by their devices."""
        plan = self.folder / "plan.toml"
        plan.write_text(PLAN.format(rest=rest), encoding="utf-8")
        options = ("--plan", str(plan), "--model", MODEL, *WITH_ENGINE, "--json", *more)
        asked = self.edgeprof("run", *targets, *options)
        assert asked.status == 0, asked.errors
        return {job["device_id"]: job["job_id"] for job in json.loads(asked.output)}

    def job(self, job_id: str) -> dict[str, Any]:
        """How a job stands."""
        job: dict[str, Any] = json.loads(self.edgeprof("jobs", job_id, "--json").output)["job"]
        return job

    def until(self, job_id: str, where: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until a job stands so."""
        found: dict[str, Any] = wait_for(lambda: (job := self.job(job_id)) and where(job) and job)
        return found

    def until_state(self, job_id: str, state: JobState) -> dict[str, Any]:
        """Wait until a job is in this state."""
        return self.until(job_id, lambda job: job["state"] == state.value)

    @contextmanager
    def device(self, name: str, policy: str = "", address: str = "") -> Iterator[Service]:
        """An agent with an identity of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        config = folder / "agent.toml"
        config.write_text(
            f'[device]\nid = "{name}"\nlabels = {{ family = "bench" }}\n'
            f'[allowed]\nprograms = ["{ENGINE}"]\npythons = ["{sys.executable}"]\n[policy]\n{policy}\n',
            encoding="utf-8",
        )
        with agent(folder, address or self.address, "--config", str(config)) as running:
            running.ready()
            yield running


@pytest.fixture
def fleet(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("EDGEPROF_TEST_COMMANDS", str(tmp_path / "commands"))
    with collector(tmp_path) as server:
        yield Fleet(server.ready()["http"], server.ready()["grpc"], home, tmp_path)


@contextmanager
def network_to(address: str) -> Iterator[tuple[Network, asyncio.AbstractEventLoop]]:
    """A network to an address, and the loop that it lives in, in a thread."""
    ready: Future[tuple[Network, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        stop = asyncio.Event()
        async with network(int(address.rpartition(":")[2])) as one:
            ready.set_result((one, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    one, loop, stop = ready.result(30)
    try:
        yield one, loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def test_three_devices_one_off_one_over_its_limits_one_cut_off(fleet: Fleet) -> None:
    with ExitStack() as stack:
        net, loop = stack.enter_context(network_to(fleet.address))
        with fleet.device("off") as early:
            early.close_input()
        limited = stack.enter_context(fleet.device("limited", "run_seconds = 1.0"))
        cut = stack.enter_context(fleet.device("cut", address=f"127.0.0.1:{net.port}"))

        jobs = fleet.run("family=bench", rest=4.0)
        assert set(jobs) == {"off", "limited", "cut"}

        cut.until_said(f"job {jobs['cut']}: run ")
        loop.call_soon_threadsafe(net.up.clear)
        loop.call_soon_threadsafe(net.reset)
        fleet.until(jobs["cut"], lambda job: job["lease_expires_wall_ns"])
        assert fleet.until_state(jobs["limited"], JobState.TIMED_OUT)["reason"].endswith("(policy.run_seconds)")
        cut.until_said(f"job {jobs['cut']}: succeeded")
        assert fleet.job(jobs["cut"])["state"] == "running", "nobody can know yet"
        loop.call_soon_threadsafe(net.up.set)
        done = fleet.until_state(jobs["cut"], JobState.SUCCEEDED)
        assert done["run_id"]

        assert fleet.job(jobs["off"])["state"] == "queued"
        back = stack.enter_context(fleet.device("off"))
        watched = fleet.edgeprof("watch", *jobs.values(), "--output", str(fleet.folder / "reports"))
        assert watched.status == 1, "one of them has not succeeded"
        lines = {line.split()[0]: line for line in watched.output.splitlines() if line.split()[0] in jobs}
        assert "succeeded" in lines["off"]
        assert "succeeded" in lines["cut"]
        assert "timed_out" in lines["limited"]

        reports = {path.stem for path in (fleet.folder / "reports").glob("*.html")}
        assert reports >= {fleet.job(jobs[name])["run_id"] for name in ("off", "cut")}
        runs = json.loads(fleet.edgeprof("runs", "--json").output)
        ran = [run["job_id"] for run in runs if run["job_id"] != jobs["limited"]]
        assert sorted(ran) == sorted([jobs["cut"], jobs["off"]]), "each ran once"
        for device in (limited, cut, back):
            device.close_input()


def test_what_a_device_refuses_is_recorded_in_one_line(fleet: Fleet) -> None:
    with fleet.device("strict", "runs_per_day = 1") as strict:
        first = fleet.run("strict")["strict"]
        second = fleet.run("strict")["strict"]
        assert fleet.until_state(first, JobState.SUCCEEDED)["reason"] == ""
        reason = fleet.until_state(second, JobState.REJECTED)["reason"]
        assert reason == (
            "this device has begun 1 runs in the last 24 hours, and 1 is its most (policy.runs_per_day): "
            "send it tomorrow"
        )
        told = json.loads(fleet.edgeprof("jobs", second, "--json").output)["changes"]
        assert [change["state"] for change in told] == ["queued", "sent", "rejected"]
        strict.close_input()
    with fleet.device("strict", "min_free_disk_bytes = 1000000000000000") as strict:
        reason = fleet.until_state(fleet.run("strict")["strict"], JobState.REJECTED)["reason"]
        assert reason.endswith("must stay free (policy.min_free_disk_bytes)")
        strict.close_input()


def test_a_model_that_the_device_does_not_have_fails_its_job(fleet: Fleet) -> None:
    with fleet.device("bench") as bench:
        options = (*WITH_ENGINE, "--model", "/no/such/model.gguf", "--wait")
        ended = fleet.edgeprof("run", "bench", *options)
        assert ended.status == 1
        assert "/no/such/model.gguf" in ended.output
        (job,) = json.loads(fleet.edgeprof("jobs", "--json").output)["jobs"]
        assert (job["state"], job["run_id"]) == ("failed", "")
        assert "\n" not in job["reason"]
        bench.close_input()


def test_two_jobs_at_once_run_one_after_the_other_and_a_cancelled_one_frees_the_device(fleet: Fleet) -> None:
    with fleet.device("bench") as bench:
        first = fleet.run("bench", rest=600.0)["bench"]
        second = fleet.run("bench")["bench"]
        bench.until_said(f"job {first}: run ")
        assert fleet.job(second)["state"] == "queued"
        cancelled = fleet.edgeprof("cancel", first[:8])
        assert cancelled.output == f"job {first[:8]} on bench: running (its device is told)\n"
        fleet.until_state(first, JobState.CANCELLED)
        fleet.until_state(second, JobState.SUCCEEDED)
        bench.close_input()


WRONG = {
    "an unknown device": (("run", "nowhere"), "no device is called 'nowhere'; known: bench"),
    "an unknown label": (("run", "family=mars"), "no device has the label 'family=mars'; known: family=bench"),
    "a time that has passed": (
        ("run", "bench", "--at", "2020-01-01T00:00+00:00"),
        "2020-01-01 00:00 UTC has passed: give a time that is still to come, or leave it out to start now",
    ),
    "no time": (
        ("run", "bench", "--at", "later"),
        "'later' is no time: write it like 02:00, 2026-11-22T02:00 or with +01:00",
    ),
    "no duration": (("run", "bench", "--ttl", "soon"), "'soon' is no duration: write it like 90s, 15m, 24h or 7d"),
    "no schedule": (
        ("run", "bench", "--every", "daily"),
        "'daily' has not the five fields of a cron expression: '0 2 * * *' is 02:00 every day",
    ),
    "two ways at once": (
        ("run", "bench", "--every", "0 2 * * *", "--wait"),
        "--every and --wait exclude each other: leave one of them out",
    ),
    "reports of what is not waited for": (
        ("run", "bench", "--output", "reports"),
        "--output takes what --wait has waited for: add --wait, or see edgeprof watch --output",
    ),
    "no plan": (("run", "bench", "--plan", "none.toml"), "none.toml: cannot be read: No such file or directory"),
    "an unknown job": (("cancel", "0123"), "no job or schedule is called '0123'; edgeprof jobs lists them"),
    "nothing to watch": (("watch", "0123"), "no job is called '0123'; edgeprof jobs lists them"),
}


def test_wrong_input_gives_one_line_and_no_job(fleet: Fleet) -> None:
    with fleet.device("bench") as bench:
        bench.close_input()
    for what, (arguments, words) in WRONG.items():
        ended = fleet.edgeprof(*arguments)
        assert (ended.status, ended.errors) == (2, f"edgeprof: {words}\n"), what
    assert fleet.edgeprof("jobs").output == "no jobs yet: edgeprof run asks for one\n"


def test_a_schedule_is_made_listed_and_given_up(fleet: Fleet) -> None:
    with fleet.device("bench") as bench:
        bench.close_input()
    made = fleet.edgeprof("run", "all", "--every", "0 2 * * *", "--timezone", "Europe/Berlin", "--json")
    schedule_id = json.loads(made.output)["schedule_id"]
    assert schedule_id[:8] in fleet.edgeprof("jobs").output
    ended = fleet.edgeprof("cancel", schedule_id[:8])
    assert ended.output == f"schedule {schedule_id[:8]}: no more jobs; those that it has made stay\n"
    assert fleet.edgeprof("jobs").output == "no jobs yet: edgeprof run asks for one\n"


def test_without_a_collector_nothing_can_be_asked(home: Home) -> None:
    ended = home.run("run", "bench")
    assert (ended.status, ended.errors) == (
        2,
        "edgeprof: jobs need a running collector: name one with --collector URL\n",
    )
