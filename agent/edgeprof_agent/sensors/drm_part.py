"""What is read of a card, part by part, and the sensor that reads the parts of a card that is awake."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.drm_card import DrmCard
from edgeprof_agent.sensors.drm_sleep import CardState, SleepWatch
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import SensorLostError


class Part(Protocol):
    """One or more values of a card.

    Those that are ``is_counted`` the kernel counts itself: they are always right, and asking keeps no card awake.
    """

    is_counted: bool

    def read(self) -> list[Reading]:
        """Return what can be read now."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class IntegerFile:
    """A file with one integer. ``convert`` tells what it means, and ``None`` for what cannot be."""

    def __init__(
        self, found: Channel, path: Path, convert: Callable[[int], float | None], *, is_counted: bool = False
    ) -> None:
        self.is_counted = is_counted
        self._channel = found
        self._file = KernelFile(path)
        self._convert = convert

    def read(self) -> list[Reading]:
        """Return the value if there is one."""
        raw = self._file.read_int()
        value = None if raw is None else self._convert(raw)
        return [] if value is None else [Reading(self._channel, value)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CardSensor:
    """Parts of one card, as far as ``SleepWatch`` lets it be read; while a workload runs it counts as in use.

    Each card has a worker of its own, since its firmware may take its time.
    """

    def __init__(self, name: str, tier: Tier, worker: str, sleep: SleepWatch, parts: Sequence[Part]) -> None:
        self.name = name
        self.tier = tier
        self.worker = worker
        self._sleep = sleep
        self._parts = tuple(parts)

    def follow(self, pid: int | None) -> None:
        """Read the card at every sample while there is a process to follow, whether it uses the card or not."""
        self._sleep.is_in_use = pid is not None

    def sample(self) -> Sequence[Reading]:
        """Return what the parts give.

        Raises:
            SensorLostError: the card may be read and gives nothing.
        """
        state = self._sleep.look()
        readings = self._read(state)
        if not readings and state is CardState.READABLE:
            raise SensorLostError("the card gives no value")
        return readings

    def is_available(self) -> bool:
        """Tell whether the card gives a value now, or may when it is awake."""
        state = self._sleep.look()
        return bool(self._parts) and (state is not CardState.READABLE or bool(self._read(state)))

    def close(self) -> None:
        """Close the files."""
        self._sleep.close()
        for part in self._parts:
            part.close()

    def _read(self, state: CardState) -> list[Reading]:
        if state is CardState.ASLEEP:
            return []
        parts = [part for part in self._parts if part.is_counted or state is CardState.READABLE]
        return [reading for part in parts for reading in part.read()]


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """A sensor to be: what it appends to its card's name, its tier, its parts, and its worker if not the card's."""

    suffix: str
    tier: Tier
    parts: Sequence[Part]
    own_worker: bool = False


def build_sensors(card: DrmCard, plans: Sequence[SensorPlan], watch: Callable[[Path], SleepWatch]) -> list[CardSensor]:
    """Return the sensors of a card that are available; the others are closed again."""
    found = []
    for plan in plans:
        name = f"{card.driver}_{card.name}{plan.suffix}"
        worker = name if plan.own_worker else f"{card.driver}_{card.name}"
        sensor = CardSensor(name, plan.tier, worker, watch(card.device), plan.parts)
        if sensor.is_available():
            found.append(sensor)
        else:
            sensor.close()
    return found
