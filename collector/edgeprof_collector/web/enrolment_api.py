"""What devices ask for before they have a certificate, or when theirs has ended. Each call proves itself.

GET  /api/v1/authority      the certificates that this collector's own is checked by
POST /api/v1/enrolments     a first certificate, for a token
POST /api/v1/renewals       a further certificate, for the key of one that has ended
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgeprof.anchor import Anchor
from edgeprof_collector.access.throttle import Throttle
from edgeprof_collector.enrolment.desk import EnrolmentDesk, Issued
from edgeprof_collector.store.access import EnrolmentRefusedError
from edgeprof_collector.web.answers import json_answer, problem
from edgeprof_collector.web.json_body import parsed_json_body

_MOST_BODY_BYTES = 32768

Pem = Annotated[str, Meta(max_length=16384)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """A device that wants its first certificate."""

    token: Annotated[str, Meta(max_length=512)]
    device_id: Name
    request_pem: Pem


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRequest:
    """A device whose certificate has ended."""

    device_id: Name
    request_pem: Pem


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A certificate, and the port that it is for."""

    certificate_pem: str
    authority_pem: str
    server_name: str
    issued_wall_ns: int
    expires_wall_ns: int
    grpc_port: int


class EnrolmentApi:
    """The routes for devices.

    Args:
        desk: issues certificates.
        anchor: what everybody may see.
        grpc_port: where devices stream to, known once the collector listens.
    """

    def __init__(self, desk: EnrolmentDesk, anchor: Anchor, grpc_port: Callable[[], int]) -> None:
        self._desk = desk
        self._anchor = anchor
        self._grpc_port = grpc_port
        self._throttle = Throttle()

    def routes(self) -> list[Route]:
        """Everything below ``/api/v1``."""
        return [
            Route("/authority", self._authority),
            Route("/enrolments", self._enrol, methods=["POST"]),
            Route("/renewals", self._renew, methods=["POST"]),
        ]

    async def _authority(self, _request: Request) -> Response:
        return json_answer(self._anchor)

    async def _enrol(self, request: Request) -> Response:
        wanted = await parsed_json_body(request, "an enrolment", _MOST_BODY_BYTES, EnrolmentRequest)
        return await self._answer(
            request, self._desk.enrol, wanted.token, wanted.device_id, wanted.request_pem, _address(request)
        )

    async def _renew(self, request: Request) -> Response:
        wanted = await parsed_json_body(request, "a renewal", _MOST_BODY_BYTES, RenewalRequest)
        return await self._answer(
            request, self._desk.renew_late, wanted.device_id, wanted.request_pem, _address(request)
        )

    async def _answer(self, request: Request, issue: Callable[..., Issued], *arguments: str) -> Response:
        try:
            issued = await asyncio.to_thread(issue, *arguments)
        except EnrolmentRefusedError as error:
            if (wait_seconds := self._throttle.wrong(_address(request))) > 0:
                answer = problem("too many refused enrolments from this address", HTTPStatus.TOO_MANY_REQUESTS)
                answer.headers["Retry-After"] = str(round(wait_seconds) + 1)
                return answer
            return problem(str(error), HTTPStatus.FORBIDDEN)
        enrolled = Enrolled(
            certificate_pem=issued.certificate_pem,
            authority_pem=issued.authority_pem,
            server_name=issued.server_name,
            issued_wall_ns=issued.issued_wall_ns,
            expires_wall_ns=issued.expires_wall_ns,
            grpc_port=self._grpc_port(),
        )
        return json_answer(enrolled, HTTPStatus.CREATED)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
