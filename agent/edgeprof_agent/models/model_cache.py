"""Synthetic models on this device's disk: written once, checked before each use."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.file_lock import locked
from edgeprof_agent.models.fingerprint import Fingerprint, of_folder, recall, remember, take_fingerprint
from edgeprof_agent.models.hf_folder import FOLDER_FILES, write_folder
from edgeprof_agent.models.model_format import ModelFormat
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import SyntheticSpec
from edgeprof_agent.models.progress import share_of_progress
from edgeprof_agent.models.synthetic import write_model
from edgeprof_agent.models.weights import VERSION

_SPARE_BYTES = 256 << 20
"""What a model must leave free on the disk: the device has more to write than models."""

_WRITING_RATIO = 0.8
"""The share of the progress that writing stands for; the rest is reading the file back for its hash."""


def cached_model(
    spec: SyntheticSpec, cache_folder: Path, on_progress: Callable[[float], None]
) -> tuple[Path, Fingerprint]:
    """Return the path and the fingerprint of a synthetic model, writing it if it is missing, damaged or outdated.

    A file's hash is compared again whenever its size or its time of change is not what it was. Several processes
    may ask at once: one writes, the others wait for it.

    Raises:
        EdgeprofError: the disk has no room for the model, or the folder cannot be written to.
    """
    folder = cache_folder / "models"
    place = _Place(spec, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(place.beside("lock")):
            found = _intact(place, on_progress) or _write(spec, place, on_progress)
    except OSError as error:
        raise EdgeprofError(_why_unwritable(error, folder)) from error
    return place.path, found


class _Place:
    """Where a model is kept, the files it consists of, and where what is known of each is remembered."""

    def __init__(self, spec: SyntheticSpec, folder: Path) -> None:
        stem = f"{spec.shape.name}@{spec.quantisation.name}"
        if spec.quantisation.format is ModelFormat.GGUF:
            self.path = folder / f"{stem}.gguf"
            self._names: tuple[str, ...] = ("",)
        else:
            self.path = folder / stem
            self._names = FOLDER_FILES

    def beside(self, ending: str) -> Path:
        """A path in the same folder that only this model has."""
        return self.path.with_name(f"{self.path.name}.{ending}")

    def files(self, at: Path) -> dict[Path, Path]:
        """The files of the model when it is at the path ``at``, and the record of each."""
        return {
            at / name: self.beside(f"{name}.v{VERSION}.json" if name else f"v{VERSION}.json") for name in self._names
        }

    def combined(self, found: list[Fingerprint]) -> Fingerprint:
        """The model's fingerprint, from those of its files."""
        return found[0] if len(found) == 1 else of_folder(dict(zip(self._names, found, strict=True)))


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


def _intact(place: _Place, on_progress: Callable[[float], None]) -> Fingerprint | None:
    """The fingerprint of the model if each of its files is what was once written there."""
    found = []
    for path, record in place.files(place.path).items():
        known = _known(path, record, on_progress)
        if known is None:
            return None
        found.append(known)
    return place.combined(found)


def _known(path: Path, record: Path, on_progress: Callable[[float], None]) -> Fingerprint | None:
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


def _write(spec: SyntheticSpec, place: _Place, on_progress: Callable[[float], None]) -> Fingerprint:
    """Write the model beside its path and put it there when it is whole and on the disk."""
    part = place.beside("part")
    _remove(place.path)
    if part.is_dir():  # left by a process that was killed; a file is overwritten
        shutil.rmtree(part)
    write = write_model if spec.quantisation.format is ModelFormat.GGUF else write_folder
    try:
        refuse_without_room(planned_facts(spec).file_bytes, place.path.parent, spec.name)
        write(spec, part, share_of_progress(on_progress, 0, _WRITING_RATIO))
        found = _take_fingerprints(
            list(place.files(part)), share_of_progress(on_progress, _WRITING_RATIO, 1 - _WRITING_RATIO)
        )
        part.replace(place.path)
    finally:
        _remove(part)
    _sync_folder(place.path.parent)
    for record, known in zip(place.files(place.path).values(), found, strict=True):
        remember(record, known)
    return place.combined(found)


def _take_fingerprints(paths: list[Path], on_progress: Callable[[float], None]) -> list[Fingerprint]:
    """Read files whole, one after another."""
    total, done = sum(path.stat().st_size for path in paths), 0
    found = []
    for path in paths:
        size = path.stat().st_size
        found.append(take_fingerprint(path, share_of_progress(on_progress, done / total, size / total)))
        done += size
    return found


def _remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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
