"""Jobs over HTTP: asked for, followed, given up."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.web.answers import json_answer
from edgeprof_collector.web.job_events import event_lines
from edgeprof_collector.web.job_request import read_job_request

_LIMIT = 1000
_MOST = 100_000
_NDJSON = "application/x-ndjson"


def job_routes(jobs: JobQueue) -> list[Route]:
    """Return the routes of the queue."""
    handlers = _Jobs(jobs)
    return [
        Route("/jobs", handlers.list),
        Route("/jobs", handlers.submit, methods=["POST"]),
        Route("/jobs/events", handlers.watch),
        Route("/jobs/{job}", handlers.show),
        Route("/jobs/{job}/changes", handlers.changes),
        Route("/jobs/{job}/cancel", handlers.cancel, methods=["POST"]),
    ]


class _Jobs:
    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs

    async def list(self, request: Request) -> Response:
        return json_answer(await self._jobs.jobs(_limit(request)))

    async def submit(self, request: Request) -> Response:
        return json_answer(await self._jobs.submit(await read_job_request(request)), HTTPStatus.CREATED)

    async def show(self, request: Request) -> Response:
        return json_answer(await self._jobs.job(request.path_params["job"]))

    async def changes(self, request: Request) -> Response:
        return json_answer(await self._jobs.changes(request.path_params["job"]))

    async def watch(self, request: Request) -> Response:
        job_ids = list(dict.fromkeys(request.query_params.getlist("job")))
        if not job_ids:
            raise EdgeprofError("name the jobs to watch: /api/v1/jobs/events?job=ID&job=ID")
        for job_id in job_ids:
            await self._jobs.job(job_id)  # one that is not there is told before the answer begins
        return StreamingResponse(event_lines(self._jobs.watch(job_ids)), media_type=_NDJSON)

    async def cancel(self, request: Request) -> Response:
        return json_answer(await self._jobs.cancel(request.path_params["job"]))


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _MOST):
        raise EdgeprofError(f"'limit' is how many jobs to list, 1 to {_MOST}, not '{text}'")
    return int(text)
