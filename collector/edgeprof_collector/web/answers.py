"""Answers as JSON, errors too: ``{"error": "one clear line"}``."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.requests import ConflictError
from edgeprof_collector.store.errors import NotFoundError, StoreError

_JSON = "application/json"


def json_answer(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with a value of the contract's or the store's dataclasses."""
    return Response(msgspec.json.encode(content), status, media_type=_JSON)


async def json_from_thread(make: Callable[..., object], *arguments: object) -> Response:
    """Answer with what ``make`` returns. It and the encoding may take long: both are done in a thread."""
    content = await asyncio.to_thread(lambda: msgspec.json.encode(make(*arguments)))
    return Response(content, media_type=_JSON)


def problem(text: str, status: HTTPStatus | int) -> Response:
    """Answer that something is wrong."""
    return Response(msgspec.json.encode({"error": text}), int(status), media_type=_JSON)


async def _refuse(_request: Request, error: Exception) -> Response:
    if isinstance(error, NotFoundError):
        return problem(str(error), HTTPStatus.NOT_FOUND)
    if isinstance(error, StoreError):
        return problem(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
    if isinstance(error, ConflictError):
        return problem(str(error), HTTPStatus.CONFLICT)
    return problem(str(error), HTTPStatus.BAD_REQUEST)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    texts = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}",
    }
    return problem(texts.get(HTTPStatus(error.status_code), error.detail), error.status_code)


async def _fail(_request: Request, _error: Exception) -> Response:
    """A fault of the collector's own. The server logs it in full."""
    return problem("the collector failed; its log says why", HTTPStatus.INTERNAL_SERVER_ERROR)


EXCEPTION_HANDLERS: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    EdgeprofError: _refuse,
    HTTPException: _refuse_http,
    Exception: _fail,
}
