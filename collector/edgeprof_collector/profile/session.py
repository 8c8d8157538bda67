"""Profile this device: a fleet of one. The collector and the agent are the same two processes as in a fleet."""

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof.folders import state_folder
from edgeprof.job import JobStatus
from edgeprof.plan import Plan
from edgeprof.run import PhaseKind, Progress, RunRecord
from edgeprof_collector.client import HttpClient, JobRequest
from edgeprof_collector.client.stored_run import stored_run
from edgeprof_collector.profile.companion import Companion
from edgeprof_collector.profile.display import Display, clock_text
from edgeprof_collector.profile.programs import installed_program


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """How a profile ended: the job's last status, and the run if one began."""

    status: JobStatus
    record: RunRecord | None
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Session:
    """An embedded collector and a local agent that is connected to it."""

    client: HttpClient
    device_id: str
    collector: Companion
    agent: Companion


@contextlib.contextmanager
def open_session(engine: str = "", pythons: Sequence[str] = (), agent_config: Path | None = None) -> Iterator[Session]:
    """Start the collector and the agent, and stop both in the end: the agent first, so that it can hand over all.

    ``engine`` and ``pythons`` are those that the job will name; the agent runs no program that it was not told of.
    ``agent_config`` is the configuration that it reads, such as where servers are.

    Raises:
        EdgeprofError: one of them did not start.
    """
    logs = state_folder() / "profile"
    with contextlib.ExitStack() as stack:
        collector = stack.enter_context(
            Companion.start(
                "collector", [*installed_program("edgeprof"), "collector", "--grpc-port", "0", "--http-port", "0"], logs
            )
        )
        agent_options = ["--collector", collector.ready["grpc"], "--state-folder", str(state_folder() / "agent")]
        if agent_config:
            agent_options += ["--config", str(agent_config.expanduser().absolute())]
        for python in pythons:
            agent_options += ["--allow-python", python]
        if "/" in engine:
            agent_options += ["--allow-program", engine]
        agent = stack.enter_context(
            Companion.start("agent", [*installed_program("edgeprof-agent"), "run", *agent_options], logs)
        )
        client = stack.enter_context(HttpClient(collector.ready["http"]))
        yield Session(client, agent.ready["device_id"], collector, agent)


def run_profile(session: Session, display: Display, *, plan: Plan, model: str, engine: str, python: str) -> Profiled:
    """Send the plan as a job and follow it to its end. Ctrl-C cancels the job; what was measured is kept."""
    request = JobRequest(
        targets=(session.device_id,),
        plan=plan,
        model=model,
        engine=engine,
        python=python,
        idempotency_key=uuid.uuid4().hex,
    )
    (job,) = session.client.submit(request)
    job_id = job.job_id
    interrupted = False
    try:
        status = _follow(session, job_id, display)
    except KeyboardInterrupt:
        interrupted = True
        display.say("cancelling; what was measured so far is kept")
        session.client.cancel(job_id)
        status = _follow(session, job_id, display)
    return Profiled(status=status, record=stored_run(session.client, status.run_id), interrupted=interrupted)


def _follow(session: Session, job_id: str, display: Display) -> JobStatus:
    """Show the job's updates until its last, and return that."""
    shown: Progress | None = None
    for update in session.client.watch([job_id]):
        if update.progress is not None and update.progress != shown:
            if _begins(shown, update.progress):
                display.say(f"The run will take about {clock_text(update.progress.remaining_seconds)} min")
            display.show(update.progress)
            shown = update.progress
        if update.status.state.final:
            return update.status
        if not session.agent.running:
            raise EdgeprofError(f"the agent ended: {session.agent.last_words()}; its log is {session.agent.log}")
    raise EdgeprofError(f"the collector ended: {session.collector.last_words()}; its log is {session.collector.log}")


def _begins(before: Progress | None, now: Progress) -> bool:
    """Whether this is the first that is told of the run itself, after what preceded it."""
    return now.phase is not PhaseKind.PREPARE and (before is None or before.phase is PhaseKind.PREPARE)
