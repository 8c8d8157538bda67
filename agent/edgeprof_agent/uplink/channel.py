"""Connections to the collector."""

import grpc
import grpc.aio

from edgeprof_agent.uplink.enrolment import Enrolment

# Each attempt is a channel of its own, so that the waits between attempts are ours alone. A connection that has died
# in silence is noticed within 70 s; acknowledgements come every 10 s, so a live one is hardly ever asked.
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Without it every message makes both ends exchange pings, to size windows that telemetry never fills.
    ("grpc.http2.bdp_probe", 0),
)


def open_plain_channel(address: str) -> grpc.aio.Channel:
    """Open a channel without encryption, compressing what it sends."""
    return grpc.aio.insecure_channel(address, options=_OPTIONS, compression=grpc.Compression.Deflate)


def open_tls_channel(address: str, enrolment: Enrolment) -> grpc.aio.Channel:
    """Open a channel on which both ends show their certificates, compressing what it sends."""
    credentials = grpc.ssl_channel_credentials(
        enrolment.authority_pem.encode() or None, enrolment.key_pem.encode(), enrolment.certificate_pem.encode()
    )
    options: tuple[tuple[str, str | int], ...] = _OPTIONS
    if enrolment.server_name:
        options = (*_OPTIONS, ("grpc.ssl_target_name_override", enrolment.server_name))
    return grpc.aio.secure_channel(address, credentials, options=options, compression=grpc.Compression.Deflate)
