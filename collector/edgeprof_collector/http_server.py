"""uvicorn within our own event loop: our signals, and no timer."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

# How long answers in progress, a job's events above all, may hold up the end.
_GRACE_SECONDS = 2


class HttpServer(uvicorn.Server):
    """Serves an application on a socket, until stopped."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
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
