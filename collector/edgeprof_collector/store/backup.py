"""Copies of a store's file, taken while a collector writes it, and the way back."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edgeprof_collector.store.database import explained
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.schema import check_stamp

_BUSY_SECONDS = 1.0
_IN_USE = "is in use: stop the collector and every other edgeprof command on it first"


def back_up(store: Path, copy: Path) -> None:
    """Copy the store's file to ``copy`` as it is at one moment, checked. Who reads or writes it does not wait.

    Raises:
        StoreError: there is no store, ``copy`` exists, there is no room, or the store is damaged.
    """
    _expect_file(store, "--store")
    if copy.exists():
        raise StoreError(f"{copy} exists: name another file")
    with _part_of(copy) as part, explained(store), closing(_open(store)) as source:
        check_stamp(source, store)
        _copy_pages(source, store, part)
        _put(part, copy)


def restore(copy: Path, store: Path) -> Path | None:
    """Put a copy in the place of the store's file. What was there is kept beside it; return where, if there was any.

    Raises:
        StoreError: the copy is damaged, of a newer edgeprof or none at all; or the store is in use.
    """
    _expect_file(copy, "the copy")
    with _part_of(store) as part:
        with explained(copy), closing(_open(copy)) as source:
            check_stamp(source, copy)
            _copy_pages(source, copy, part)
        with _moved_away(store) as kept:
            _put(part, store)
        return kept


def _expect_file(path: Path, what: str) -> None:
    if not path.is_file():
        raise StoreError(f"{path} does not exist: name {what} that does")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """A file beside ``path``, to be put in its place; gone at the end of the block if it was not."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        yield part
    except OSError as error:
        raise StoreError(
            f"{error.filename or part} cannot be written: {error.strerror}; choose another place"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _copy_pages(source: sqlite3.Connection, path: Path, part: Path) -> None:
    """Copy the file at ``path`` in one go, so that constant writing does not hinder it; then see that it is sound."""
    with explained(part), closing(_open(part)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        faults = [row[0] for row in target.execute("PRAGMA integrity_check(1)")]
    if faults != ["ok"]:
        raise StoreError(f"{path} is damaged ({faults[0].splitlines()[-1]}): use an earlier copy")


def _put(part: Path, path: Path) -> None:
    """Let a file that is written take its place, whole or not at all."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


@contextmanager
def _moved_away(store: Path) -> Iterator[Path | None]:
    """Keep the former store under another name, locked during the block. A damaged one is kept too, with its log.

    Raises:
        StoreError: somebody uses it.
    """
    if not store.exists():
        yield None
        return
    kept = store.with_name(f"{store.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
    with closing(_open(store)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")  # possible only for one who is alone with the file
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):  # anything else is damage, with which nobody can work
                raise StoreError(f"{store} {_IN_USE}") from error
        for suffix in ("", "-wal", "-shm"):
            file = store.with_name(store.name + suffix)
            if file.exists():
                file.rename(kept.with_name(kept.name + suffix))
        yield kept
