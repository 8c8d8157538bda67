"""The HTTP of one server: small questions, and streams whose every piece has the time at which it came."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import closing, suppress
from time import monotonic_ns
from typing import Any, Callable, Iterator, Mapping

import httpx

from .engine import EngineError

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_WATCH_SECONDS = 0.1
_SHOWN_CHARACTERS = 200
_ADVICE = {
    401: "; give 'api_key' under [servers.NAME] in the agent's configuration",
    429: "; it serves others too: stop them, or wait",
}


class StreamBrokenError(Exception):
    """The connection was refused, closed or reset. Its text completes "the server ..."."""


class ServerClient:
    """A server at an address. Every request has a connection of its own: servers end idle ones when they like.

    Proxies in the environment are not used: the server is on this device.
    """

    def __init__(self, address: str, api_key: str = "") -> None:
        self.address = address
        self._socket: Any = None
        self._client = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def answers(self, path: str) -> bool:
        """Whether GET ``path`` is answered with 200 now."""
        try:
            return self._client.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def ask(
        self, path: str, question: Mapping[str, object] | None = None, patience_seconds: float = _ANSWER_SECONDS
    ) -> Any:
        """GET ``path``, or POST a question to it, and return the answer.

        Raises:
            StreamBrokenError: there was none.
            EngineError: the server refused, or did not answer in JSON.
        """
        try:
            response = self._client.request(
                "GET" if question is None else "POST",
                path,
                json=question,
                timeout=httpx.Timeout(patience_seconds, connect=_CONNECT_SECONDS),
            )
        except httpx.TransportError as error:
            raise StreamBrokenError(_why_broken(error)) from error
        _refuse_status(self.address, response)
        try:
            return response.json()
        except ValueError as error:
            raise EngineError(f"{self.address}{path} answered what is no JSON: {_shown(response.text)}") from error

    def stream(self, path: str, body: bytes, *, watch: Watch, begun: Callable[[], None]) -> Iterator[tuple[int, bytes]]:
        """POST a body and yield each piece of the answer with the time it was there, in nanoseconds.

        ``begun`` is called when everything is prepared, right before the request is sent.

        Raises:
            StreamBrokenError: the connection was refused or closed in the middle, or by the watch.
            EngineError: the server refused.
        """
        request = self._client.build_request(
            "POST",
            path,
            content=body,
            headers={
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
                "Accept-Encoding": "identity",  # each piece as the server wrote it
            },
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            extensions={"trace": self._note_connection},
        )
        with watch.over(self._cut):
            begun()
            try:
                with closing(self._client.send(request, stream=True)) as response:
                    if response.status_code != httpx.codes.OK:
                        response.read()
                        _refuse_status(self.address, response)
                    for piece in response.iter_raw():
                        now_ns = monotonic_ns()
                        watch.heard()
                        yield now_ns, piece
            except httpx.TransportError as error:
                raise StreamBrokenError(_why_broken(error)) from error

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket of the latest connection: another thread may have to cut it."""
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        """End the request that is under way; the thread that waits for it is told that the connection was closed."""
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)


class Watch:
    """Looks after a stream from a thread of its own: it must not fall silent, and can be given up.

    Args:
        first_seconds: how long the first piece may take.
        next_seconds: how long each later one may.
        given_up: whether nobody wants the answer any more.
    """

    def __init__(self, *, first_seconds: float, next_seconds: float, given_up: Callable[[], bool]) -> None:
        self._patience_seconds = first_seconds
        self._next_seconds = next_seconds
        self._given_up = given_up
        self._heard_seconds = 0.0
        self.fell_silent_seconds: float | None = None

    def heard(self) -> None:
        """Something came."""
        self._heard_seconds = time.monotonic()
        self._patience_seconds = self._next_seconds

    def over(self, cut: Callable[[], None]) -> _Watching:
        """Watch as long as the returned context lasts, and call ``cut`` to end the stream."""
        self._heard_seconds = time.monotonic()
        return _Watching(self, cut)

    def must_end(self) -> bool:
        """Whether the stream is to be cut."""
        silent_seconds = time.monotonic() - self._heard_seconds
        if silent_seconds > self._patience_seconds:
            self.fell_silent_seconds = self._patience_seconds
        return self.fell_silent_seconds is not None or self._given_up()


class _Watching:
    def __init__(self, watch: Watch, cut: Callable[[], None]) -> None:
        self._watch = watch
        self._cut = cut
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stream-watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_WATCH_SECONDS):
            if self._watch.must_end():
                self._cut()
                return


def _why_broken(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"refused the connection ({' '.join(str(error).split())})"
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    return f"closed the connection ({' '.join(str(error).split())})"


def _refuse_status(address: str, response: httpx.Response) -> None:
    if response.status_code == httpx.codes.OK:
        return
    said = _message(response.text)
    advice = _ADVICE.get(response.status_code, "")
    raise EngineError(
        f"{address} answered {response.status_code} {response.reason_phrase}{f': {said}' if said else ''}{advice}"
    )


def _message(text: str) -> str:
    """What an answer that is an error says: OpenAI's form, its variations, or the text itself."""
    try:
        answer = json.loads(text)
    except ValueError:
        return _shown(text)
    for key in ("error", "message", "detail"):
        if isinstance(answer, dict) and key in answer:
            answer = answer[key]
    return _shown(answer if isinstance(answer, str) else json.dumps(answer))


def _shown(text: str) -> str:
    return " ".join(text.split())[:_SHOWN_CHARACTERS]
