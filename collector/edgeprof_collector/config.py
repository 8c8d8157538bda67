"""The collector's configuration. Every option has a working default."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgeprof.errors import ConfigError
from edgeprof.folders import data_folder
from edgeprof.toml_reader import read_toml
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.store.retention import Retention
from edgeprof_collector.trust.config import TlsConfig
from edgeprof_collector.webhooks.config import Webhook

Port = Annotated[int, Meta(ge=0, le=65535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """Where the collector listens and keeps what comes.

    Devices connect to ``grpc_host`` and ``grpc_port``, people and Prometheus to ``http_host`` and ``http_port``; port
    0 takes a free one. ``store`` is the file that runs are kept in; empty, it is in the person's data folder.
    ``remote_write`` are the databases that everything is sent on to, ``webhooks`` who is told when a job has ended.
    ``tls`` is how it proves who it is.
    """

    grpc_host: str = "127.0.0.1"
    grpc_port: Port = 7743
    http_host: str = "127.0.0.1"
    http_port: Port = 7744
    store: str = ""
    limits: IntakeLimits = field(default_factory=IntakeLimits)
    retention: Retention = field(default_factory=Retention)
    remote_write: tuple[RemoteWrite, ...] = ()
    tls: TlsConfig = field(default_factory=TlsConfig)
    webhooks: tuple[Webhook, ...] = ()

    @property
    def store_path(self) -> Path:
        """The file that runs are kept in."""
        return Path(self.store).expanduser() if self.store else data_folder() / "edgeprof.sqlite"


def read_config(path: Path) -> CollectorConfig:
    """Read a configuration file.

    Raises:
        ConfigError: a key is unknown or a value is wrong.
    """
    return read_toml(path, CollectorConfig)


def refuse_exposure(config: CollectorConfig) -> None:
    """Refuse addresses that others than this machine can reach, as long as nothing checks who connects.

    Raises:
        ConfigError: an address is not loopback, and there is no TLS.
    """
    if config.tls.enabled:
        return
    for key, host in (("grpc_host", config.grpc_host), ("http_host", config.http_host)):
        if not is_loopback(host):
            raise ConfigError(
                f"{key} = '{host}' would let others connect without TLS and tokens: start it with --tls (tls.enabled), "
                "and make yourself a token with: edgeprof token create --role admin"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
