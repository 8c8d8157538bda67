"""The body of a POST, which must say that it is JSON, and have an end."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from edgeprof.errors import EdgeprofError
from edgeprof.problems import find_problems

T = TypeVar("T")


async def json_body(request: Request, what: str, most_bytes: int) -> bytes:
    """Read the body of a request, ``what`` in words.

    Raises:
        HTTPException: it is no JSON by its header, or larger than ``most_bytes``.
    """
    # A web page that somebody happens to open may send text to this address, but JSON only if we allowed it.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{what} is sent as Content-Type: application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{what} has at most {most_bytes} bytes")
    return bytes(body)


async def parsed_json_body(request: Request, what: str, most_bytes: int, kind: type[T]) -> T:
    """Read the body of a request as a value of ``kind``.

    Raises:
        HTTPException: it is no JSON by its header, or larger than ``most_bytes``.
        EdgeprofError: a key is unknown, or a value missing or wrong.
    """
    body = await json_body(request, what, most_bytes)
    try:
        data = msgspec.json.decode(body)
        for problem in find_problems(data, kind):
            raise EdgeprofError(f"{what} is not as expected: {problem.text}")
        return msgspec.convert(data, kind)
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"{what} is not as expected: {error}") from error
