"""The body of a POST, which must say that it is JSON, and have an end."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request


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
