"""How the collector proves who it is, and what it asks of those who connect."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgeprof.errors import ConfigError

Days = Annotated[float, Meta(gt=0, le=3650)]


class MetricsAccess(str, Enum):
    """Who may read ``/metrics`` of a collector with TLS."""

    TOKEN = "token"  # noqa: S105  the name of a kind, no secret
    CLIENT_CERTIFICATE = "client_certificate"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """TLS on both ports, and with it certificates for devices and tokens for people.

    ``folder`` holds the collector's own authority; empty, it is ``trust`` beside the store. ``names`` are further names
    and addresses under which people reach the collector. ``certificate`` and ``key`` are files of an outside
    authority, read again when they change; devices and people then check the collector by ``authority`` (a file; empty:
    the usual public ones) and the name that they call it by. ``device_authority`` is a file with the authorities whose
    certificates devices may bring instead of enrolling. Certificates that the collector issues last ``device_days``; a
    device that was away longer may renew its own for ``grace_days`` more. ``metrics`` says who may read ``/metrics``;
    for ``client_certificate`` it is whoever has one of ``metrics_authority``, a file.
    """

    enabled: bool = False
    folder: str = ""
    names: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    authority: str = ""
    device_authority: str = ""
    device_days: Days = 90.0
    grace_days: Annotated[float, Meta(ge=0, le=3650)] = 30.0
    metrics: MetricsAccess = MetricsAccess.TOKEN
    metrics_authority: str = ""

    def folder_path(self, store: Path) -> Path:
        """Where the collector's own authority is, for the store at this path."""
        return Path(self.folder).expanduser() if self.folder else store.parent / "trust"


def check_tls(config: TlsConfig) -> None:
    """Refuse options that contradict one another.

    Raises:
        ConfigError: something is half said.
    """
    if bool(config.certificate) != bool(config.key):
        raise ConfigError("tls.certificate and tls.key belong together: name both files or neither")
    if config.authority and not config.certificate:
        raise ConfigError("tls.authority is for tls.certificate and tls.key: name those too, or leave it out")
    by_certificate = config.metrics is MetricsAccess.CLIENT_CERTIFICATE
    if by_certificate != bool(config.metrics_authority):
        raise ConfigError("tls.metrics = 'client_certificate' and tls.metrics_authority belong together")
