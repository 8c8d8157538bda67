"""Synthetic models on this device's disk: written once, checked before each use."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.file_lock import locked
from edgeprof_agent.models.fingerprint import Fingerprint, recall, remember, take_fingerprint
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import SyntheticSpec
from edgeprof_agent.models.synthetic import VERSION, write_model

_SPARE_BYTES = 256 << 20
"""What a model must leave free on the disk: the device has more to write than models."""

_WRITING_RATIO = 0.8
"""The share of the progress that writing stands for; the rest is reading the file back for its hash."""


def cached_model(
    spec: SyntheticSpec, cache_folder: Path, on_progress: Callable[[float], None]
) -> tuple[Path, Fingerprint]:
    """Return the path and the fingerprint of a synthetic model, writing it if it is missing, damaged or outdated.

    The file's hash is compared again whenever its size or its time of change is not what it was. Several processes
    may ask at once: one writes, the others wait for it.

    Raises:
        EdgeprofError: the disk has no room for the model, or the folder cannot be written to.
    """
    folder = cache_folder / "models"
    path = folder / f"{spec.shape.name}@{spec.quantisation.name}.gguf"
    record = path.with_name(f"{path.name}.v{VERSION}.json")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f"{path.name}.lock")):
            found = _intact(path, record, on_progress) or _write(spec, path, record, on_progress)
    except OSError as error:
        raise EdgeprofError(_why_unwritable(error, folder)) from error
    return path, found


def refuse_without_room(needed_bytes: int, folder: Path, name: str) -> None:
    """Refuse a file of ``needed_bytes`` for which the disk of ``folder`` has no room.

    Raises:
        EdgeprofError: there is none.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + _SPARE_BYTES:
        raise EdgeprofError(
            f"{name} needs {needed_bytes / 1e9:.2f} GB of disk, and {folder} has {free_bytes / 1e9:.2f} GB free, of "
            f"which {_SPARE_BYTES / 1e9:.2f} GB stay free: make room, or choose a smaller shape or quantisation"
        )


def _intact(path: Path, record: Path, on_progress: Callable[[float], None]) -> Fingerprint | None:
    """The fingerprint of the file at ``path`` if it is what was once written there."""
    known = recall(record)
    if known is None or not path.is_file():
        return None
    if known.still_fits(path):
        return known
    if known.file_bytes != path.stat().st_size:
        return None
    found = take_fingerprint(path, on_progress)
    if found.sha256 != known.sha256:
        return None
    remember(record, found)
    return found


def _write(spec: SyntheticSpec, path: Path, record: Path, on_progress: Callable[[float], None]) -> Fingerprint:
    """Write the model beside ``path`` and put it there when it is whole and on the disk."""
    part = path.with_name(f"{path.name}.part")
    path.unlink(missing_ok=True)
    try:
        refuse_without_room(planned_facts(spec).file_bytes, path.parent, spec.name)
        write_model(spec, part, lambda ratio: on_progress(ratio * _WRITING_RATIO))
        found = take_fingerprint(part, lambda ratio: on_progress(_WRITING_RATIO + ratio * (1 - _WRITING_RATIO)))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)
    remember(record, found)
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why_unwritable(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{folder}: the disk is full; make room, or choose a smaller shape or quantisation"
    reason = f"the synthetic model cannot be written: {error.strerror}"
    return f"{folder}: {reason}; let the user that edgeprof runs as write there"
