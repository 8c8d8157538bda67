"""The HTTP API as a script sees it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from edgeprof.job import JobState
from edgeprof.plan_file import built_in_plan_names
from edgeprof.run import RunRecord
from edgeprof.v1.telemetry_pb2 import RunTelemetry
from edgeprof_collector.store.records import DeviceRecord, JobRecord, RunSummary
from edgeprof_collector.web.job_request import MAX_BODY_BYTES
from tests.collector.exposition.devices import BUSY, frame
from tests.collector.exposition.devices import layout as describe
from tests.collector.store.samples import DEVICE, PLAN
from tests.collector.web.live_collector import LiveCollector, live_collector, store_run


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path) as running:
        yield running


@pytest.fixture
def http(collector: LiveCollector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, trust_env=False, timeout=30) as client:
        yield client


def _error(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/json"
    (text,) = response.json().values()
    assert "\n" not in text
    return response.status_code, text


def test_health_tells_the_version(http: httpx.Client) -> None:
    assert http.get("/healthz").json()["status"] == "ok"


def test_devices_and_runs_are_listed(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    devices = msgspec.json.decode(http.get("/api/v1/devices").content, type=tuple[DeviceRecord, ...])
    runs = msgspec.json.decode(http.get("/api/v1/runs").content, type=tuple[RunSummary, ...])

    assert devices == collector.store.devices()
    assert runs == collector.store.runs()
    assert [run.run_id for run in runs] == ["run-1"]


def test_a_run_is_told_whole(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    record = msgspec.json.decode(http.get("/api/v1/runs/run-1").content, type=RunRecord)
    telemetry = http.get("/api/v1/runs/run-1/telemetry")

    assert record == collector.store.run("run-1")
    assert telemetry.headers["content-type"] == "application/x-protobuf"
    assert RunTelemetry.FromString(telemetry.content) == collector.store.telemetry("run-1")


def test_a_run_may_be_called_latest(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    assert http.get("/api/v1/runs/latest").json()["started"]["run_id"] == "run-1"


def test_a_run_has_a_report(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    response = http.get("/api/v1/runs/run-1/report")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "smollm2-135m" in response.text


@pytest.mark.parametrize("path", ["runs/none", "runs/none/telemetry", "runs/none/report"])
def test_a_run_that_is_not_there(collector: LiveCollector, http: httpx.Client, path: str) -> None:
    store_run(collector.store, "run-1")

    assert _error(http.get(f"/api/v1/{path}")) == (404, "no run is called 'none'; edgeprof runs lists them")


def test_what_is_not_there_and_what_cannot_be_done(http: httpx.Client) -> None:
    assert _error(http.get("/api/v1/wishes")) == (404, "there is nothing at /api/v1/wishes")
    assert _error(http.delete("/api/v1/runs")) == (405, "/api/v1/runs does not take DELETE")


def test_a_store_that_fails_is_said_to(collector: LiveCollector, http: httpx.Client, tmp_path: Path) -> None:
    for file in tmp_path.glob("edgeprof.sqlite*"):
        file.write_bytes(b"no database" * 1000)

    status, text = _error(http.get("/api/v1/runs"))

    assert status == 503
    assert "edgeprof.sqlite" in text


def _job(**fields: object) -> dict[str, object]:
    return {"targets": [DEVICE], "plan": msgspec.to_builtins(PLAN), **fields}


def test_a_job_goes_to_its_device(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    collector.connect_device()

    response = http.post("/api/v1/jobs", json=_job(model="synth:smollm2-135m@q4_0"))
    (job,) = msgspec.json.decode(response.content, type=tuple[JobRecord, ...])

    assert response.status_code == 201
    assert (job.device_id, job.state, job.plan) == (DEVICE, JobState.SENT, PLAN)
    assert [message.job.job_id for message in collector.sent] == [job.job_id]
    assert collector.sent[0].job.model == "synth:smollm2-135m@q4_0"
    assert [one["job_id"] for one in http.get("/api/v1/jobs").json()] == [job.job_id]
    assert http.get(f"/api/v1/jobs/{job.job_id}").json()["state"] == "sent"


def test_a_plan_may_be_named_or_leave_out_names(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    short = {"name": "mine", "steps": [{"kind": "decode", "decode_tokens": 4}]}

    named = http.post("/api/v1/jobs", json=_job(plan="quick")).json()[0]["plan"]
    written = http.post("/api/v1/jobs", json=_job(plan=short)).json()[0]["plan"]

    assert (named["name"], len(named["steps"])) == ("quick", 4)
    assert written["steps"][0]["name"] == "decode 4"


def test_the_same_key_gives_the_same_job(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    first, second = (http.post("/api/v1/jobs", json=_job(idempotency_key="k")).json() for _ in range(2))

    assert first[0]["job_id"] == second[0]["job_id"]


def test_a_key_of_another_request_is_refused(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    http.post("/api/v1/jobs", json=_job(idempotency_key="k"))

    answer = http.post("/api/v1/jobs", json=_job(idempotency_key="k", model="another"))

    assert _error(answer) == (409, "the idempotency key 'k' was used for another request: take another key")


def test_what_became_of_a_job_is_told(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    collector.connect_device()
    job_id = http.post("/api/v1/jobs", json=_job()).json()[0]["job_id"]
    collector.report(job_id, JobState.RUNNING, run_id="run-1")
    collector.report(job_id, JobState.SUCCEEDED, run_id="run-1")

    changes = http.get(f"/api/v1/jobs/{job_id}/changes").json()

    assert [change["state"] for change in changes] == ["queued", "sent", "running", "succeeded"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1e3", "100001"])
def test_a_wrong_limit_is_refused(http: httpx.Client, limit: str) -> None:
    assert _error(http.get(f"/api/v1/jobs?limit={limit}")) == (
        400,
        f"'limit' is how many jobs to list, 1 to 100000, not '{limit}'",
    )


def test_a_schedule_is_made_listed_and_given_up(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")

    made = http.post("/api/v1/schedules", json={"every": "0 2 * * *", "job": _job(plan="quick")}).json()
    assert [one["schedule_id"] for one in http.get("/api/v1/schedules").json()] == [made["schedule_id"]]
    assert made["plan"]["name"] == "quick"
    http.post(f"/api/v1/schedules/{made['schedule_id']}/cancel")
    assert http.get("/api/v1/schedules").json() == []
    assert _error(http.post("/api/v1/schedules/none/cancel")) == (404, "no schedule is called 'none'")


_WRONG_SCHEDULES: dict[str, tuple[dict[str, object], str]] = {
    "a key that nobody reads": (
        {"job": {"plam": "quick"}},
        "the schedule request is not as expected: unknown key 'job.plam'; did you mean 'plan'?",
    ),
    "no cron expression": (
        {"every": "0 25 * * *"},
        "'0 25 * * *' is no cron expression: bad hour; '0 2 * * *' is 02:00 daily",
    ),
    "seconds": (
        {"every": "0 0 2 * * *"},
        "'0 0 2 * * *' has not the five fields of a cron expression: '0 2 * * *' is 02:00 every day",
    ),
    "a day that never comes": ({"every": "0 2 */20 * 1L"}, "'0 2 */20 * 1L' never comes: no year has that day"),
    "no time zone": (
        {"timezone": "Mars/Olympus"},
        "'Mars/Olympus' is no time zone that this machine knows: use one like Europe/Berlin",
    ),
    "a time of its own": (
        {"job": _job(at="2099-01-01T00:00:00Z")},
        "a schedule has its times in 'every': leave 'at' out of its job",
    ),
}


@pytest.mark.parametrize(("fields", "text"), _WRONG_SCHEDULES.values(), ids=_WRONG_SCHEDULES.keys())
def test_a_wrong_schedule_is_refused_with_one_line(
    collector: LiveCollector, http: httpx.Client, fields: dict[str, object], text: str
) -> None:
    store_run(collector.store, "run-1")

    answer = http.post("/api/v1/schedules", json={"every": "0 2 * * *", "job": _job(), **fields})

    assert _error(answer) == (400, text)
    assert collector.store.triggers.schedules() == ()


_WRONG_JOBS = {
    "no JSON": (b"{", 400, "the job request is not as expected: Input data was truncated"),
    "no object": (b"[]", 400, "the job request is not as expected: expected `object`, got `array`"),
    "no device": (
        json.dumps({"plan": "quick"}).encode(),
        400,
        "the job request is not as expected: key 'targets' is missing",
    ),
    "a key that nobody reads": (
        json.dumps(_job(modle="x")).encode(),
        400,
        "the job request is not as expected: unknown key 'modle'; did you mean 'model'?",
    ),
    "a key of the plan that nobody reads": (
        json.dumps(_job(plan={"name": "p", "steps": [{"kind": "decode", "decode_token": 4}]})).encode(),
        400,
        "the job request is not as expected: unknown key 'plan.steps[0].decode_token'; did you mean 'decode_tokens'?",
    ),
    "a wrong value": (
        json.dumps(_job(queue_seconds=0)).encode(),
        400,
        "the job request is not as expected: 'queue_seconds': expected `float` > 0.0",
    ),
    "a step that cannot be run": (
        json.dumps(_job(plan={"name": "p", "steps": [{"kind": "decode"}]})).encode(),
        400,
        "plan p: 'steps[0].decode_tokens': a decode step needs it, 1 or more",
    ),
    "a plan that is not built in": (
        json.dumps(_job(plan="quikc")).encode(),
        400,
        f"no plan is called 'quikc': use one of {', '.join(built_in_plan_names())}, or the path of a TOML file",
    ),
    "no target": (
        json.dumps(_job(targets=[])).encode(),
        400,
        "the job request is not as expected: 'targets': expected `array` of length >= 1",
    ),
    "a time that has passed": (
        json.dumps(_job(at="2020-01-01T00:00:00Z")).encode(),
        400,
        "2020-01-01 00:00 UTC has passed: give a time that is still to come, or leave it out to start now",
    ),
    "a time of no zone": (
        json.dumps(_job(at="2099-01-01T00:00:00")).encode(),
        400,
        "the job request is not as expected: 'at': expected `datetime` with a timezone component",
    ),
    "an unknown label": (
        json.dumps(_job(targets=["site=moon"])).encode(),
        404,
        "no device has the label 'site=moon'; known: site=lab",
    ),
    "an unknown device": (
        json.dumps(_job(targets=["orin"])).encode(),
        404,
        f"no device is called 'orin'; known: {DEVICE}",
    ),
    "a body too large": (
        b" " * (MAX_BODY_BYTES + 1),
        413,
        f"a job request has at most {MAX_BODY_BYTES} bytes",
    ),
}


@pytest.mark.parametrize(("body", "status", "text"), _WRONG_JOBS.values(), ids=_WRONG_JOBS.keys())
def test_a_wrong_job_is_refused_with_one_line(
    collector: LiveCollector, http: httpx.Client, body: bytes, status: int, text: str
) -> None:
    store_run(collector.store, "run-1")

    response = http.post("/api/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    assert _error(response) == (status, text)
    assert collector.store.triggers.jobs(9) == ()


def test_a_job_that_a_web_page_could_send_is_refused(http: httpx.Client) -> None:
    response = http.post("/api/v1/jobs", content=json.dumps(_job()), headers={"Content-Type": "text/plain"})

    assert _error(response) == (415, "a job request is sent as Content-Type: application/json")


def test_a_job_is_followed_to_its_end(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    collector.connect_device()
    job_id = http.post("/api/v1/jobs", json=_job()).json()[0]["job_id"]

    states = []
    with http.stream("GET", f"/api/v1/jobs/events?job={job_id}") as response:
        for line in response.iter_lines():
            states.append(json.loads(line)["status"]["state"])
            following = {"sent": JobState.RUNNING, "running": JobState.SUCCEEDED}.get(states[-1])
            if following:
                collector.report(job_id, following, run_id="run-1")

    assert states == ["sent", "running", "succeeded"]


def test_a_waiting_job_is_cancelled_at_once(collector: LiveCollector, http: httpx.Client) -> None:
    store_run(collector.store, "run-1")
    job_id = http.post("/api/v1/jobs", json=_job()).json()[0]["job_id"]

    assert http.post(f"/api/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    events = http.get(f"/api/v1/jobs/events?job={job_id}").text.splitlines()
    assert [json.loads(line)["status"]["state"] for line in events] == ["cancelled"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "none"), ("GET", "events?job=none"), ("GET", "none/changes"), ("POST", "none/cancel")]
)
def test_a_job_that_is_not_there(http: httpx.Client, method: str, path: str) -> None:
    status, text = _error(http.request(method, f"/api/v1/jobs/{path}"))

    assert status == 404
    assert "'none'" in text


@pytest.mark.parametrize("encoding", ["identity", "gzip, deflate"])
def test_metrics_are_shown_as_the_scraper_wants_them(
    collector: LiveCollector, http: httpx.Client, encoding: str
) -> None:
    async def send_frame() -> None:
        collector.latest.on_connected(DEVICE)
        collector.latest.on_frame(DEVICE, {1: describe(1, [BUSY])}, frame({1: [500]}))

    collector.call(send_frame())
    with http.stream("GET", "/metrics", headers={"Accept-Encoding": encoding}) as response:
        raw = b"".join(response.iter_raw())

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers.get("content-encoding") == ("gzip" if "gzip" in encoding else None)
    text = gzip.decompress(raw) if "gzip" in encoding else raw
    assert f'edgeprof_cpu_busy_ratio{{device="{DEVICE}"}} 0.5\n'.encode() in text
