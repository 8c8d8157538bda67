"""Asking a collector for a certificate, over TLS that trusts nobody else."""

import contextlib
import http.client
import socket
import ssl

import msgspec

from edgeprof.anchor import DEFAULT_PORT, Anchor, unreachable
from edgeprof.errors import EdgeprofError
from edgeprof_agent.enrolment.messages import Answer

_PATIENCE_SECONDS = 20.0
_MOST_BYTES = 1 << 20


def split_address(text: str) -> tuple[str, int]:
    """The host and port of ``HOST``, ``HOST:PORT`` or ``[ADDRESS]:PORT``; the port for people is the default.

    Raises:
        EdgeprofError: it is none of these.
    """
    host, _, port = text.removeprefix("https://").rstrip("/").rpartition(":")
    if not host or (text.endswith("]") and port.endswith("]")):
        host, port = text.removeprefix("https://").rstrip("/"), str(DEFAULT_PORT)
    if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise EdgeprofError(f"'{text}' is no address of a collector: give HOST or HOST:PORT, its port for people")
    return host.strip("[]"), int(port)


def ask(host: str, port: int, anchor: Anchor, path: str, wanted: dict[str, str]) -> Answer:
    """Post what is wanted, and return the certificate that comes.

    Raises:
        EdgeprofError: the collector cannot be reached or trusted, or refuses; the text says which.
    """
    connection = _Connection(host, port, anchor)
    try:
        connection.request("POST", path, msgspec.json.encode(wanted), {"Content-Type": "application/json"})
        answer = msgspec.json.decode(connection.getresponse().read(_MOST_BYTES), type=Answer)
    except (OSError, http.client.HTTPException) as error:
        raise EdgeprofError(unreachable(host, port, error)) from error
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"{host}:{port} answers something else than a collector would") from error
    finally:
        connection.close()
    if answer.error or not answer.certificate_pem:
        raise EdgeprofError(f"the collector refuses: {answer.error or 'it gives no certificate'}")
    return answer


class _Connection(http.client.HTTPSConnection):
    """HTTPS to a server that must have the anchor's name, whatever its address."""

    def __init__(self, host: str, port: int, anchor: Anchor) -> None:
        self._tls: ssl.SSLContext = anchor.context()
        self._name = anchor.server_name or host
        super().__init__(host, port, timeout=_PATIENCE_SECONDS, context=self._tls)

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), _PATIENCE_SECONDS)
        with contextlib.ExitStack() as opened:
            opened.callback(plain.close)
            self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)
            opened.pop_all()
