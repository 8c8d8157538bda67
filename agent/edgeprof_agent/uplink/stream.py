"""The way to the collector: one stream after another, for as long as the agent lives."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import grpc.aio

from edgeprof.run import Progress
from edgeprof.v1.uplink_pb2_grpc import UplinkStub
from edgeprof_agent.uplink.backoff import Backoff
from edgeprof_agent.uplink.channel import open_plain_channel
from edgeprof_agent.uplink.database import UnwritableError
from edgeprof_agent.uplink.session import Call, Session, SessionEndedError

_log = logging.getLogger(__name__)


class Uplink:
    """Keeps a stream open, and comes back after whatever ends it.

    Args:
        address: of the collector, host and port.
        new_session: makes the session of a new call.
        open_channel: how a connection is made.
        prepare: done before each; raises SessionEndedError when there is no use in trying.
        connected: called whenever the collector has welcomed the device.
        backoff: how long to wait after a stream has ended.
    """

    def __init__(
        self,
        address: str,
        new_session: Callable[[Call], Session],
        *,
        open_channel: Callable[[str], grpc.aio.Channel] = open_plain_channel,
        prepare: Callable[[], Awaitable[None]] | None = None,
        connected: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._address = address
        self._new_session = new_session
        self._open_channel = open_channel
        self._prepare = prepare
        self._connected = connected
        self._backoff = backoff or Backoff()
        self._session: Session | None = None
        self._was_welcome = False
        self._due_seconds = time.monotonic()  # when this end has something to do, with no stream open
        self._told_trouble: str | None = ""  # None once a connection has been told

    def report(self, progress: Progress) -> None:
        """Send how far a run is, if anybody can hear it now."""
        if self._session:
            self._session.report(progress)

    @property
    def is_connected(self) -> bool:
        """Whether the collector has welcomed the device on the stream that is open now."""
        return self._session is not None

    def stalled_seconds(self) -> float:
        """Return how long ago something should have moved: an attempt to connect, or an acknowledgement."""
        if self._session:
            return self._session.silent_seconds
        return max(0.0, time.monotonic() - self._due_seconds)

    def request_certificate(self, request_pem: str) -> bool:
        """Ask for a further certificate; ``False`` if there is no stream to ask on."""
        if self._session is None:
            return False
        self._session.request_certificate(request_pem)
        return True

    def reconnect(self) -> None:
        """End the stream that is open, if one is: the next begins with what has changed."""
        if self._session:
            self._session.end()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._stream()
            except SessionEndedError as error:
                self._tell_trouble(str(error))
            except UnwritableError as error:
                self._tell_trouble(f"nothing is sent, since the spool cannot be written: {error}")
            except grpc.aio.AioRpcError as error:
                self._tell_trouble(error.details() or error.code().name)
            wait_seconds = self._backoff.next_seconds()
            self._due_seconds = time.monotonic() + wait_seconds
            await asyncio.sleep(wait_seconds)

    async def drain(self, seconds: float) -> None:
        """Wait until the collector has everything, but not longer than this, and not without a connection."""
        if self._session:
            delivery = asyncio.ensure_future(self._session.all_acknowledged())
            await asyncio.wait({delivery}, timeout=seconds)
            delivery.cancel()

    async def _stream(self) -> None:
        """One stream, to its end, which raises."""
        if self._prepare:
            await self._prepare()
        async with self._open_channel(self._address) as channel:
            session = await self._open_session(UplinkStub(channel))
            self._welcomed(session)
            try:
                await session.serve()
            finally:
                self._session = None
                self._due_seconds = time.monotonic()

    async def _open_session(self, stub: UplinkStub) -> Session:
        session = self._new_session(stub.Connect())
        if not await session.open():
            session = self._new_session(stub.Connect())  # the spool began a new epoch: say hello with it at once
            if not await session.open():
                raise SessionEndedError("it refuses a new spool epoch")
        return session

    def _welcomed(self, session: Session) -> None:
        self._session = session
        self._backoff.reset()
        if self._told_trouble is not None:
            _log.info("connected to the collector at %s", self._address)
        self._told_trouble = None
        self._was_welcome = True
        self._connected()

    def _tell_trouble(self, trouble: str) -> None:
        """Log why there is no stream, once for as long as it stays the same.

        The end of a stream alone is no trouble: collectors end them now and then, so that devices spread anew.
        """
        if self._was_welcome:
            _log.debug("collector %s: %s", self._address, trouble)
        elif trouble != self._told_trouble:
            _log.warning("collector %s: %s; trying again", self._address, trouble)
            self._told_trouble = trouble
        self._was_welcome = False
