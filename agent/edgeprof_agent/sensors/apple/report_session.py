"""A subscription to IOReport that is made anew when it was lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from edgeprof_agent.sensors.apple.io_report import (
    Interval,
    IOReport,
    ReportChannel,
    ReportUnavailableError,
    Subscription,
)
from edgeprof_agent.sensors.sensor import SensorLostError


class ReportSession:
    """What a sensor asks of one group. After a loss the next sample subscribes again, and gives nothing yet."""

    def __init__(self, report: IOReport, group: str, subgroup: str | None, keep: Callable[[str], bool]) -> None:
        """Subscribe.

        Raises:
            ReportUnavailableError: this macOS does not let anybody have these channels.
        """
        self._subscribe = partial(Subscription, report, group, subgroup, keep)
        first = self._subscribe()
        self._subscription: Subscription | None = first
        self._is_new = False
        self.channels: tuple[ReportChannel, ...] = first.channels

    @contextmanager
    def interval(self) -> Iterator[Interval]:
        """Give what was counted since the sample before.

        Raises:
            SensorLostError: the group is gone, or its channels have changed.
        """
        if self._subscription is None:
            try:
                self._subscription = self._subscribe()
            except ReportUnavailableError as error:
                raise SensorLostError(str(error)) from error
            self.channels = self._subscription.channels
            self._is_new = True
        try:
            with self._subscription.interval() as interval:
                yield interval
        except SensorLostError:
            self.close()
            raise

    def has_begun_anew(self) -> bool:
        """Tell once whether the channels have been described again since they were last asked for."""
        is_new, self._is_new = self._is_new, False
        return is_new

    def close(self) -> None:
        """End the subscription."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
