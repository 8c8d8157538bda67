"""Server-sent events: from the bytes of a stream to the data of each event.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. Servers end
lines with any of its three line ends, and send comments (lines that begin with a colon) to keep a connection open.
"""

from __future__ import annotations


class EventReader:
    """Puts events together from pieces of the stream, wherever it was cut."""

    def __init__(self) -> None:
        self._pending = b""
        self._data: list[bytes] = []
        self._ends_with_return = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece and return the data of each event that is complete now."""
        if self._ends_with_return and piece.startswith(b"\n"):
            piece = piece[1:]  # the second half of a line end that was cut in two
        self._ends_with_return = piece.endswith(b"\r")
        text = self._pending + piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._pending = text.split(b"\n")
        events = []
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                events.append(self._end_event())
        return events

    def close(self) -> list[bytes]:
        """The stream has ended: return the event that no empty line has followed, if there is one."""
        if self._pending:
            self._take(self._pending)
            self._pending = b""
        return [self._end_event()] if self._data else []

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value[1:] if value.startswith(b" ") else value)

    def _end_event(self) -> bytes:
        data, self._data = b"\n".join(self._data), []
        return data
