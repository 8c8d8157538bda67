"""The gate before a run: a device that is cool and idle, waited for within bounds."""

import asyncio
import time
from collections.abc import Callable

import psutil

from edgeprof.plan import Gates

_LOOK_SECONDS = 0.5


async def wait_at_gate(gates: Gates, temperature_celsius: Callable[[], float | None]) -> str:
    """Wait until the device is as cool and as idle as ``gates`` want, at most as long as they allow.

    The share of busy CPU is that of all cores over half a second; waiting for disks is not busy. A device without a
    temperature is let through.

    Returns:
        What was waited for and what was got, in one line.
    """
    if gates.start_temperature_celsius is None and gates.idle_cpu_ratio is None:
        return "nothing to wait for"
    begin = time.monotonic()
    while True:
        busy_ratio = await _busy_cpu_ratio()
        celsius = temperature_celsius()
        waited_seconds = time.monotonic() - begin
        found = _describe(gates, busy_ratio, celsius)
        too_busy = gates.idle_cpu_ratio is not None and busy_ratio > gates.idle_cpu_ratio
        too_hot = _exceeds(celsius, gates.start_temperature_celsius)
        if not too_busy and not too_hot:
            return f"after {waited_seconds:.1f} s: {found}"
        if waited_seconds >= gates.wait_seconds:
            return f"gave up after {waited_seconds:.1f} s: {found}"


def _describe(gates: Gates, busy_ratio: float, celsius: float | None) -> str:
    parts = []
    if gates.idle_cpu_ratio is not None:
        parts.append(f"CPU {busy_ratio:.0%} busy (wanted at most {gates.idle_cpu_ratio:.0%})")
    if gates.start_temperature_celsius is not None:
        found = "no temperature to read" if celsius is None else f"{celsius:.1f} °C"
        parts.append(f"{found} (wanted at most {gates.start_temperature_celsius:g} °C)")
    return ", ".join(parts)


def _exceeds(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


async def _busy_cpu_ratio() -> float:
    psutil.cpu_percent()  # a later call on the same thread counts from here
    await asyncio.sleep(_LOOK_SECONDS)
    return psutil.cpu_percent() / 100
