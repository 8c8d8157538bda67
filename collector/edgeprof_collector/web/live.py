"""A device's values over HTTP, as they come."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.jobs.attention import Attention
from edgeprof_collector.jobs.target import find_device
from edgeprof_collector.store.protocol import Store

_INTERVAL_SECONDS = 1.0


def live_routes(store: Store, latest: LatestValues, attention: Attention) -> list[Route]:
    """Return the route of live values."""

    async def live(request: Request) -> Response:
        device = find_device(await asyncio.to_thread(store.devices), request.path_params["device"])
        lines = _lines(latest, attention, device.facts.device_id)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return [Route("/devices/{device}/live", live)]


async def _lines(latest: LatestValues, attention: Attention, device_id: str) -> AsyncIterator[bytes]:
    """A line a second, until the caller goes or the collector stops."""
    with attention.watching(device_id):
        while not attention.is_closed:
            yield msgspec.json.encode(latest.now_of(device_id)) + b"\n"
            await attention.pause(_INTERVAL_SECONDS)
