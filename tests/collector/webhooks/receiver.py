"""Somebody who is told of ends: a real HTTP server that answers as a test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

PATIENCE_SECONDS = 30.0


@dataclass
class Received:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """The body, read."""
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """Keeps what comes. ``statuses`` are answered in turn, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, request: Received) -> int:
        """Keep a request; return what to answer."""
        with self.changed:
            self.received.append(request)
            self.changed.notify_all()
            return self.statuses.pop(0) if self.statuses else 204

    def until(self, count: int) -> list[Received]:
        """Wait for so many requests, and return all."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, PATIENCE_SECONDS)
            return list(self.received)


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """Listen on a port until the end of the block."""
    one = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = one.take(Received({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    one.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
