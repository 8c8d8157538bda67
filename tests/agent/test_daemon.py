"""The agent as a process, with the collector as another, real engine and all."""

import signal
import sys
from pathlib import Path

from edgeprof.job import JobState, JobStatus
from edgeprof.plan import Gates, Plan, Step, StepKind
from edgeprof.run import RunState
from edgeprof_collector.client import Client, HttpClient, JobRequest
from tests.agent.processes import Service, agent, collector

LONG_PLAN = Plan(
    name="long",
    steps=(Step(kind=StepKind.DECODE, name="decode", decode_tokens=64),),
    repetitions=10_000,
    gates=Gates(idle_cpu_ratio=None, wait_seconds=0),
)
MODEL = "synth:tiny@q8_0"


def submitted(client: Client, device: Service, *, python: str = "") -> str:
    """Ask the device for a run that would go on for long, and return the job's identity."""
    target = device.ready()["device_id"]
    (job,) = client.submit(JobRequest(targets=(target,), plan=LONG_PLAN, model=MODEL, python=python))
    return job.job_id


def followed(client: Client, job_id: str, state: JobState) -> JobStatus:
    """Follow a job until it is in this state."""
    for update in client.watch([job_id]):
        if update.status.state is state:
            return update.status
    raise AssertionError(f"the job ended without being {state}: {update.status}")


def test_a_stop_cancels_the_run_and_hands_over_everything(tmp_path: Path) -> None:
    with collector(tmp_path) as server, HttpClient(server.ready()["http"]) as client:
        with agent(tmp_path, server.ready()["grpc"]) as device:
            job_id = submitted(client, device)
            device.until_said(f"job {job_id}: run ")
            assert device.end(signal.SIGTERM) == 0
            assert "Traceback" not in device.said()
        status = client.job(job_id)
        assert status.state is JobState.CANCELLED
        record = client.run(status.run_id)
        assert record.finished
        assert record.finished.state is RunState.CANCELLED
        assert record.started.job_id == job_id
        assert record.gaps == ()
        assert client.telemetry(status.run_id).frames


def test_a_run_that_dies_with_its_agent_is_told_as_failed_when_the_agent_is_back(tmp_path: Path) -> None:
    with collector(tmp_path) as server, HttpClient(server.ready()["http"]) as client:
        with agent(tmp_path, server.ready()["grpc"]) as device:
            job_id = submitted(client, device)
            device.until_said(f"job {job_id}: run ")
            device.end(signal.SIGKILL)
        with agent(tmp_path, server.ready()["grpc"]) as device:
            status = followed(client, job_id, JobState.FAILED)
            assert device.close_input() == 0
        assert status.reason == "the agent ended during the run"
        assert status.run_id


def test_a_job_that_the_device_does_not_allow_is_rejected_and_a_cancelled_one_ends(tmp_path: Path) -> None:
    with (
        collector(tmp_path) as server,
        HttpClient(server.ready()["http"]) as client,
        agent(tmp_path, server.ready()["grpc"], "--allow-python", sys.executable) as device,
    ):
        status = followed(client, submitted(client, device, python="/usr/bin/other"), JobState.REJECTED)
        assert "does not allow the interpreter '/usr/bin/other'" in status.reason
        job_id = submitted(client, device, python=sys.executable)
        device.until_said(f"job {job_id}: run ")
        client.cancel(job_id)
        assert followed(client, job_id, JobState.CANCELLED).run_id
        assert device.close_input() == 0
