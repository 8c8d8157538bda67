"""Who may call what: stands before everything that the HTTP server answers."""

import asyncio
import ipaddress
import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgeprof_collector.access.audit import Audit
from edgeprof_collector.access.desk import Principal, TokenDesk, TokenRefusedError
from edgeprof_collector.access.permissions import needed_role
from edgeprof_collector.access.throttle import Throttle
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.trust.config import MetricsAccess
from edgeprof_collector.web.answers import problem

_log = logging.getLogger(__name__)

# On a collector without TLS, which only this machine can reach.
_LOCAL = Principal(name="local", role=Role.ADMIN)


class LoopbackGate:
    """Lets everybody in who calls this machine by its own name.

    A web page that somebody happens to open here could have its own name lead to 127.0.0.1 (DNS rebinding), and would
    be let in as their own; but then the request names the page's host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "http":
            request = Request(scope)
            request.state.principal = _LOCAL
            if not _is_own_name(request.url.hostname or ""):
                text = "a collector without TLS answers only to localhost, 127.0.0.1 and [::1]"
                await problem(text, HTTPStatus.MISDIRECTED_REQUEST)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class TokenGate:
    """Asks for a token with a role that may do what is wanted, and notes what was changed.

    Args:
        app: what stands behind it.
        desk: knows the tokens.
        audit: where changes and refusals are noted.
        metrics: who may read ``/metrics``.
    """

    def __init__(self, app: ASGIApp, desk: TokenDesk, audit: Audit, metrics: MetricsAccess) -> None:
        self._app = app
        self._desk = desk
        self._audit = audit
        self._metrics = metrics
        self._throttle = Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        role = self._needed_role(request)
        if role is None:
            await self._app(scope, receive, send)
            return
        try:
            principal = await asyncio.to_thread(self._desk.check, _bearer(request))
        except TokenRefusedError as error:
            await (await self._refuse(request, str(error)))(scope, receive, send)
            return
        except StoreError as error:
            await problem(str(error), HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
            return
        if not principal.role.includes(role):
            text = f"the token '{principal.name}' is a {principal.role.value}'s; this takes the role {role.value}"
            await self._note(principal.name, "was refused", request, text)
            await problem(text, HTTPStatus.FORBIDDEN)(scope, receive, send)
            return
        request.state.principal = principal
        await self._serve(request, principal, receive, send)

    def _needed_role(self, request: Request) -> Role | None:
        if request.url.path != "/metrics" or self._metrics is MetricsAccess.TOKEN:
            return needed_role(request.method, request.url.path)
        has_certificate = "tls" in request.scope.get("extensions", {})
        return None if self._metrics is MetricsAccess.OPEN or has_certificate else Role.VIEWER

    async def _refuse(self, request: Request, text: str) -> Response:
        wait_seconds = self._throttle.wrong(_address(request))
        if wait_seconds > 0:
            text = f"too many wrong tokens from this address: wait {wait_seconds:.0f} s"
            answer = problem(text, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(round(wait_seconds) + 1)
            return answer
        await self._note("somebody", "was refused", request, text)
        answer = problem(text, HTTPStatus.UNAUTHORIZED)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="edgeprof"'
        return answer

    async def _serve(self, request: Request, principal: Principal, receive: Receive, send: Send) -> None:
        """Serve, and note what was done if it changed something."""
        status = 0

        async def listening(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(request.scope, receive, listening)
        if request.method not in ("GET", "HEAD") and status < HTTPStatus.BAD_REQUEST:
            await self._note(principal.name, "called", request, f"as {principal.role.value}")

    async def _note(self, actor: str, action: str, request: Request, detail: str) -> None:
        call = f"{request.method} {request.url.path}"[:200]
        try:
            await asyncio.to_thread(self._audit.note, actor, action, call, detail, _address(request))
        except StoreError as error:
            _log.error("%s; not in the audit log: %s %s %s", error, actor, action, call)


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TokenRefusedError(
            "this needs a token, as Authorization: Bearer TOKEN: make one with edgeprof token create --role ROLE"
        )
    return token


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_own_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")
