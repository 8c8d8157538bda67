"""A destination on loopback that answers as a test says, and keeps what it was sent."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cramjam

from edgeprof_collector.remote_write.write_request_pb2 import TimeSeries, WriteRequest

Samples = list[tuple[int, float]]


@dataclass(frozen=True)
class Received:
    """A request: its headers, its series, when it came by a monotonic clock, and what was answered."""

    headers: Mapping[str, str]
    series: tuple[TimeSeries, ...]
    body: bytes
    at_seconds: float
    status: int

    def values_of(self, metric: str) -> list[float]:
        """The values of a metric's series, one after another."""
        return [
            sample.value
            for series in self.series
            if ("__name__", metric) in [(label.name, label.value) for label in series.labels]
            for sample in series.samples
        ]


# The status, the headers and the text of an answer to a request of these series, the first, second... of all.
Answering = Callable[[int, tuple[TimeSeries, ...]], tuple[int, Mapping[str, str], str]]


def taking(_number: int, _series: tuple[TimeSeries, ...]) -> tuple[int, Mapping[str, str], str]:
    """Take everything."""
    return 204, {}, ""


@dataclass
class Receiver:
    """What runs, and what came."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def taken(self) -> list[Received]:
        """The requests that were answered with success."""
        with self.news:
            return [received for received in self.requests if received.status < 300]

    def wait_for(self, wanted: Callable[["Receiver"], bool]) -> None:
        """Wait until what has come is what is wanted."""
        with self.news:
            assert self.news.wait_for(lambda: wanted(self), 30), self.requests


@contextmanager
def receiver(answering: Answering = taking) -> Iterator[Receiver]:
    """Serve until the end of the block."""
    running = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = WriteRequest.FromString(bytes(cramjam.snappy.decompress_raw(body)))
            series = tuple(TimeSeries.FromString(one) for one in message.timeseries)
            with running.news:
                status, headers, text = answering(len(running.requests), series)
                received = Received(dict(self.headers), series, body, time.monotonic(), status)
                running.requests.append(received)
                running.news.notify_all()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running.url = f"http://127.0.0.1:{server.server_address[1]}/write"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
