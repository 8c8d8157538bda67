"""What a run needs of the agent around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeprof.device import DeviceFacts
from edgeprof.run import Progress, RunEvent
from edgeprof.telemetry import Channel
from edgeprof_agent.sampling.cadence import Cadence
from edgeprof_agent.workload.server_config import ServerConfig


class RunSampler(Protocol):
    """What a run asks of the sampler."""

    def set_cadence(self, cadence: Cadence) -> None:
        """Sample at this cadence from now on; the open frame is closed first."""
        ...

    def follow_process(self, pid: int | None) -> None:
        """Have the workload's sensors read this process and its descendants."""
        ...

    def latest(self) -> Mapping[Channel, float]:
        """Return the last value of each channel."""
        ...

    def flush(self) -> None:
        """Close the open frame, and return when it has been handed over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnvironment:
    """The device, its sampler, and where a run's events and progress go.

    ``boot_id`` is the kernel's, 16 bytes. ``emit`` gets every event once, in order; ``report`` gets progress about
    once a second, and may lose it. ``check`` is called every other second and raises `LimitReachedError` when the
    device does not let the run go on. All are called on the event loop and must be quick. ``launcher`` goes before the
    command of every engine, such as what puts it into a control group.
    """

    run_id: str
    facts: DeviceFacts
    boot_id: bytes
    sampler: RunSampler
    emit: Callable[[RunEvent], None]
    report: Callable[[Progress], None]
    cache_folder: Path
    check: Callable[[], None] = lambda: None
    launcher: tuple[str, ...] = ()
    servers: Mapping[str, ServerConfig] = field(default_factory=dict)
