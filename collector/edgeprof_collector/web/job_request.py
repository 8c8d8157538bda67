"""From the body of a POST to a job request, checked whole."""

from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request

from edgeprof.errors import EdgeprofError
from edgeprof.plan_file import built_in_plan
from edgeprof.plan_rules import complete
from edgeprof.problems import find_problems
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.web.json_body import json_body

MAX_BODY_BYTES = 1 << 20


async def read_job_request(request: Request) -> JobRequest:
    """Read a job request. Its ``plan`` may be the name of a built-in plan.

    Raises:
        HTTPException: the body is no JSON by its header, or too large.
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    return parse_job_request(await json_body(request, "a job request", MAX_BODY_BYTES))


def parse_job_request(body: bytes) -> JobRequest:
    """Check the JSON of a job request.

    Raises:
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    try:
        data = _with_plan(msgspec.json.decode(body))
        for problem in find_problems(data, JobRequest):
            raise EdgeprofError(f"the job request is not as expected: {problem.text}")
        request = msgspec.convert(data, JobRequest)
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"the job request is not as expected: {error}") from error
    return replace(request, plan=complete(request.plan))


def _with_plan(data: Any) -> Any:
    """Put the built-in plan in the place of its name."""
    if isinstance(data, dict) and isinstance(data.get("plan"), str):
        return {**data, "plan": msgspec.to_builtins(built_in_plan(data["plan"]))}
    return data
