"""The gRPC side of the collector: where devices connect."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import grpc.aio

from edgeprof.errors import EdgeprofError
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.intake.admission import Admission
from edgeprof_collector.intake.connections import Connections
from edgeprof_collector.intake.ending import StreamEndedError
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.intake.listener import IntakeListener
from edgeprof_collector.intake.parties import Parties
from edgeprof_collector.intake.stream import DeviceStream
from edgeprof_collector.intake.writer import GroupWriter
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.store.protocol import Store

# Devices ping a silent connection every 30 s; more often than this is refused.
_LEAST_PING_INTERVAL_MS = 10_000
# A connection on which nothing is heard is asked after a minute, and given up 20 s later.
_KEEPALIVE_MS = 60_000
_KEEPALIVE_TIMEOUT_MS = 20_000
# What a stream may go on for when its connection has come of age.
_AGE_GRACE_MS = 5_000

# How long streams may take to end. A little more than they give themselves.
STOP_SECONDS = 6.0


class Intake:
    """Takes the streams of all devices and writes what they bring into the store.

    Args:
        store: where it goes.
        jobs: what devices are asked to do, and told how it goes.
        health: the collector's own counters.
        limits: what a device may ask.
        listeners: who hears of connections and frames.
        on_run_finished: told a run's id when its last event is stored.
        credentials: TLS; without them nothing is encrypted.
        admission: looks at devices' certificates, where there is TLS.
    """

    def __init__(
        self,
        store: Store,
        jobs: JobQueue,
        *,
        health: CollectorHealth,
        limits: IntakeLimits | None = None,
        listeners: Sequence[IntakeListener] = (),
        on_run_finished: Callable[[str], None],
        credentials: grpc.ServerCredentials | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._credentials = credentials
        self._limits = limits or IntakeLimits()
        self._parties = Parties(
            writer=GroupWriter(store, health),
            jobs=jobs,
            health=health,
            limits=self._limits,
            listeners=listeners,
            on_run_finished=on_run_finished,
            connections=Connections(self._limits.devices),
            admission=admission,
        )
        self._server = grpc.aio.server(options=_options(self._limits))
        # The payload is kept as it came, so it is parsed here and not by gRPC.
        connect: grpc.RpcMethodHandler[bytes, CollectorMessage] = grpc.stream_stream_rpc_method_handler(
            self._connect, response_serializer=CollectorMessage.SerializeToString
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("edgeprof.v1.Uplink", {"Connect": connect}),)
        )

    async def start(self, host: str, port: int) -> int:
        """Listen for devices; port 0 takes a free one. Return the port.

        Raises:
            EdgeprofError: the address cannot be had.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if self._credentials:
                port = self._server.add_secure_port(address, self._credentials)
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise EdgeprofError(f"devices cannot be listened for on {address}: choose another address") from error
        await self._server.start()
        return port

    @property
    def connected_devices(self) -> int:
        """How many devices have a stream."""
        return len(self._parties.connections)

    def stalled_seconds(self) -> float:
        """Return for how long the store has been busy with one transaction; 0 when it is not."""
        return self._parties.writer.stalled_seconds()

    async def run(self) -> None:
        """Write what the streams bring, until :meth:`stop` and then what is left."""
        await self._parties.writer.run()

    @property
    def connections(self) -> Connections:
        """The streams that are open."""
        return self._parties.connections

    async def stop(self) -> None:
        """Take no more streams, end those that are open once their messages are stored, and let :meth:`run` return."""
        stopping = asyncio.ensure_future(self._server.stop(grace=STOP_SECONDS))
        await asyncio.sleep(0)  # no stream is taken after those that are ended now
        self._parties.connections.end_all(grpc.StatusCode.UNAVAILABLE, "the collector is stopping")
        await stopping
        self._parties.writer.close()

    async def _connect(
        self, payloads: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, CollectorMessage]
    ) -> None:
        try:
            await DeviceStream(payloads, context, self._parties).serve()
        except StreamEndedError as ending:
            await context.abort(ending.code, ending.reason)


def _options(limits: IntakeLimits) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.so_reuseport", 0),  # or two collectors could listen on one port, and each would get half
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_connection_age_ms", round(limits.connection_seconds * 1000)),
        ("grpc.max_connection_age_grace_ms", _AGE_GRACE_MS),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.bdp_probe", 0),  # its pings cost more than the messages of a device
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
    )
