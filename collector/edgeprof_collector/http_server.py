"""uvicorn within our own event loop: our signals, and no timer."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# How long answers in progress, a job's events above all, may hold up the end.
_GRACE_SECONDS = 2


class _CertificateProtocol(H11Protocol):
    """Tells the application of a client's certificate, which OpenSSL has verified, as ASGI's extension ``tls``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None and ssl_object.getpeercert():
            app = self.app

            async def with_certificate(scope: Scope, receive: Receive, send: Send) -> None:
                await app({**scope, "extensions": {**scope.get("extensions", {}), "tls": {}}}, receive, send)

            self.app = with_certificate


class HttpServer(uvicorn.Server):
    """Serves an application on a socket, until stopped; by ``tls`` if it is given."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_CertificateProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ssl_context_factory=(lambda _config, _default: tls) if tls else None,
            )
        )
        self._stop = asyncio.Event()

    async def run_on(self, listening: socket.socket) -> None:
        """Serve until :meth:`stop`."""
        await self.serve(sockets=[listening])

    def stop(self) -> None:
        """Take no more requests, and finish those in progress."""
        self._stop.set()

    async def main_loop(self) -> None:
        """Wait. uvicorn's own loop wakes ten times a second, mostly to keep a date header that is not sent."""
        await self._stop.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the service handles them."""
        yield
