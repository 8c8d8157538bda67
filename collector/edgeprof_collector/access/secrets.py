"""Tokens as people see them: ``KIND.ID.SECRET`` or ``KIND.ID.SECRET.FINGERPRINT``."""

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import Enum

from edgeprof.errors import EdgeprofError

_ID_BYTES = 6
_SECRET_BYTES = 32


class TokenKind(str, Enum):
    """What a token is for, as it begins."""

    ACCESS = "edgeprof-access"
    ENROLMENT = "edgeprof-enrol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token in the hand of whoever may use it.

    ``fingerprint`` is that of the authority by which they check the collector; empty when the usual public ones do.
    """

    kind: TokenKind
    token_id: str
    secret: str = field(repr=False)
    fingerprint: str = ""

    @property
    def text(self) -> str:
        """What is handed over, once."""
        parts = (self.kind.value, self.token_id, self.secret, self.fingerprint)
        return ".".join(part for part in parts if part)

    @property
    def digest(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_token(kind: TokenKind, fingerprint: str) -> Token:
    """Make a token of 256 random bits."""
    return Token(
        kind=kind,
        token_id=secrets.token_hex(_ID_BYTES),
        secret=secrets.token_hex(_SECRET_BYTES),
        fingerprint=fingerprint,
    )


def parse_token(text: str, kind: TokenKind) -> Token:
    """Read a token.

    Raises:
        EdgeprofError: it is none of this kind; its text is not repeated.
    """
    parts = text.strip().split(".")
    if parts[0] != kind.value or len(parts) not in (3, 4) or not text.isascii():
        made_by = "edgeprof token create" + (" --role ROLE" if kind is TokenKind.ACCESS else "")
        raise EdgeprofError(f"this is no token that begins with '{kind.value}.': give one that {made_by} has printed")
    return Token(kind=kind, token_id=parts[1], secret=parts[2], fingerprint="".join(parts[3:]))
