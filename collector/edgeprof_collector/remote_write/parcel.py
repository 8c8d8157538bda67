"""Pieces of series packed into requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import cramjam

from edgeprof_collector.remote_write.time_series import Piece
from edgeprof_collector.remote_write.write_request_pb2 import WriteRequest


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request carries."""

    pieces: tuple[Piece, ...]

    @property
    def sample_count(self) -> int:
        """How many samples are in it."""
        return sum(piece.sample_count for piece in self.pieces)

    def body(self) -> bytes:
        """The request's body: Snappy's block format, without a frame around it."""
        request = WriteRequest(timeseries=[piece.series for piece in self.pieces])
        return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))

    def halves(self) -> tuple["Parcel", ...]:
        """Two parcels of the same content; none if all of it came from one frame or end of a run."""
        origins = [tuple(pieces) for _, pieces in groupby(self.pieces, key=lambda piece: piece.position)]
        middle = len(origins) // 2
        if not middle:
            return ()
        first, second = origins[:middle], origins[middle:]
        return tuple(Parcel(tuple(piece for pieces in half for piece in pieces)) for half in (first, second))


def pack(pieces: Iterable[Piece], most_samples: int) -> Iterator[Parcel]:
    """Pack pieces in their order, as many together as fit."""
    gathered: list[Piece] = []
    sample_count = 0
    for piece in pieces:
        if gathered and sample_count + piece.sample_count > most_samples:
            yield Parcel(tuple(gathered))
            gathered, sample_count = [], 0
        gathered.append(piece)
        sample_count += piece.sample_count
    if gathered:
        yield Parcel(tuple(gathered))
