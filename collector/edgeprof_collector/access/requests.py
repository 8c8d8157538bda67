"""What people ask of the token desk, and what they get."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from edgeprof_collector.store.access_records import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token that somebody wants: with a ``role`` for a person or script, else one that devices enrol with.

    ``name`` is the person's or script's. ``device`` is the only one that may enrol, even if it is enrolled already.
    Without ``ttl_seconds`` a person's token lasts until it is revoked, and a device's for an hour.
    """

    role: Role | None = None
    name: Annotated[str, Meta(max_length=64)] = ""
    device: Annotated[str, Meta(max_length=64)] = ""
    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    ttl_seconds: Annotated[float, Meta(ge=1, le=315_360_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedToken:
    """A new token. Its text is shown this once."""

    token_id: str
    token: str
