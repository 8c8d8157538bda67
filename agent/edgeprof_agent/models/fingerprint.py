"""The SHA-256 of a file, computed once and remembered while the file's size and time of change stay the same."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

_CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a file was when it was read whole; ``sha256`` is empty if it has not been."""

    file_bytes: int
    modified_ns: int
    sha256: str

    def still_fits(self, path: Path) -> bool:
        """Whether the file at ``path`` has not been changed since, as far as its size and time of change tell."""
        status = path.stat()
        return (self.file_bytes, self.modified_ns) == (status.st_size, status.st_mtime_ns)


def fingerprint(path: Path, cache_folder: Path, on_progress: Callable[[float], None]) -> Fingerprint:
    """Return the fingerprint of the file at ``path``, remembered in ``cache_folder``.

    Raises:
        OSError: the file cannot be read, or the record not written.
    """
    path_hash = hashlib.sha256(str(path.absolute()).encode()).hexdigest()
    record = cache_folder / "fingerprints" / f"{path_hash[:32]}.json"
    known = recall(record)
    if known and known.still_fits(path):
        return known
    found = take_fingerprint(path, on_progress)
    remember(record, found)
    return found


def unread(path: Path) -> Fingerprint:
    """What the file at ``path`` is, as far as that is known without reading it.

    Raises:
        OSError: it is not there.
    """
    status = path.stat()
    return Fingerprint(file_bytes=status.st_size, modified_ns=status.st_mtime_ns, sha256="")


def take_fingerprint(path: Path, on_progress: Callable[[float], None]) -> Fingerprint:
    """Read the file at ``path`` whole. ``on_progress`` gets the share that is done."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            on_progress(min(done / status.st_size, 1.0))
    return Fingerprint(file_bytes=status.st_size, modified_ns=status.st_mtime_ns, sha256=digest.hexdigest())


def of_folder(files: Mapping[str, Fingerprint]) -> Fingerprint:
    """The fingerprint of a folder, from those of its files by name.

    The hash is that of a list as ``sha256sum`` prints one: a line for each file, by name, hash first.
    """
    listing = "".join(f"{found.sha256}  {name}\n" for name, found in sorted(files.items()))
    return Fingerprint(
        file_bytes=sum(found.file_bytes for found in files.values()),
        modified_ns=max(found.modified_ns for found in files.values()),
        sha256=hashlib.sha256(listing.encode()).hexdigest(),
    )


def recall(record: Path) -> Fingerprint | None:
    """What is remembered; ``None`` if nothing is, or it cannot be made out, as after a power cut."""
    try:
        return msgspec.json.decode(record.read_bytes(), type=Fingerprint)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def remember(record: Path, found: Fingerprint) -> None:
    """Write a record so that it is there whole or not at all."""
    record.parent.mkdir(parents=True, exist_ok=True)
    part = record.with_name(f"{record.name}.{os.getpid()}.part")
    part.write_bytes(msgspec.json.encode(found))
    part.replace(record)
