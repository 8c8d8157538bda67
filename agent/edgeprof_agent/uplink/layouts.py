"""The numbers under which sets of channels are described."""

import random
import sqlite3

from edgeprof.telemetry import Channel, channel_from_message, channel_to_message
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_agent.uplink.database import Database


class Layouts:
    """Gives every set of channels a number, and keeps its description until no message can need it.

    Numbers are never used twice. Channels come and go for ever on some devices (a network interface for each
    container), so a description is forgotten when all messages that used it are acknowledged and another set
    of channels turns up.
    """

    def __init__(self, database: Database, newest_position: int) -> None:
        self._numbers: dict[tuple[Channel, ...], int] = {}
        self._layouts: dict[int, Layout] = {}
        self._last_used: dict[int, int] = {}
        self._unsaved: set[int] = set()
        self._forgotten: set[int] = set()
        self._newest = 0
        for number, content in database.rows("SELECT number, layout FROM layouts"):
            layout = Layout.FromString(content)
            channels = tuple(channel_from_message(channel) for channel in layout.channels)
            self._add(number, channels, layout, newest_position)
        # A life that could not write its numbers, the disk being full, may have sent them: this one begins elsewhere.
        self._newest += random.randrange(1 << 16)

    @property
    def unsaved(self) -> bool:
        """Whether a description is not on the disk yet."""
        return bool(self._unsaved)

    def number(self, channels: tuple[Channel, ...], position: int, acknowledged: int) -> int:
        """Return the number of a set of channels, a new one if need be.

        Args:
            channels: the set, in order.
            position: of the message that is about to use it.
            acknowledged: the position up to which messages are acknowledged.
        """
        number = self._numbers.get(channels)
        if number is None:
            self._forget_unused(acknowledged)
            number = self._newest + 1
            described = [channel_to_message(channel) for channel in channels]
            self._add(number, channels, Layout(layout=number, channels=described), position)
            self._unsaved.add(number)
        self._last_used[number] = position
        return number

    def layout(self, number: int) -> Layout:
        """Return the description that goes by this number."""
        return self._layouts[number]

    def save(self, connection: sqlite3.Connection) -> None:
        """Write what changed, in the transaction of the messages that use it; then call :meth:`saved`."""
        connection.executemany("DELETE FROM layouts WHERE number = ?", [(number,) for number in self._forgotten])
        connection.executemany(
            "INSERT OR REPLACE INTO layouts VALUES (?, ?)",
            [(number, self._layouts[number].SerializeToString()) for number in self._unsaved],
        )

    def saved(self) -> None:
        """What :meth:`save` wrote is committed."""
        self._unsaved.clear()
        self._forgotten.clear()

    def refill(self) -> None:
        """The file is a new one: all of it must be written again."""
        self._unsaved = set(self._layouts)
        self._forgotten.clear()

    def _add(self, number: int, channels: tuple[Channel, ...], layout: Layout, position: int) -> None:
        self._numbers[channels] = number
        self._layouts[number] = layout
        self._last_used[number] = position
        self._newest = max(self._newest, number)

    def _forget_unused(self, acknowledged: int) -> None:
        for channels, number in list(self._numbers.items()):
            if self._last_used[number] <= acknowledged:
                del self._numbers[channels], self._layouts[number], self._last_used[number]
                self._unsaved.discard(number)
                self._forgotten.add(number)
