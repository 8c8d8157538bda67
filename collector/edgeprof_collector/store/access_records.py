"""Who may do what, as the store keeps it. Wall-clock times are the collector's, in nanoseconds since 1970.

Of tokens only digests are kept: SHA-256 is enough, since their secrets are 256 random bits that nobody can guess.
"""

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """What a person or script may do. Each may also do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether it may do what ``other`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A person's or a script's way in. Without ``expires_wall_ns`` it is good until it is revoked."""

    token_id: str
    digest: bytes
    name: str
    role: Role
    created_wall_ns: int
    created_by: str
    expires_wall_ns: int | None = None
    revoked_wall_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken:
    """Lets devices enrol, ``uses_left`` times. With ``device_id`` only that one, even if it is enrolled already."""

    token_id: str
    digest: bytes
    created_wall_ns: int
    created_by: str
    expires_wall_ns: int
    uses_left: int
    device_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCertificate:
    """A certificate that a device may connect with. ``key_digest`` is that of its public key."""

    serial: str
    device_id: str
    key_digest: bytes
    issued_wall_ns: int
    expires_wall_ns: int
    revoked_wall_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to whom. ``address`` is where the call came from; empty for a command on the collector's machine."""

    wall_ns: int
    actor: str
    action: str
    subject: str = ""
    detail: str = ""
    address: str = ""
