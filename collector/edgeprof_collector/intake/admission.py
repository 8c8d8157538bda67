"""Devices' certificates and their streams: who may begin one, who must end it, and who gets a further certificate."""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Protocol

import grpc

from edgeprof.errors import EdgeprofError
from edgeprof.v1.uplink_pb2 import CertificateIssued, CertificateRequest, CollectorMessage
from edgeprof_collector.enrolment.desk import EnrolmentDesk
from edgeprof_collector.enrolment.gatekeeper import REVOKED, Gatekeeper, Peer
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.errors import StoreError

_log = logging.getLogger(__name__)

# A revoked device is out within a second. The store is asked, since another process may have revoked it.
_INTERVAL_SECONDS = 0.5
# How far back it is asked: clocks may be put right meanwhile.
_LOOK_BACK_NS = 3600 * 10**9


class _Stream(Protocol):
    def end(self, code: grpc.StatusCode, reason: str) -> None: ...


class _Streams(Protocol):
    def with_certificates(self) -> Iterator[tuple[str, Peer, _Stream]]: ...


class Admission:
    """What the intake asks of the gatekeeper and the enrolment desk, off its event loop."""

    def __init__(self, gatekeeper: Gatekeeper, desk: EnrolmentDesk, access: Access) -> None:
        self._gatekeeper = gatekeeper
        self._desk = desk
        self._access = access

    async def admit(self, auth_context: Mapping[str, Iterable[bytes]], device_id: str) -> Peer:
        """Let a device in.

        Raises:
            UnwelcomeError: it is another than its certificate says, or was revoked.
            StoreError: the store cannot be read.
        """
        return await asyncio.to_thread(self._gatekeeper.admit, auth_context, device_id)

    async def renew(self, device_id: str, request: CertificateRequest) -> CollectorMessage:
        """Give a connected device a further certificate, or say why not."""
        try:
            issued = await asyncio.to_thread(self._desk.renew, device_id, request.request_pem)
        except EdgeprofError as error:
            _log.warning("%s gets no further certificate: %s", device_id, error)
            return CollectorMessage(certificate_issued=CertificateIssued(refusal=str(error)))
        return CollectorMessage(certificate_issued=CertificateIssued(**asdict(issued)))

    async def watch(self, streams: _Streams) -> None:
        """End the streams of revoked devices, and of those whose certificate has ended, until cancelled."""
        while True:
            try:
                await self._look(streams)
            except StoreError as error:
                _log.error("%s; devices that were revoked just now stay until it can be read", error)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def _look(self, streams: _Streams) -> None:
        now = time.time_ns()
        revoked = {each.serial for each in await asyncio.to_thread(self._access.revoked_since, now - _LOOK_BACK_NS)}
        for device_id, peer, stream in streams.with_certificates():
            if peer.serial in revoked:
                _log.warning("%s was revoked; its stream is ended", device_id)
                stream.end(grpc.StatusCode.PERMISSION_DENIED, f"refused: {REVOKED.format(name=device_id)}")
            elif peer.expires_wall_ns <= now:
                _log.warning("the certificate of %s has ended, and so does its stream", device_id)
                stream.end(grpc.StatusCode.UNAUTHENTICATED, "the certificate of this device has ended")
