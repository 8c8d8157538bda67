"""The clocks that go with performance states, as the power manager's entry in the registry lists them.

A table is data: pairs of a clock and a voltage, 32 bits each. Clocks are in Hz up to the M3 and in kHz from the M4 on;
their size tells which.
"""

import struct

from edgeprof_agent.sensors.apple.io_registry import IORegistry, Service

_CLASS, _NAME = "AppleARMIODevice", "pmgr"
_GPU_TABLES = ("voltage-states9-sram", "voltage-states9")
# By the letter of a core's kind: efficiency and performance cores. The M5's middle kind is looked up among clusters.
_CORE_TABLES = {"E": "voltage-states1-sram", "P": "voltage-states5-sram"}
_MIDDLE_CORES = "M"
_CLUSTERS, _MIDDLE_CLUSTER = "acc-clusters", 1  # entries of 8 bytes: the table's number, the kind of the cluster
_LEAST_HERTZ = 1e8  # no state of any chip is slower, and no clock in kHz is as large a number


def gpu_clocks_hertz(registry: IORegistry) -> tuple[float, ...]:
    """Return the GPU's clocks from its lowest state up; empty if the registry does not have them."""
    with registry.service(_CLASS, _NAME) as manager:
        tables = (_table(manager, key) for key in _GPU_TABLES)
        return next((table for table in tables if table), ())


def core_clocks_hertz(registry: IORegistry) -> dict[str, tuple[float, ...]]:
    """Return the clocks of each kind of core, by its letter."""
    with registry.service(_CLASS, _NAME) as manager:
        keys = dict(_CORE_TABLES)
        if middle := _middle_table(manager):
            keys[_MIDDLE_CORES] = middle
        return {letter: table for letter, key in keys.items() if (table := _table(manager, key))}


def _middle_table(manager: Service | None) -> str | None:
    content = (manager.content(_CLUSTERS) if manager else None) or b""
    entries = [(content[start], content[start + 1]) for start in range(0, len(content) - 7, 8)]
    return next((f"voltage-states{number}-sram" for number, kind in entries if kind == _MIDDLE_CLUSTER), None)


def _table(manager: Service | None, key: str) -> tuple[float, ...]:
    content = (manager.content(key) if manager else None) or b""
    raw = [clock for clock, _ in struct.iter_unpack("<II", content[: len(content) // 8 * 8]) if clock]
    return tuple(float(clock) if clock >= _LEAST_HERTZ else clock * 1000.0 for clock in raw)
