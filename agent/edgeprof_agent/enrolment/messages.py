"""What the short-lived process and the agent tell each other, and what a collector answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A private key, and a request for a certificate that it has signed; both in PEM."""

    key_pem: str = field(repr=False)
    request_pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A certificate, and where it is for; or an ``error``."""

    certificate_pem: str = ""
    authority_pem: str = ""
    server_name: str = ""
    issued_wall_ns: int = 0
    expires_wall_ns: int = 0
    grpc_port: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """A certificate that came over the stream, and the key that it was asked for."""

    made: KeyRequest
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a task of the process went."""

    made: KeyRequest | None = None
    error: str = ""
