"""TLS on both ports, with a certificate that can change while streams are open."""

import asyncio
import logging
import ssl
from pathlib import Path

import grpc

from edgeprof.errors import EdgeprofError
from edgeprof_collector.trust.private_file import write_private
from edgeprof_collector.trust.server_identity import ServerIdentity

_log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 60.0


class Transport:
    """What both servers encrypt with.

    Args:
        identity: the collector's certificate.
        device_authorities_pem: whoever connects by gRPC shows a certificate that these have signed.
        folder: where OpenSSL finds the key; Python has no other way to give it one.
        http_authorities: a file; who has a certificate of these may show it to the HTTP server, but none must.
    """

    def __init__(
        self, identity: ServerIdentity, device_authorities_pem: bytes, folder: Path, http_authorities: str = ""
    ) -> None:
        self._identity = identity
        self._device_authorities_pem = device_authorities_pem
        self._key_file = folder / "server.pem"
        self._news: grpc.ServerCertificateConfiguration | None = None
        self.http = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.http.minimum_version = ssl.TLSVersion.TLSv1_2
        if http_authorities:
            _trust_file(self.http, http_authorities)
        self._load()

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Credentials for the gRPC server. Open streams keep the certificate that they began with."""
        first, self._news = self._configuration(), None
        return grpc.dynamic_ssl_server_credentials(
            first,
            self._fetch,  # type: ignore[arg-type]  # the stubs forget that it may return None: nothing is new
            require_client_authentication=True,
        )

    @property
    def expires_seconds(self) -> float:
        """When the collector's certificate ends, in seconds since 1970."""
        return self._identity.current.certificate.not_valid_after_utc.timestamp()

    async def tend(self) -> None:
        """Take newer certificates as they come, until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            try:
                if await asyncio.to_thread(self._identity.refresh):
                    self._load()
                    _log.info("the collector has a new certificate; open streams go on with the former")
            except EdgeprofError as error:
                _log.error("%s; the certificate before stays in use", error)

    def _load(self) -> None:
        current = self._identity.current
        write_private(self._key_file, current.key_pem + b"\n" + current.chain_pem)
        self.http.load_cert_chain(self._key_file)
        self._news = self._configuration()

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        current = self._identity.current
        return grpc.ssl_server_certificate_configuration(
            [(current.key_pem, current.chain_pem)], root_certificates=self._device_authorities_pem
        )

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called for each handshake, in a thread of gRPC's; ``None`` when nothing is new."""
        news, self._news = self._news, None
        return news


def _trust_file(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(Path(path).expanduser())
    except (OSError, ssl.SSLError) as error:
        raise EdgeprofError(f"{path} cannot be read as certificates in PEM: check tls.metrics_authority") from error
    context.verify_mode = ssl.CERT_OPTIONAL
