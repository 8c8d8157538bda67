"""The agent's one SQLite file: one process opens it, few transactions write it, damage sets it aside."""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from edgeprof.errors import EdgeprofError

_log = logging.getLogger(__name__)

_SHRINK_BYTES = 4 * 1024 * 1024

# One row per message, in the order of `position`; positions are dense and never used twice. A row with `gap_first`
# stands for the messages gap_first..position, which were dropped for `gap_cause`.
_VERSION_1 = """
CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    priority INTEGER NOT NULL,
    spooled_seconds INTEGER NOT NULL,
    body BLOB,
    gap_first INTEGER,
    gap_cause INTEGER
);
CREATE INDEX messages_by_priority ON messages (priority);
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch BLOB NOT NULL,
    epoch_start INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    never_sent_from INTEGER
);
CREATE TABLE layouts (number INTEGER PRIMARY KEY, layout BLOB NOT NULL);
CREATE TABLE jobs (job_id TEXT PRIMARY KEY, status BLOB NOT NULL, acknowledged INTEGER NOT NULL);
"""

# The agent processes that have used the file, the oldest first.
_VERSION_2 = "CREATE TABLE lives (number INTEGER PRIMARY KEY, life BLOB NOT NULL);"

# What the wall clock showed, boot by boot, the earliest first.
_VERSION_3 = """
CREATE TABLE clocks (
    number INTEGER PRIMARY KEY,
    boot_id BLOB NOT NULL,
    elapsed_ns INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL
);
"""

# When runs began, by the wall clock, for a policy that counts them.
_VERSION_4 = "CREATE TABLE run_starts (number INTEGER PRIMARY KEY, wall_seconds INTEGER NOT NULL);"

_VERSIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)

# NORMAL: a commit outlives the process at once, and the power from the next checkpoint on. EXCLUSIVE needs no shared
# memory file. INCREMENTAL gives space back page by page, on a disk too full for a copy. Some distributions overwrite
# deleted content unless told otherwise, which doubles what is written.
_PRAGMAS = (
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = OFF",
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA cache_size = -512",
)


class DamagedError(Exception):
    """The file is no SQLite database, or not a sound one."""


class UnwritableError(Exception):
    """The file is sound but cannot be written now, as when the disk is full."""


class Database:
    """The file ``spool.db`` in the agent's state folder.

    ``refills`` are called, in order, after a damaged file was set aside while the agent ran: whoever keeps
    something in the file puts back what it knows.

    Args:
        folder: the state folder; made when missing.

    Raises:
        EdgeprofError: another agent uses the folder, or the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spool.db"
        self.refills: list[Callable[[], object]] = []
        self.was_damaged = False
        self.set_aside_files = 0
        self._lock = _lock(folder)
        try:
            try:
                self._connection = _open(self.path)
            except DamagedError as error:
                self.was_damaged = True
                self._set_aside(error)
                self._connection = _open(self.path)
        except BaseException:
            self._lock.close()
            raise

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Return what a query finds.

        Raises:
            DamagedError: the file cannot be read; call :meth:`replace`.
        """
        try:
            with _telling_damage():
                return self._connection.execute(query, parameters).fetchall()
        except UnwritableError as error:  # reading needs no space: the disk itself fails
            raise DamagedError(str(error)) from error

    @contextmanager
    def transaction(self, *, outlives_power: bool = False) -> Iterator[sqlite3.Connection]:
        """Commit everything that the block executes, or nothing of it.

        With ``outlives_power`` it has reached the disk when the block ends, which wears flash: for what is rare.

        Raises:
            DamagedError: the file is damaged; call :meth:`replace`.
            UnwritableError: the disk is full or fails.
        """
        try:
            with _telling_damage():
                if outlives_power:
                    self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if outlives_power:
                self._connection.execute("PRAGMA synchronous = NORMAL")

    def replace(self, error: DamagedError) -> None:
        """Set the damaged file aside and start a new one, with what ``refills`` put back."""
        self.was_damaged = True
        self._connection.close()
        self._set_aside(error)
        self._connection = _open(self.path)
        for refill in self.refills:
            refill()

    def free_bytes(self) -> int:
        """Bytes that this process may still write to the file's disk."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def shrink(self) -> None:
        """Give the disk back what the file no longer needs, if that is much.

        Raises:
            UnwritableError: the disk is full or fails.
        """
        with _telling_damage():
            if file_bytes(self._connection) - used_bytes(self._connection) > _SHRINK_BYTES:
                # A page for each step: execute() takes but one, since the pragma gives no rows.
                self._connection.executescript("PRAGMA incremental_vacuum")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Bring everything into the main file and let go of the folder."""
        self._connection.close()
        self._lock.close()

    def _set_aside(self, error: DamagedError) -> None:
        """Rename the file, with its log. Only the last one set aside is kept: each may be as large as the bound."""
        for old in self.path.parent.glob(f"{self.path.name}.damaged-*"):
            old.unlink()
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        for suffix in ("", "-wal"):
            part = Path(f"{self.path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
        self.set_aside_files += 1
        _log.warning("%s is damaged (%s): set aside as %s; going on with a new one", self.path, error, aside.name)


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something, found without reading it."""
    (free_pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return file_bytes(connection) - int(free_pages * page_bytes)


def file_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the whole file, what was deleted in it included."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * page_bytes)


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise EdgeprofError(f"{path}: {error}; choose another --state-folder") from error
    try:
        with _telling_damage():
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < len(_VERSIONS):
                scripts = "".join(_VERSIONS[version:])
                connection.executescript(f"BEGIN; {scripts} PRAGMA user_version = {len(_VERSIONS)}; COMMIT;")
        _refuse_newer(version, path)
    except UnwritableError as error:
        connection.close()
        raise EdgeprofError(f"{path}: {error}; free space on its disk, or choose another --state-folder") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_newer(version: int, path: Path) -> None:
    if version > len(_VERSIONS):
        raise EdgeprofError(f"{path} was written by a newer edgeprof-agent: update this one, or move the file away")


@contextmanager
def _telling_damage() -> Iterator[None]:
    """Tell damage from a full or failing disk. Python's module raises the base class itself only for damage."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnwritableError(str(error)) from error
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:
            raise DamagedError(str(error)) from error
        raise


def _lock(folder: Path) -> IO[str]:
    """Hold the folder for this process until the file returned is closed."""
    path = folder / "spool.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be written: {error.strerror}; choose another --state-folder") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise EdgeprofError(
            f"another edgeprof-agent (process {holder}) uses {folder}: stop it, or choose another --state-folder"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
