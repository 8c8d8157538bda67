"""One streamed completion: what each event of it tells."""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from .answer import Usage
from .engine import EngineError
from .event_stream import EventReader
from .server_client import StreamBrokenError

_LONGEST_EVENT_BYTES = 1 << 20


class Arrival(NamedTuple):
    """Text that came: when, how many tokens it stands for, and their ids if the server tells."""

    time_ns: int
    text: str
    tokens: int
    token_ids: Sequence[int]


class CompletionReader:
    """Reads the stream of a completion, of a text or of a chat.

    Events without text are no tokens: the first of a chat, which names the role, and the last, which tells the
    usage; unless the server counts more tokens by then, whose text it never sent, such as half a character. The
    stream may end without ``[DONE]``, but not before an event has given the reason of the end.
    """

    def __init__(self) -> None:
        self._reader = EventReader()
        self._predicted = 0
        self._unread_bytes = 0
        self.usage = Usage()
        self.finish_reason: str | None = None
        self.last_ns = 0

    def feed(self, time_ns: int, piece: bytes) -> Iterator[Arrival]:
        """Yield what arrived with a piece of the stream.

        Raises:
            EngineError: the stream holds an error, or what is no event.
        """
        events = self._reader.feed(piece)
        self._unread_bytes = 0 if events else self._unread_bytes + len(piece)
        if self._unread_bytes > _LONGEST_EVENT_BYTES:
            raise EngineError(f"the server sent over {_LONGEST_EVENT_BYTES} bytes that are no event")
        yield from self._take(time_ns, events)

    def close(self, time_ns: int) -> Iterator[Arrival]:
        """The stream has ended: yield what its last bytes hold.

        Raises:
            StreamBrokenError: the answer is not complete.
        """
        yield from self._take(time_ns, self._reader.close())
        if self.finish_reason is None:
            raise StreamBrokenError("closed the connection before its answer was complete")

    def _take(self, time_ns: int, events: Sequence[bytes]) -> Iterator[Arrival]:
        for data in events:
            if data.strip() != b"[DONE]":
                arrival = self._read(time_ns, _decode(data))
                if arrival:
                    yield arrival

    def _read(self, time_ns: int, event: Mapping[str, Any]) -> Arrival | None:
        self._read_usage(event)
        predicted = _count(_timings(event).get("predicted_n"))
        choice = _first_choice(event)
        if choice is None:
            return None
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])
            self.last_ns = time_ns
        text = _text_of(choice)
        ids = choice.get("token_ids") or _mapping(event.get("__verbose")).get("tokens") or ()
        if not text and not ids and (predicted or 0) <= self._predicted:
            return None
        self.last_ns = time_ns
        count = len(ids) or 1
        if predicted is not None:
            count, self._predicted = max(predicted - self._predicted, 0), predicted
        return Arrival(time_ns, text, count, ids)

    def _read_usage(self, event: Mapping[str, Any]) -> None:
        usage = _mapping(event.get("usage"))
        told = Usage(
            prompt_tokens=_count(usage.get("prompt_tokens")),
            cached_tokens=_count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
            completion_tokens=_count(usage.get("completion_tokens")),
        )
        if told.cached_tokens is None:
            told = told._replace(cached_tokens=_count(_timings(event).get("cache_n")))
        self.usage = self.usage._replace(**{name: value for name, value in told._asdict().items() if value is not None})


def _decode(data: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise EngineError(f"the server sent what is no event: {data.decode(errors='replace')[:80]!a}")
    if event.get("error"):
        error = event["error"]
        said = error.get("message", error) if isinstance(error, dict) else error
        raise EngineError(f"the server ended its answer with an error: {' '.join(str(said).split())[:200]}")
    return event


def _first_choice(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = event.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


def _text_of(choice: Mapping[str, Any]) -> str:
    """The text of a completion's event, or the content of a chat's; a model that thinks aloud decodes that too."""
    if isinstance(choice.get("text"), str):
        return str(choice["text"])
    delta = _mapping(choice.get("delta"))
    return "".join(str(delta.get(key) or "") for key in ("reasoning_content", "reasoning", "content"))


def _timings(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What llama-server adds to an event."""
    return _mapping(event.get("timings"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
