"""What a Mac with Apple Silicon is: facts that sysctl(3), the registry and the power sources tell."""

from dataclasses import replace
from pathlib import Path

from edgeprof.device import Accelerator, DeviceFacts
from edgeprof_agent.sensors.apple.family import is_macos
from edgeprof_agent.sensors.apple.mac import GPU, Mac, find_mac
from edgeprof_agent.sensors.apple.system import System

_LOW_POWER = "com.apple.system.lowpowermode"  # the state that NSProcessInfo.isLowPowerModeEnabled is made from
_POWER_SOURCES = {"AC Power": "mains", "Battery Power": "battery", "UPS Power": "battery"}
_GPU_CLASS, _GPU_CORES = "AGXAccelerator", "gpu-core-count"


def chip_name(system: System) -> str | None:
    """Name the chip: ``Apple M4 Max``."""
    return system.text("machdep.cpu.brand_string")


def gpu_product(mac: Mac, chip: str | None) -> str | None:
    """Name the GPU by its chip and its count of cores, which tell variants of one chip apart; ``None`` without one."""
    with mac.registry.service(_GPU_CLASS) as service:
        if service is None:
            return None
        cores = service.integer(_GPU_CORES)
    return f"{chip or 'Apple'} {cores}-core GPU" if cores else f"{chip or 'Apple'} GPU"


def with_mac(facts: DeviceFacts, root: Path) -> DeviceFacts:
    """Return the facts with what a Mac under ``root`` tells about itself; unchanged for any other device."""
    mac = _find(root)
    if mac is None:
        return facts
    text, integer = mac.system.text, mac.system.integer
    chip = chip_name(mac.system)
    release = text("kern.osproductversion")
    told = replace(
        facts,
        hostname=text("kern.hostname") or facts.hostname,
        architecture="arm64",
        logical_cores=integer("hw.logicalcpu") or facts.logical_cores,
        physical_cores=integer("hw.physicalcpu") or facts.physical_cores,
        cpu_model=chip or facts.cpu_model,
        soc=chip or facts.soc,
        last_level_cache_bytes=_second_level_bytes(mac.system) or facts.last_level_cache_bytes,
        memory_total_bytes=integer("hw.memsize") or facts.memory_total_bytes,
        os=f"macOS {release}" if release else facts.os,
        kernel=text("kern.osrelease") or facts.kernel,
        board=text("hw.model") or facts.board,
        power_mode=_power_mode(mac.system),
        power_source=_power_source(mac),
        accelerators=(*facts.accelerators, *_accelerators(mac, chip)),
    )
    _close(mac)
    return told


def with_power_of_mac(facts: DeviceFacts, root: Path) -> DeviceFacts:
    """Return the facts with those of a Mac that change while it runs; unchanged for any other device."""
    mac = _find(root)
    if mac is None:
        return facts
    told = replace(facts, power_mode=_power_mode(mac.system), power_source=_power_source(mac))
    _close(mac)
    return told


def _find(root: Path) -> Mac | None:
    return find_mac(root) if is_macos(root) else None


def _close(mac: Mac) -> None:
    mac.system.close()
    mac.core_foundation.close()


def _power_mode(system: System) -> str | None:
    state = system.state(_LOW_POWER)
    return None if state is None else "low power" if state else "automatic"


def _power_source(mac: Mac) -> str | None:
    return _POWER_SOURCES.get(mac.registry.power_source() or "")


def _second_level_bytes(system: System) -> int | None:
    """Add up the clusters' caches. The chip's system level cache behind them is told by nothing."""
    total = 0
    for level in range(system.integer("hw.nperflevels") or 0):
        names = ("l2cachesize", "physicalcpu", "cpusperl2")
        size_bytes, cores, cores_per_cache = (system.integer(f"hw.perflevel{level}.{name}") for name in names)
        if not size_bytes or not cores or not cores_per_cache:
            return None
        total += size_bytes * max(cores // cores_per_cache, 1)
    return total or None


def _accelerators(mac: Mac, chip: str | None) -> tuple[Accelerator, ...]:
    product = gpu_product(mac, chip)
    return () if product is None else (Accelerator(name=GPU, product=product, vendor="Apple", unified_memory=True),)
