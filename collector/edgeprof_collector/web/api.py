"""The HTTP API of the collector, for people's commands, scripts and Prometheus.

    GET  /metrics                       Prometheus' text format
    GET  /healthz                       whether the collector serves
    GET  /api/v1/openapi.json           a description of all calls, those of a collector with TLS too
    GET  /api/v1/devices                every device that ever connected
    GET  /api/v1/devices/DEVICE/live    its latest values, a line of JSON each second
    GET  /api/v1/runs                   every run, the latest first
    GET  /api/v1/runs/RUN               one run with all its events
    GET  /api/v1/runs/RUN/telemetry     its telemetry, as a message edgeprof.v1.RunTelemetry
    GET  /api/v1/runs/RUN/report        its report, as a page
    POST /api/v1/runs                   store runs that another benchmark has measured
    PUT  /api/v1/runs/RUN/baseline      hold later runs against it; DELETE: no longer
    POST /api/v1/jobs                   ask devices for a run: the jobs, one for each device
    GET  /api/v1/jobs                   the latest jobs, the latest first; ?limit=N, 1000 unless told
    GET  /api/v1/jobs/events?job=JOB... how these jobs go on until their ends, a line of JSON for each update
    GET  /api/v1/jobs/JOB               one job
    GET  /api/v1/jobs/JOB/changes       everything that became of it
    POST /api/v1/jobs/JOB/cancel        give it up
    POST /api/v1/schedules              ask for runs again and again
    GET  /api/v1/schedules              every schedule that was not given up
    POST /api/v1/schedules/ID/cancel    give it up

RUN is an id, the first characters of one, or ``latest``.
"""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

import edgeprof
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.client.local import LocalClient
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import CONTENT_TYPE, Page
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.report.html import render
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.web.answers import EXCEPTION_HANDLERS, json_answer, json_from_thread
from edgeprof_collector.web.jobs import job_routes
from edgeprof_collector.web.live import live_routes
from edgeprof_collector.web.openapi import describe_api
from edgeprof_collector.web.run_import import read_imported_runs
from edgeprof_collector.web.schedules import schedule_routes


def create_app(
    *,
    store: Store,
    jobs: JobQueue,
    schedules: Scheduler,
    latest: LatestValues,
    page: Page,
    on_run_finished: Callable[[str], None],
    further: Sequence[BaseRoute] = (),
) -> Starlette:
    """Make the application that serves what the store keeps, jobs and schedules, and the page of metrics.

    ``on_run_finished`` is told of runs that are imported. ``further`` routes are those of a collector with TLS.
    """
    return Starlette(
        routes=[
            Route("/metrics", _Metrics(page).show),
            Route("/healthz", _healthz),
            Mount(
                "/api/v1",
                routes=[
                    Route("/openapi.json", _openapi),
                    *_Stored(store, on_run_finished).routes(),
                    *job_routes(jobs),
                    *schedule_routes(schedules),
                    *live_routes(store, latest, jobs.attention),
                    *further,
                ],
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )


async def _healthz(_request: Request) -> Response:
    return json_answer({"status": "ok", "version": edgeprof.__version__})


async def _openapi(_request: Request) -> Response:
    return json_answer(describe_api())


class _Metrics:
    def __init__(self, page: Page) -> None:
        self._page = page

    async def show(self, request: Request) -> Response:
        headers = {"Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return StreamingResponse(self._page.text(), media_type=CONTENT_TYPE, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return StreamingResponse(self._page.gzip(), media_type=CONTENT_TYPE, headers=headers)


class _Stored:
    """Devices and runs, read in threads."""

    def __init__(self, store: Store, on_run_finished: Callable[[str], None]) -> None:
        self._client = LocalClient(store)
        self._on_run_finished = on_run_finished

    def routes(self) -> list[Route]:
        return [
            Route("/devices", self._devices),
            Route("/runs", self._runs),
            Route("/runs", self._import, methods=["POST"]),
            Route("/runs/{run}", self._run),
            Route("/runs/{run}/telemetry", self._telemetry),
            Route("/runs/{run}/report", self._report),
            Route("/runs/{run}/baseline", self._set_baseline, methods=["PUT", "DELETE"]),
        ]

    async def _devices(self, _request: Request) -> Response:
        return await json_from_thread(self._client.devices)

    async def _runs(self, _request: Request) -> Response:
        return await json_from_thread(self._client.runs)

    async def _import(self, request: Request) -> Response:
        records = await read_imported_runs(request)
        await asyncio.to_thread(self._client.import_runs, records)
        for record in records:
            self._on_run_finished(record.started.run_id)
        return json_answer([record.started.run_id for record in records], HTTPStatus.CREATED)

    async def _run(self, request: Request) -> Response:
        return await json_from_thread(self._client.run, request.path_params["run"])

    async def _telemetry(self, request: Request) -> Response:
        name = request.path_params["run"]
        content = await asyncio.to_thread(lambda: self._client.telemetry(name).SerializeToString())
        return Response(content, media_type="application/x-protobuf")

    async def _report(self, request: Request) -> Response:
        return HTMLResponse(await asyncio.to_thread(self._rendered, request.path_params["run"]))

    def _rendered(self, name: str) -> str:
        judged = judge_run(self._client, self._client.run(name))
        return render(judged.record, judged.series, judged.verdict)

    async def _set_baseline(self, request: Request) -> Response:
        name, is_baseline = request.path_params["run"], request.method == "PUT"
        return await json_from_thread(lambda: self._client.set_baseline(name, is_baseline=is_baseline))
