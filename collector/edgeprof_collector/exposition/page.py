"""The page that Prometheus scrapes, written in slices so that the event loop is never held for long.

A custom collector of the Prometheus library takes seconds for a fleet. Here a line is a cached text and a number,
families are written one after another, and compression happens in a thread, where zlib lets go of the interpreter.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Protocol

from edgeprof_collector.exposition.family import Family
from edgeprof_collector.exposition.health import CollectorHealth

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# About 5 ms of work and half a megabyte of text.
_LINES_PER_SLICE = 8000
_GZIP_FORMAT_BITS = 31


class FamilySource(Protocol):
    """Whatever keeps families up to date."""

    def families(self) -> Iterator[Family]:
        """All families that there may be values of."""
        ...


class Page:
    """Everything that is exposed, as text."""

    def __init__(self, sources: Sequence[FamilySource], health: CollectorHealth) -> None:
        self._sources = sources
        self._health = health

    async def text(self) -> AsyncIterator[bytes]:
        """Yield the page in slices; other work goes on between them."""
        for text in self._slices():
            yield text.encode()
            await asyncio.sleep(0)

    async def gzip(self) -> AsyncIterator[bytes]:
        """Yield the page compressed, in slices."""
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP_FORMAT_BITS)
        for text in self._slices():
            yield await asyncio.to_thread(compressor.compress, text.encode())
        yield compressor.flush()

    def _slices(self) -> Iterator[str]:
        """The page in texts of about the same length. A series that goes while the page is written is left out."""
        parts: list[str] = []
        room = _LINES_PER_SLICE
        for family in self._families():
            parts.append(family.header())
            values = family.values
            series = iter(list(values))
            while some := list(islice(series, room)):
                parts += [f"{one}{values[one]!r}\n" for one in some if one in values]
                room -= len(some)
                if room == 0:
                    yield "".join(parts)
                    parts, room = [], _LINES_PER_SLICE
        parts.append(self._health.text())
        yield "".join(parts)

    def _families(self) -> Iterator[Family]:
        return (family for source in self._sources for family in source.families() if family.values)
