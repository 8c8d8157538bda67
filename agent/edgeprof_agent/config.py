"""What the agent can be told. Every option has a default that works."""

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Annotated

from msgspec import Meta

from edgeprof.toml_reader import read_toml
from edgeprof_agent.workload.server_config import ServerConfig

_ADDRESS = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}$"

Address = Annotated[str, Meta(pattern=_ADDRESS)]
Hertz = Annotated[float, Meta(gt=0, le=100)]
FrameSeconds = Annotated[float, Meta(ge=1, le=600)]
QuietHours = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")]


class LogLevel(str, Enum):
    """How much the agent says on standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """Who the device is. Empty: an identity made from the operating system's, and the hostname."""

    id: Annotated[str, Meta(max_length=64)] = ""
    name: Annotated[str, Meta(max_length=64)] = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How often sensors are read: during runs the fast and the slow ones, and all of them when idle."""

    fast_hertz: Hertz = 10.0
    slow_hertz: Hertz = 1.0
    idle_hertz: Hertz = 1.0
    idle_frame_seconds: FrameSeconds = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolConfig:
    """How much waits for a collector that is away. Age counts days in which the agent ran.

    While the disk has less than ``min_free_bytes`` left, the spool holds less, down to a few megabytes.
    """

    max_bytes: Annotated[int, Meta(ge=1_000_000)] = 256_000_000
    max_age_days: Annotated[float, Meta(gt=0)] = 30.0
    min_free_bytes: Annotated[int, Meta(ge=0)] = 128_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedConfig:
    """What a job may name.

    ``engines``: names, of servers too; absent, every engine that is installed. ``plans``: names of built-in plans and
    paths of TOML files, of which a job's plan must be one, word for word; absent, any. ``model_folders``: where model
    files and texts may be; absent, anywhere. ``programs`` that may be run as engines, and ``pythons``, interpreters
    besides the agent's own: none unless they are listed.
    """

    engines: tuple[str, ...] | None = None
    plans: tuple[str, ...] | None = None
    model_folders: tuple[str, ...] | None = None
    programs: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """When a job may run, and how far it may go, whatever a collector asks.

    ``quiet_hours`` are times of the device's local day, such as ``08:00-18:30``, in which no run begins. What
    ``run_on_battery``, the free disk and the temperature forbid keeps a run from beginning, and ends one that goes on.
    A run, with all that comes before it, ends after ``run_seconds``. A day's runs are those of the last 24 hours.
    """

    quiet_hours: tuple[QuietHours, ...] = ()
    run_on_battery: bool = True
    runs_per_day: Annotated[int, Meta(ge=1)] | None = None
    run_seconds: Annotated[float, Meta(gt=0)] | None = None
    temperature_celsius: float | None = None
    min_free_memory_bytes: Annotated[int, Meta(ge=0)] = 0
    min_free_disk_bytes: Annotated[int, Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """Everything. Folders that are empty are those that the platform has for a person's programs.

    ``servers`` are engines by these names: nothing but this file says which commands start a server.
    """

    collector: Address = "127.0.0.1:7743"
    state_folder: str = ""
    cache_folder: str = ""
    log_level: LogLevel = LogLevel.INFO
    device: DeviceConfig = field(default_factory=DeviceConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    spool: SpoolConfig = field(default_factory=SpoolConfig)
    allowed: AllowedConfig = field(default_factory=AllowedConfig)
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    servers: dict[str, ServerConfig] = field(default_factory=dict)

    @property
    def state_path(self) -> Path:
        """Where the spool is."""
        return Path(self.state_folder).expanduser() if self.state_folder else _platform_folders().state_folder()

    @property
    def cache_path(self) -> Path:
        """Where synthetic models are."""
        return Path(self.cache_folder).expanduser() if self.cache_folder else _platform_folders().cache_folder()


def _platform_folders() -> ModuleType:
    from edgeprof import folders  # noqa: PLC0415  it costs 1.5 MB of memory, and a service names its folders

    return folders


def read_config(path: Path | None) -> AgentConfig:
    """Read a configuration file; without one, take the defaults.

    Raises:
        ConfigError: a key is unknown or a value wrong.
    """
    return read_toml(path, AgentConfig) if path else AgentConfig()


def is_address(text: str) -> bool:
    """Whether this is a host and a port: ``collector.lan:7743``, ``[::1]:7743``."""
    return re.match(_ADDRESS, text) is not None
