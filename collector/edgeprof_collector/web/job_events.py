"""A job's updates as lines of JSON, with signs of life between them."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from edgeprof_collector.jobs.messages import JobUpdate

# An empty line is sent when there was no news for so long: it shows either end that the other is still there.
SIGN_OF_LIFE_SECONDS = 5.0


async def event_lines(
    updates: AsyncIterator[JobUpdate], sign_of_life_seconds: float = SIGN_OF_LIFE_SECONDS
) -> AsyncIterator[bytes]:
    """Yield a line for each update until the last, and empty lines in between."""
    coming = asyncio.ensure_future(anext(updates))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=sign_of_life_seconds)
            if not done:
                yield b"\n"
                continue
            try:
                update = coming.result()
            except StopAsyncIteration:
                return
            coming = asyncio.ensure_future(anext(updates))
            yield msgspec.json.encode(update) + b"\n"
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
