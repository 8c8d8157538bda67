"""Which processes have used the spool: how a collector tells an agent that started again from a copied disk."""

import os

from edgeprof_agent.uplink.database import DamagedError, Database, UnwritableError

# Of many starts without a collector, the first and the latest are told: the collector knows one of them.
_MOST = 32


class Lives:
    """This process and those before it, back to the last one that the collector has surely met.

    A copy of the spool, used by another agent, goes on with lives of its own. So the two are told apart, though they
    have the same identity and the same epoch.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lives = self._read()
        self._begin()
        database.refills.append(self._save)

    @property
    def names(self) -> tuple[bytes, ...]:
        """The lives, the latest first."""
        return tuple(reversed(self._lives))

    def welcomed(self) -> None:
        """The collector has met this life: those before it need not be told any more."""
        if len(self._lives) > 1:
            del self._lives[:-1]
            self._save()

    def _read(self) -> list[bytes]:
        try:
            return [life for (life,) in self._database.rows("SELECT life FROM lives ORDER BY number")]
        except DamagedError as error:
            self._database.replace(error)
            return []

    def _begin(self) -> None:
        """Add this process. On a disk that is full it goes on in the name of the one before, whose place it takes."""
        before = list(self._lives)
        self._lives.append(os.urandom(16))
        del self._lives[1 : max(len(self._lives) - _MOST, 0) + 1]
        if not self._save() and before:
            self._lives = before

    def _save(self) -> bool:
        try:
            try:
                self._write()
            except DamagedError as error:
                self._database.replace(error)
                self._write()
        except UnwritableError:
            return False
        return True

    def _write(self) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM lives")
            connection.executemany("INSERT INTO lives (life) VALUES (?)", [(life,) for life in self._lives])
