"""What a token lets its owner check the collector by, before anything is told to it.

A token carries a fingerprint. Whoever has one fetches the anchor from the collector without trusting it, sees that it
has this fingerprint, and from then on talks only to whom the anchor vouches for.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
from dataclasses import dataclass

import msgspec

from edgeprof.errors import EdgeprofError

PATH = "/api/v1/authority"
DEFAULT_PORT = 7744

_PATIENCE_SECONDS = 20.0
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Certificates in PEM that have signed the collector's, and the name in that; empty: the one it is called by."""

    server_name: str
    authority_pem: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of both, in hexadecimal digits; empty where the usual public authorities are the anchor."""
        if not self.authority_pem:
            return ""
        return hashlib.sha256(f"{self.server_name}\n{self.authority_pem}".encode()).hexdigest()

    def context(self) -> ssl.SSLContext:
        """A client's TLS that trusts nobody but these; the public authorities where there are none."""
        return ssl.create_default_context(cadata=self.authority_pem or None)


def fetch_anchor(host: str, port: int, fingerprint: str) -> Anchor:
    """Fetch a collector's anchor and see that it has this fingerprint.

    Raises:
        EdgeprofError: the collector cannot be reached, or is another.
    """
    strangers = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    strangers.check_hostname = False
    strangers.verify_mode = ssl.CERT_NONE  # what comes is checked by its fingerprint, and nothing is sent
    connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE_SECONDS, context=strangers)
    try:
        connection.request("GET", PATH)
        content = connection.getresponse().read(_MOST_BYTES)
        anchor = msgspec.json.decode(content, type=Anchor)
    except (OSError, http.client.HTTPException) as error:
        raise EdgeprofError(unreachable(host, port, error)) from error
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"{host}:{port} is no collector with TLS: give the port that it has for people") from error
    finally:
        connection.close()
    if not hmac.compare_digest(anchor.fingerprint, fingerprint):
        raise EdgeprofError(
            f"{host}:{port} is not the collector that made this token: its authority is another; check the address, "
            "or have a token made there"
        )
    return anchor


def unreachable(host: str, port: int, error: Exception) -> str:
    """Why a collector cannot be spoken with, for a person."""
    where = f"the collector at {host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{where} cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{where} speaks no TLS: start it with --tls"
    if isinstance(error, socket.gaierror):
        return f"{where} cannot be found: {error.strerror}"
    if isinstance(error, TimeoutError):
        return f"{where} does not answer"
    return f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}; is it running?"
