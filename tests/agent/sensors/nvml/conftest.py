"""Machines with GPUs of the stand-in."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.agent.sensors.nvml.machine import TODAY, Machine, Start, compile_stand_in


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Builds the stand-in for a generation of drivers, once."""
    return cache(lambda driver: compile_stand_in(tmp_path_factory.mktemp(f"driver{driver}"), driver))


@pytest.fixture
def start(library: Callable[[int], Path], tmp_path: Path) -> Iterator[Start]:
    """Starts machines with the GPUs named, and sees to it that they end well."""
    machines: list[Machine] = []

    def start_machine(gpus: str, driver: int = TODAY, *, mig: bool = False) -> Machine:
        machines.append(Machine(library(driver), gpus, tmp_path, mig=mig))
        return machines[-1]

    yield start_machine
    assert [machine.end() for machine in machines] == [0] * len(machines)
