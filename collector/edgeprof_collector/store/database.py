"""One SQLite file: a connection that writes, connections that read beside it, and errors that a person can read."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.schema import migrate

BUSY_SECONDS = 5.0

# FULL: what is committed has reached the disk. Devices delete what was acknowledged, so it must outlive a power cut.
_WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA secure_delete = OFF",
)

# What SQLite says, and what a person can do.
_WAYS_OUT = {
    "full": "the disk is full: free some space, or keep the store elsewhere with --store",
    "locked": "another program holds the file locked: stop it, or name another file with --store",
    "not a database": "it is no SQLite database: move it away, or name another file with --store",
    "malformed": "the file is damaged: restore a copy, or name another file with --store",
    "unable to open": "the file cannot be opened: check its folder, or name another file with --store",
    "readonly": "the file cannot be written: check its permissions, or name another file with --store",
}


class Database:
    """The file at ``path``, made when missing and brought to this program's version.

    Raises:
        StoreError: it cannot be made, opened or understood.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{path.parent} cannot be made: {error.strerror}; name another place with --store"
            ) from error
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._closed = False
        with explained(self.path):
            self._writer = self._connect()
            try:
                _return_freed_space(self._writer)
                migrate(self._writer, path)
                for pragma in _WRITER_PRAGMAS:
                    self._writer.execute(pragma)
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block executes, or nothing of it. Writers wait for one another, other processes' too.

        Raises:
            StoreError: the disk is full, the file locked or damaged.
        """
        with self._write_lock, explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Let the block read one state of the file, whatever is written meanwhile.

        Raises:
            StoreError: the file is damaged or gone.
        """
        with explained(self.path):
            with self._read_lock:
                connection = self._idle_readers.pop() if self._idle_readers else self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                with self._read_lock:
                    if self._closed:
                        connection.close()
                    else:
                        self._idle_readers.append(connection)

    def close(self) -> None:
        """Bring the write-ahead log into the file and let go of both."""
        with self._read_lock:
            self._closed = True
            for reader in self._idle_readers:
                reader.close()
            self._idle_readers.clear()
        with self._write_lock, explained(self.path):
            try:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection


def _return_freed_space(connection: sqlite3.Connection) -> None:
    """Let a new file become smaller when data are deleted. One that has tables stays as it is: SQLite would copy it."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file at ``path`` into a line for a person.

    Raises:
        StoreError: SQLite has raised an error within the block.
    """
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        way_out = next((way_out for words, way_out in _WAYS_OUT.items() if words in text), text)
        raise StoreError(f"{path}: {way_out}") from error
