"""What a device is: facts gathered once, and again when they change."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """A GPU or another processor beside the CPU. ``name`` is stable within the device: ``gpu0``.

    ``memory_clock_max_hertz`` and ``memory_bus_bits`` are of memory of its own, which moves data twice per clock.
    """

    name: str
    product: str
    vendor: str
    memory_total_bytes: int | None = None
    driver_version: str | None = None
    unified_memory: bool = False
    memory_clock_max_hertz: int | None = None
    memory_bus_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """Identity and make-up of a device. ``None`` means that the device does not tell.

    ``power_source`` is ``mains`` or ``battery``; ``labels`` are the owner's, for selecting devices.
    ``memory_bus_bits`` is the width of all channels together. ``power_limits_watts`` and ``clock_limits_hertz`` are
    what the owner or the firmware limits, by names such as ``package-0 long_term`` and ``cpu 0-3``. ``imported_from``
    is the benchmark whose results were imported, and empty for a device that runs an agent. What that benchmark does
    not tell of the device is 0 or empty.
    """

    device_id: str
    hostname: str
    architecture: str
    logical_cores: int
    memory_total_bytes: int
    os: str
    kernel: str
    agent_version: str
    board: str | None = None
    soc: str | None = None
    cpu_model: str | None = None
    physical_cores: int | None = None
    last_level_cache_bytes: int | None = None
    firmware: str | None = None
    power_mode: str | None = None
    governor: str | None = None
    power_source: str | None = None
    memory_type: str | None = None
    memory_transfers_per_second: int | None = None
    memory_bus_bits: int | None = None
    power_limits_watts: dict[str, float] = field(default_factory=dict)
    clock_limits_hertz: dict[str, float] = field(default_factory=dict)
    accelerators: tuple[Accelerator, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    imported_from: str = ""
