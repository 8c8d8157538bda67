"""Schedules over HTTP: made, listed, given up."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.web.answers import json_answer
from edgeprof_collector.web.job_request import read_schedule_request


def schedule_routes(schedules: Scheduler) -> list[Route]:
    """Return the routes of the scheduler."""
    handlers = _Schedules(schedules)
    return [
        Route("/schedules", handlers.list),
        Route("/schedules", handlers.add, methods=["POST"]),
        Route("/schedules/{schedule}/cancel", handlers.cancel, methods=["POST"]),
    ]


class _Schedules:
    def __init__(self, schedules: Scheduler) -> None:
        self._schedules = schedules

    async def list(self, _request: Request) -> Response:
        return json_answer(await self._schedules.schedules())

    async def add(self, request: Request) -> Response:
        return json_answer(await self._schedules.add(await read_schedule_request(request)), HTTPStatus.CREATED)

    async def cancel(self, request: Request) -> Response:
        return json_answer(await self._schedules.cancel(request.path_params["schedule"]))
