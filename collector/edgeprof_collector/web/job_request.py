"""From the body of a POST to a request for jobs or for a schedule, checked whole."""

from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from edgeprof.errors import EdgeprofError
from edgeprof.plan_file import built_in_plan
from edgeprof.plan_rules import complete
from edgeprof.problems import find_problems
from edgeprof_collector.jobs.messages import JobRequest, ScheduleRequest
from edgeprof_collector.web.json_body import json_body

MAX_BODY_BYTES = 1 << 20

T = TypeVar("T")


async def read_job_request(request: Request) -> JobRequest:
    """Read a job request. Its ``plan`` may be the name of a built-in plan.

    Raises:
        HTTPException: the body is no JSON by its header, or too large.
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    return parse_job_request(await json_body(request, "a job request", MAX_BODY_BYTES))


async def read_schedule_request(request: Request) -> ScheduleRequest:
    """Read a schedule request. The ``plan`` of its job may be the name of a built-in plan.

    Raises:
        HTTPException: the body is no JSON by its header, or too large.
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    body = await json_body(request, "a schedule request", MAX_BODY_BYTES)
    schedule = _parse(body, ScheduleRequest, "schedule request")
    return replace(schedule, job=_completed(schedule.job))


def parse_job_request(body: bytes) -> JobRequest:
    """Check the JSON of a job request.

    Raises:
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    return _completed(_parse(body, JobRequest, "job request"))


def _parse(body: bytes, kind: type[T], what: str) -> T:
    try:
        data = _with_plan(msgspec.json.decode(body))
        for problem in find_problems(data, kind):
            raise EdgeprofError(f"the {what} is not as expected: {problem.text}")
        return msgspec.convert(data, kind)
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"the {what} is not as expected: {error}") from error


def _completed(request: JobRequest) -> JobRequest:
    return replace(request, plan=complete(request.plan))


def _with_plan(data: Any) -> Any:
    """Put the built-in plan in the place of its name."""
    if not isinstance(data, dict):
        return data
    if isinstance(data.get("plan"), str):
        return {**data, "plan": msgspec.to_builtins(built_in_plan(data["plan"]))}
    return {**data, "job": _with_plan(data["job"])} if "job" in data else data
