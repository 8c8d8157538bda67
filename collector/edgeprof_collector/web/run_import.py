"""From the body of a POST to runs that another benchmark has measured."""

import msgspec
from starlette.requests import Request

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof_collector.web.json_body import json_body

MAX_BODY_BYTES = 64 << 20


async def read_imported_runs(request: Request) -> tuple[RunRecord, ...]:
    """Read a list of runs, each as the API shows one.

    Raises:
        HTTPException: the body is no JSON by its header, or too large.
        EdgeprofError: a value is missing or wrong.
    """
    body = await json_body(request, "a list of runs", MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=tuple[RunRecord, ...])
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"the list of runs is not as expected: {error}") from error
