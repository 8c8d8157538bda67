"""What every family of sensors gives on this device, asked once."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.registry import FAMILIES, Family
from edgeprof_agent.sensors.sensor import Closes, FollowsProcess, Sensor

_T = TypeVar("_T")

# NVML takes up to 3 s to wake a GPU without persistence mode, jetson-stats a second per value.
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySurvey:
    """The readings of one family, and what went wrong with it, if anything did."""

    family: str
    readings: tuple[Reading, ...]
    problem: str | None


def survey(
    root: Path, *, families: Sequence[Family] = FAMILIES, follow: int | None = None, gap_seconds: float = 0.25
) -> tuple[FamilySurvey, ...]:
    """Find the sensors of the device under ``root`` and sample each twice: a share of time needs two moments.

    Args:
        root: where the device's files are.
        families: whom to ask.
        follow: the process for the workload's sensors to read; none if ``None``.
        gap_seconds: the time between the samples.
    """
    asked = [_Asked(family, root, follow) for family in families]
    for one in asked:
        one.sample()
    time.sleep(gap_seconds)
    for one in asked:
        one.sample()
    return tuple(one.close() for one in asked)


class _Asked:
    """One family. It is asked no more once it has failed or not answered."""

    def __init__(self, family: Family, root: Path, follow: int | None) -> None:
        self._family = family.name
        self._follow = follow
        self._problem: str | None = None
        self._values: dict[Channel, float] = {}
        found = self._ask(lambda: family.discover(root))
        self._sensors: Sequence[Sensor] = () if found is None else found if isinstance(found, Sequence) else (found,)

    def sample(self) -> None:
        for sensor in self._sensors:
            readings = self._ask(partial(self._sample, sensor))
            self._values.update(readings or ())

    def close(self) -> FamilySurvey:
        if self._problem is None:  # else a thread may still be inside
            for sensor in self._sensors:
                if isinstance(sensor, Closes):
                    self._ask(sensor.close)
        readings = tuple(Reading(channel, value) for channel, value in self._values.items())
        return FamilySurvey(family=self._family, readings=readings, problem=self._problem)

    def _sample(self, sensor: Sensor) -> Sequence[Reading]:
        if isinstance(sensor, FollowsProcess):
            sensor.follow(self._follow)
        return sensor.sample()

    def _ask(self, call: Callable[[], _T]) -> _T | None:
        if self._problem is not None:
            return None
        try:
            return within(_ANSWER_SECONDS, call)
        except Exception as error:  # noqa: BLE001  whatever a family raises is its finding; the others are asked too
            self._problem = str(error) or type(error).__name__
            return None


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Return what ``call`` returns, or raise what it raises.

    Raises:
        TimeoutError: it has not ended in this time. Its thread is left behind.
    """
    thread = _Call(call)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer for {seconds:.0f} s")
    if thread.error is not None:
        raise thread.error
    return thread.result[0]


class _Call(threading.Thread, Generic[_T]):
    """A call on a thread that can be left behind if a driver hangs."""

    def __init__(self, call: Callable[[], _T]) -> None:
        super().__init__(name="bounded-call", daemon=True)
        self.result: list[_T] = []
        self.error: Exception | None = None
        self._call = call

    def run(self) -> None:
        try:
            self.result.append(self._call())
        except Exception as error:  # noqa: BLE001  raised again in the thread that asked
            self.error = error
