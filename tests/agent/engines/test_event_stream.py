import pytest

from edgeprof_agent.engines.event_stream import EventReader

STREAM = ': hello\n\ndata: {"a": 1}\n\nevent: more\ndata:two\ndata: lines\nid: 7\n\n\n\ndata\n\ndata: end'
EVENTS = [b'{"a": 1}', b"two\nlines", b"", b"end"]


def read(pieces: list[bytes]) -> list[bytes]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_stream_may_be_cut_anywhere(line_end: str, size: int) -> None:
    stream = STREAM.replace("\n", line_end).encode()
    assert read([stream[start : start + size] for start in range(0, len(stream), size)]) == EVENTS


def test_events_are_there_as_soon_as_they_are_complete() -> None:
    reader = EventReader()
    assert reader.feed(b"data: one\n") == []
    assert reader.feed(b"\ndata: two\n\ndata:") == [b"one", b"two"]
    assert reader.feed(b"\xc3\xa9\r") == []
    assert reader.feed(b"\n\r\n") == [b"\xc3\xa9"]
    assert reader.close() == []
