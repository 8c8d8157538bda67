"""Samples in the protocol's form, serialised by hand: there are hundreds of thousands a second.

The channels of a block share their time axis, so that its timestamps are serialised once.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from edgeprof.telemetry import MalformedFrameError
from edgeprof_collector.remote_write.write_request_pb2 import Sample

_NS_PER_MS = 1_000_000

# https://protobuf.dev/programming-guides/encoding/: the tag of a sample in its series and its length, which is a byte
# since a timestamp takes ten at most; then the tag of its value, and the value as eight bytes.
_TAG_OF_SAMPLE = 0x12
_TAG_OF_VALUE = 0x09
_VALUE = struct.Struct("<d")


class Ticks(NamedTuple):
    """When samples were taken, in milliseconds on the wall, and what is written before and behind each one's value."""

    times_ms: Sequence[int]
    before_value: Sequence[bytes]
    behind_value: Sequence[bytes]


def ticks_of(times_ns: Sequence[int], offset_ns: int) -> Ticks:
    """The ticks of a time axis, from whose times the wall's are ``offset_ns`` away.

    Raises:
        MalformedFrameError: a time does not fit into the protocol's 64 bits.
    """
    times_ms = [(time_ns + offset_ns) // _NS_PER_MS for time_ns in times_ns]
    try:
        stamps = [Sample(timestamp=time_ms).SerializeToString() for time_ms in times_ms]
    except ValueError as error:
        raise MalformedFrameError("a time is beyond 64 bits") from error
    lengths = (1 + _VALUE.size + len(stamp) for stamp in stamps)
    return Ticks(times_ms, [bytes((_TAG_OF_SAMPLE, length, _TAG_OF_VALUE)) for length in lengths], stamps)


def serialised(values: Sequence[float | None], ticks: Ticks) -> list[bytes]:
    """The samples that are there. Of two in one millisecond the protocol takes only one."""
    samples = []
    last_ms = 0
    for value, time_ms, before, behind in zip(values, *ticks, strict=True):
        if value is not None and time_ms > last_ms:
            last_ms = time_ms
            samples.append(before + _VALUE.pack(value) + behind)
    return samples
