"""Where a collector sends what it stores, as its configuration says."""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
from msgspec import Meta

from edgeprof.errors import ConfigError

# Prometheus' grammar of labels, less the names that it keeps for itself:
# https://prometheus.io/docs/concepts/data_model/
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_PositiveSeconds = Annotated[float, Meta(gt=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """A user name, and the file that its password stands in."""

    username: str
    password_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWrite:
    """A database that takes Prometheus' remote-write protocol 1.0.

    ``name`` keys the durable cursor and labels the health metrics; empty, it is the URL's host and port. ``labels`` are
    added to every series. The files of passwords and tokens are read for every request, so they may change.
    A destination that is new gets what is stored from then on, with ``send_stored`` all that is stored already.
    The series of a device that has been gone for ``stale_after_seconds`` are ended.
    """

    url: str
    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    bearer_token_file: str = ""
    basic_auth: BasicAuth | None = None
    ca_file: str = ""
    timeout_seconds: _PositiveSeconds = 30.0
    samples_per_request: Annotated[int, Meta(ge=1, le=1_000_000)] = 2000
    gather_seconds: Annotated[float, Meta(ge=0)] = 1.0
    min_backoff_seconds: _PositiveSeconds = 0.03
    max_backoff_seconds: _PositiveSeconds = 5.0
    stale_after_seconds: _PositiveSeconds = 60.0
    send_stored: bool = False

    @property
    def known_as(self) -> str:
        """Its name, or else the URL's host and port."""
        return self.name or httpx.URL(self.url).netloc.decode()


def check_destinations(destinations: Sequence[RemoteWrite]) -> None:
    """Refuse what could never work.

    Raises:
        ConfigError: a URL, label or file is wrong, or two destinations have one name.
    """
    names = set()
    for destination in destinations:
        if fault := _fault(destination):
            raise ConfigError(f"remote_write '{destination.url}': {fault}")
        if destination.known_as in names:
            raise ConfigError(f"two remote_write destinations are called '{destination.known_as}': give one a name")
        names.add(destination.known_as)


def _fault(destination: RemoteWrite) -> str:
    try:
        url = httpx.URL(destination.url)
    except httpx.InvalidURL as error:
        return f"it is no URL: {error}"
    if url.scheme not in ("http", "https") or not url.host:
        return "a URL such as http://127.0.0.1:9090/api/v1/write is expected"
    if destination.bearer_token_file and destination.basic_auth:
        return "bearer_token_file and basic_auth exclude each other"
    for label in destination.labels:
        if not _LABEL.fullmatch(label):
            return f"'{label}' is no name of a label: letters, digits and _ are, not beginning with a digit or __"
    if fault := next((fault for file in _files(destination) if (fault := _file_fault(file))), ""):
        return fault
    return _authority_fault(destination.ca_file) if destination.ca_file else ""


def _files(destination: RemoteWrite) -> list[str]:
    password_file = destination.basic_auth.password_file if destination.basic_auth else ""
    return [file for file in (destination.bearer_token_file, password_file, destination.ca_file) if file]


def _file_fault(file: str) -> str:
    try:
        Path(file).read_bytes()
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    return ""


def _authority_fault(file: str) -> str:
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return f"{file} holds no certificates in PEM form"
    return ""
