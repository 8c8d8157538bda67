"""Tokens: made, checked, listed, ended."""

import hmac
import time
from dataclasses import dataclass

from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.audit import Audit
from edgeprof_collector.access.secrets import Token, TokenKind, new_token, parse_token
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.access_records import AccessToken, EnrolmentToken, Role
from edgeprof_collector.store.errors import NotFoundError

_MOST_USES = 10_000
_MOST_SECONDS = 10 * 365 * 86400.0
_NAME_CHARACTERS = 64


class TokenRefusedError(EdgeprofError):
    """A token that lets nobody in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a call: the name of a token, and what it may do."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What is shown of a token. ``role`` is absent for one that devices enrol with, ``uses_left`` for all others."""

    token_id: str
    name: str
    created_wall_ns: int
    created_by: str
    is_good: bool
    role: Role | None = None
    expires_wall_ns: int | None = None
    uses_left: int | None = None


class TokenDesk:
    """Makes and ends tokens, for a collector whose authority has this fingerprint. Blocks as the store does."""

    def __init__(self, access: Access, fingerprint: str) -> None:
        self._access = access
        self._audit = Audit(access)
        self._fingerprint = fingerprint

    def create_access(self, name: str, role: Role, ttl_seconds: float | None, by: str, address: str = "") -> Token:
        """Make a token for a person or script; without ``ttl_seconds`` it lasts until it is revoked.

        Raises:
            EdgeprofError: the name or the time is not possible.
        """
        if not (name and name.isprintable() and len(name) <= _NAME_CHARACTERS):
            raise EdgeprofError(f"a token is named by 1 to {_NAME_CHARACTERS} printable characters: say --name")
        now = time.time_ns()
        token = new_token(TokenKind.ACCESS, self._fingerprint)
        record = AccessToken(
            token_id=token.token_id,
            digest=token.digest,
            name=name,
            role=role,
            created_wall_ns=now,
            created_by=by,
            expires_wall_ns=None if ttl_seconds is None else now + _ns(ttl_seconds),
        )
        self._access.add_token(record)
        self._audit.note(by, "created token", token.token_id, f"{role.value} '{name}'", address)
        return token

    def create_enrolment(self, ttl_seconds: float, uses: int, device_id: str, by: str, address: str = "") -> Token:
        """Make a token for devices; with ``device_id`` for that one alone.

        Raises:
            EdgeprofError: the time or the number of uses is not possible.
        """
        if not 1 <= uses <= _MOST_USES:
            raise EdgeprofError(f"a token has 1 to {_MOST_USES} uses, not {uses}")
        now = time.time_ns()
        token = new_token(TokenKind.ENROLMENT, self._fingerprint)
        record = EnrolmentToken(
            token_id=token.token_id,
            digest=token.digest,
            created_wall_ns=now,
            created_by=by,
            expires_wall_ns=now + _ns(ttl_seconds),
            uses_left=uses,
            device_id=device_id,
        )
        self._access.add_token(record)
        whom = f"'{device_id}'" if device_id else f"{uses} devices"
        self._audit.note(by, "created token", token.token_id, f"to enrol {whom}", address)
        return token

    def check(self, text: str) -> Principal:
        """Who comes with this token.

        Raises:
            TokenRefusedError: nobody.
        """
        try:
            token = parse_token(text, TokenKind.ACCESS)
        except EdgeprofError as error:
            raise TokenRefusedError(str(error)) from error
        record = self._access.access_token(token.token_id)
        if record is None or not hmac.compare_digest(record.digest, token.digest):
            raise TokenRefusedError("this token is not known here: make one with edgeprof token create --role ROLE")
        if not is_good(record, time.time_ns()):
            how = "has expired" if record.revoked_wall_ns is None else "was revoked"
            raise TokenRefusedError(f"the token '{record.name}' {how}: make another with edgeprof token create")
        return Principal(name=record.name, role=record.role)

    def tokens(self) -> tuple[TokenFacts, ...]:
        """Every token, the latest first."""
        now = time.time_ns()
        people = [_facts_of_access(each, now) for each in self._access.access_tokens()]
        devices = [_facts_of_enrolment(each, now) for each in self._access.enrolment_tokens()]
        return tuple(sorted([*people, *devices], key=lambda each: -each.created_wall_ns))

    def revoke(self, token_id: str, by: str, address: str = "") -> None:
        """End a token.

        Raises:
            NotFoundError: no token that is good has this id.
        """
        if not self._access.revoke_token(token_id, time.time_ns()):
            raise NotFoundError(f"no token that could be revoked is called '{token_id}': edgeprof token list")
        self._audit.note(by, "revoked token", token_id, address=address)


def is_good(token: AccessToken, now_wall_ns: int) -> bool:
    """Whether a token lets somebody in."""
    unexpired = token.expires_wall_ns is None or token.expires_wall_ns > now_wall_ns
    return unexpired and token.revoked_wall_ns is None


def _facts_of_access(token: AccessToken, now_wall_ns: int) -> TokenFacts:
    return TokenFacts(
        token_id=token.token_id,
        name=token.name,
        created_wall_ns=token.created_wall_ns,
        created_by=token.created_by,
        is_good=is_good(token, now_wall_ns),
        role=token.role,
        expires_wall_ns=token.expires_wall_ns,
    )


def _facts_of_enrolment(token: EnrolmentToken, now_wall_ns: int) -> TokenFacts:
    return TokenFacts(
        token_id=token.token_id,
        name=token.device_id,
        created_wall_ns=token.created_wall_ns,
        created_by=token.created_by,
        is_good=token.uses_left > 0 and token.expires_wall_ns > now_wall_ns,
        expires_wall_ns=token.expires_wall_ns,
        uses_left=token.uses_left,
    )


def _ns(seconds: float) -> int:
    if not 1 <= seconds <= _MOST_SECONDS:
        raise EdgeprofError("a token lasts between a second and ten years: say --ttl, such as 1h or 90d")
    return round(seconds * 1e9)
