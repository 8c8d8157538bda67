"""Tokens, enrolled devices and the audit log over HTTP, for admins.

GET    /api/v1/tokens                  every token, without its secret
POST   /api/v1/tokens                  make one; its text is in this answer and nowhere else
DELETE /api/v1/tokens/TOKEN            end one
GET    /api/v1/enrolments              every enrolled device and its certificate
DELETE /api/v1/enrolments/DEVICE       revoke a device; its stream ends within a second
GET    /api/v1/audit                   who did what, the latest first
"""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.requests import TokenRequest
from edgeprof_collector.enrolment.administration import Administration
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.web.answers import json_answer, json_from_thread
from edgeprof_collector.web.json_body import parsed_json_body
from edgeprof_collector.web.principal import principal_of

_MOST_BODY_BYTES = 4096
_MOST_ENTRIES = 10_000
_ENTRIES = 100


class AccessApi:
    """The routes of what only admins may do, on a store, for a collector whose authority has this fingerprint."""

    def __init__(self, store: Store, fingerprint: str) -> None:
        self._store = store
        self._fingerprint = fingerprint

    def routes(self) -> list[Route]:
        """Everything below ``/api/v1``."""
        return [
            Route("/tokens", self._tokens),
            Route("/tokens", self._create_token, methods=["POST"]),
            Route("/tokens/{token}", self._revoke_token, methods=["DELETE"]),
            Route("/enrolments", self._enrolments),
            Route("/enrolments/{device:path}", self._revoke_device, methods=["DELETE"]),
            Route("/audit", self._audit),
        ]

    def _as(self, request: Request) -> Administration:
        address = request.client.host if request.client else ""
        return Administration(self._store, self._fingerprint, principal_of(request).name, address)

    async def _tokens(self, request: Request) -> Response:
        return await json_from_thread(self._as(request).tokens)

    async def _create_token(self, request: Request) -> Response:
        wanted = await parsed_json_body(request, "a request for a token", _MOST_BODY_BYTES, TokenRequest)
        return json_answer(await asyncio.to_thread(self._as(request).create_token, wanted), HTTPStatus.CREATED)

    async def _revoke_token(self, request: Request) -> Response:
        return await json_from_thread(self._as(request).revoke_token, request.path_params["token"])

    async def _enrolments(self, request: Request) -> Response:
        return await json_from_thread(self._as(request).enrolled_devices)

    async def _revoke_device(self, request: Request) -> Response:
        return await json_from_thread(self._as(request).revoke_device, request.path_params["device"])

    async def _audit(self, request: Request) -> Response:
        text = request.query_params.get("most", str(_ENTRIES))
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= _MOST_ENTRIES):
            raise EdgeprofError(f"'most' is a number from 1 to {_MOST_ENTRIES}")
        return await json_from_thread(self._as(request).audit, int(text))
