"""The device's certificate while the agent runs: shown to the collector, and renewed in time."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio

from edgeprof.errors import EdgeprofError
from edgeprof.v1.uplink_pb2 import CertificateIssued
from edgeprof_agent.enrolment.messages import Answer
from edgeprof_agent.enrolment.process import new_request, renew_late, take_into_use
from edgeprof_agent.uplink.channel import open_plain_channel, open_tls_channel
from edgeprof_agent.uplink.enrolment import Enrolment, read_enrolment
from edgeprof_agent.uplink.session import SessionEndedError

_log = logging.getLogger(__name__)

# The address that the configuration has when nobody said another.
DEFAULT_COLLECTOR = "127.0.0.1:7743"

_LOOK_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


class Membership:
    """Opens channels to the collector, with the device's certificate if it is enrolled.

    Args:
        state_folder: where the enrolment is.
        configured: the collector's address by the configuration.
        device_id: the device's identity now.

    Raises:
        EdgeprofError: the device must be enrolled and is not, or is as another.
    """

    def __init__(self, state_folder: Path, configured: str, device_id: str) -> None:
        self._state_folder = state_folder
        self._answers: asyncio.Queue[CertificateIssued] = asyncio.Queue(1)
        enrolment = read_enrolment(state_folder)
        if enrolment and enrolment.device_id != device_id:
            raise EdgeprofError(
                f"this device is enrolled as '{enrolment.device_id}' but is '{device_id}' now: edgeprof-agent reset, "
                "then enrol it anew"
            )
        is_told = configured != DEFAULT_COLLECTOR
        self.address = enrolment.collector if enrolment and not is_told else configured
        if not enrolment and not _is_loopback(self.address):
            raise EdgeprofError(
                f"this device is not enrolled with {self.address}, and nothing is sent without TLS: edgeprof-agent "
                "enroll --collector HOST --token TOKEN, with what edgeprof token create prints there"
            )

    async def prepare(self) -> None:
        """Before each attempt to connect: have a certificate that has ended renewed.

        Raises:
            SessionEndedError: that was not possible; the text says why.
        """
        enrolment = self._enrolment()
        if enrolment and enrolment.expires_wall_ns <= time.time_ns():
            try:
                await renew_late(self._state_folder)
            except EdgeprofError as error:
                raise SessionEndedError(f"the certificate of this device has ended, and: {error}") from error
            _log.info("the certificate of this device had ended and was renewed")

    def open_channel(self, address: str) -> grpc.aio.Channel:
        """Open a channel, with TLS if the device is enrolled.

        Raises:
            SessionEndedError: the device is no longer enrolled, or its enrolment cannot be read.
        """
        enrolment = self._enrolment()
        if enrolment:
            return open_tls_channel(address, enrolment)
        if not _is_loopback(address):
            raise SessionEndedError("this device is no longer enrolled: edgeprof-agent enroll")
        return open_plain_channel(address)

    def on_certificate(self, issued: CertificateIssued) -> None:
        """Hear the collector's answer."""
        if self._answers.empty():
            self._answers.put_nowait(issued)

    async def renew_in_time(self, request: Callable[[str], bool], reconnect: Callable[[], None]) -> None:
        """Ask for a further certificate when two thirds of the present one's time are over, until cancelled.

        Args:
            request: sends a request for one, if there is a stream; says whether there is.
            reconnect: ends the stream, so that the next begins with the new certificate.
        """
        told = ""
        while True:
            await asyncio.sleep(self._seconds_to_wait())
            try:
                if self._is_due() and await self._renewed(request):
                    _log.info("the certificate of this device is renewed")
                    reconnect()
                told = ""
            except (EdgeprofError, SessionEndedError) as error:
                if str(error) != told:
                    _log.warning("the certificate of this device is not renewed yet: %s", error)
                told = str(error)

    async def _renewed(self, request: Callable[[str], bool]) -> bool:
        made = await new_request(self._state_folder)
        while not self._answers.empty():
            self._answers.get_nowait()  # of a request that was given up
        if not request(made.request_pem):
            return False
        answer = asyncio.ensure_future(self._answers.get())
        done, _ = await asyncio.wait({answer}, timeout=_ANSWER_SECONDS)
        if not done:
            answer.cancel()
            raise EdgeprofError("the collector does not answer; trying again")
        issued = answer.result()
        if issued.refusal:
            raise EdgeprofError(issued.refusal)
        taken = Answer(
            certificate_pem=issued.certificate_pem,
            authority_pem=issued.authority_pem,
            server_name=issued.server_name,
            issued_wall_ns=issued.issued_wall_ns,
            expires_wall_ns=issued.expires_wall_ns,
        )
        await take_into_use(self._state_folder, made, taken)
        return True

    def _is_due(self) -> bool:
        enrolment = self._enrolment()
        return enrolment is not None and enrolment.renewal_wall_ns <= time.time_ns() < enrolment.expires_wall_ns

    def _seconds_to_wait(self) -> float:
        """Until the certificate is due, but not so long that a clock that is put right would go unnoticed."""
        enrolment = self._enrolment()
        if enrolment is None:
            return _LOOK_SECONDS
        until_due = (enrolment.renewal_wall_ns - time.time_ns()) / 1e9
        return until_due if 0 < until_due < _LOOK_SECONDS else _LOOK_SECONDS if until_due > 0 else 1.0

    def _enrolment(self) -> Enrolment | None:
        try:
            return read_enrolment(self._state_folder)
        except EdgeprofError as error:
            raise SessionEndedError(str(error)) from error


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
