"""When certificates end, told to Prometheus."""

import asyncio
import logging
import time

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.transport import Transport

_log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 60.0


class ExpiryWatch:
    """Tells once a minute when the certificates of the collector, its authority and each enrolled device end.

    A device that is revoked, or whose certificate ended so long ago that it was forgotten, is told of no more.
    """

    def __init__(self, transport: Transport, authority: Authority, access: Access) -> None:
        self._transport = transport
        self._authority = authority
        self._access = access
        self._told: set[str] = set()

    async def tell(self, health: CollectorHealth) -> None:
        """Tell it until cancelled."""
        while True:
            try:
                await self.tell_once(health)
            except StoreError as error:
                _log.warning("when devices' certificates end cannot be told: %s", error)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def tell_once(self, health: CollectorHealth) -> None:
        """Tell it now.

        Raises:
            StoreError: the store cannot be read.
        """
        own = health.certificate_expiry_seconds
        own.labels("server").set(self._transport.expires_seconds)
        own.labels("authority").set(self._authority.certificate.not_valid_after_utc.timestamp())
        certificates = await asyncio.to_thread(self._access.certificates)
        now_wall_ns = time.time_ns()
        standing = {
            each.device_id: each.expires_wall_ns / 1e9
            for each in certificates
            if each.revoked_wall_ns is None or each.revoked_wall_ns > now_wall_ns
        }
        for device_id in self._told - set(standing):
            health.device_certificate_expiry_seconds.remove(device_id)
        for device_id, expires_seconds in standing.items():
            health.device_certificate_expiry_seconds.labels(device_id).set(expires_seconds)
        self._told = set(standing)
