"""Whom a collector tells when a job has ended, as its configuration says."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
from msgspec import Meta

from edgeprof.errors import ConfigError, EdgeprofError

# What Standard Webhooks puts before a secret in text, and how long one must be:
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of each job's end by a signed POST.

    ``name`` keys the durable cursor; empty, it is the URL's host and port. ``secret_file`` holds ``whsec_`` and 24 to
    64 random bytes as base64; it is read for every request, so it may change. An end that is not taken within
    ``give_up_hours`` is left out, so that those after it are told.
    """

    url: str
    secret_file: str
    name: str = ""
    timeout_seconds: Annotated[float, Meta(gt=0)] = 15.0
    give_up_hours: Annotated[float, Meta(gt=0)] = 72.0

    @property
    def known_as(self) -> str:
        """Its name, or else the URL's host and port."""
        return self.name or httpx.URL(self.url).netloc.decode()


def check_webhooks(webhooks: Sequence[Webhook]) -> None:
    """Refuse what could never work.

    Raises:
        ConfigError: a URL or a secret is wrong, or two webhooks have one name.
    """
    names = set()
    for webhook in webhooks:
        if fault := _fault(webhook):
            raise ConfigError(f"webhook '{webhook.url}': {fault}")
        if webhook.known_as in names:
            raise ConfigError(f"two webhooks are called '{webhook.known_as}': give one a name")
        names.add(webhook.known_as)


def read_secret(file: str) -> bytes:
    """Return the secret in a file.

    Raises:
        EdgeprofError: it cannot be read, or holds no secret.
    """
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EdgeprofError(f"{file} cannot be read: {error.strerror}") from error
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(_PREFIX) or len(secret) not in _SECRET_BYTES:
        raise EdgeprofError(f"{file} holds no secret: make one with  echo whsec_$(openssl rand -base64 32)")
    return secret


def _fault(webhook: Webhook) -> str:
    try:
        url = httpx.URL(webhook.url)
    except httpx.InvalidURL as error:
        return f"it is no URL: {error}"
    if url.scheme not in ("http", "https") or not url.host:
        return "a URL such as https://ci.example.org/edgeprof is expected"
    try:
        read_secret(webhook.secret_file)
    except EdgeprofError as error:
        return str(error)
    return ""
