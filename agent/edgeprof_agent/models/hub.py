"""Files of the Hugging Face Hub on this device's disk: fetched once, resumed where they were cut, checked by hash.

huggingface_hub knows the Hub's addresses, tokens, retries and errors. Its own cache begins every file anew after it
was interrupted (2.4.0), which a device with gigabytes to fetch over a slow link cannot afford: so where a file lies and
how it is continued is decided here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.file_download import http_get

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.file_lock import locked
from edgeprof_agent.models.fingerprint import Fingerprint, take_fingerprint
from edgeprof_agent.models.hub_errors import UNREACHABLE, raise_in_words
from edgeprof_agent.models.hub_reference import PREFIX, HubReference
from edgeprof_agent.models.model_cache import refuse_without_room

if TYPE_CHECKING:
    from typing_extensions import Self

_FETCHING_RATIO = 0.9
"""The share of the progress that fetching stands for; the rest is reading the file back for its hash."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A file as the Hub has it: the mark of its content, its size, and where it lies."""

    etag: str
    file_bytes: int
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was fetched: the Hub's mark of the file's content, and the file as it was then."""

    etag: str
    found: Fingerprint


def fetch(
    reference: HubReference,
    cache_folder: Path,
    on_progress: Callable[[float], None],
    await_consent: Callable[[int], None],
) -> tuple[Path, Fingerprint]:
    """Return the path and the fingerprint of a file of the Hub, fetching what is missing of it.

    ``await_consent`` gets the file's size in bytes before any of it is fetched, and returns if it is to be.

    A file that is there is asked after, and fetched again if it has changed on the Hub; where the Hub cannot be
    reached, it is used as it is. Several processes may ask at once: one fetches, the others wait for it.

    Raises:
        EdgeprofError: the Hub has no such file, does not give it to this user or cannot be reached, the disk has no
            room for it, or what came is not what the Hub says that it is.
        OSError: the folder cannot be written to.
    """
    path = cache_folder / "hub" / reference.repository / reference.revision / reference.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock")):
        kept = _kept(path)
        url = hf_hub_url(reference.repository, reference.file, revision=reference.revision)
        try:
            metadata = get_hf_file_metadata(url)
        except Exception as error:
            if kept is not None and isinstance(error, UNREACHABLE):
                return path, kept.found
            raise_in_words(error, reference)
            raise
        if kept is not None and kept.etag == metadata.etag:
            return path, kept.found
        offer = _offer(reference, metadata)
        await_consent(offer.file_bytes)
        return path, _fetch(reference, path, offer, on_progress)


def _offer(reference: HubReference, metadata: HfFileMetadata) -> _Offer:
    if not metadata.etag or not metadata.size:
        raise EdgeprofError(
            f"{_name(reference)}: {constants.ENDPOINT} tells neither hash nor size of it, as a Hub does"
        )
    return _Offer(etag=metadata.etag, file_bytes=metadata.size, location=metadata.location)


def _fetch(reference: HubReference, path: Path, offer: _Offer, on_progress: Callable[[float], None]) -> Fingerprint:
    """Continue the part that is there of this very content, and put it in its place when it is whole and right."""
    part = path.with_name(f"{path.name}.{re.sub(r'[^0-9A-Za-z]', '', offer.etag)[:16]}.part")
    if part.exists() and part.stat().st_size > offer.file_bytes:
        part.unlink()
    done = part.stat().st_size if part.exists() else 0
    refuse_without_room(offer.file_bytes - done, path.parent, _name(reference))
    token = get_token()
    # The token is the Hub's, not that of the store that it may point to.
    is_of_the_hub = urlsplit(offer.location).netloc == urlsplit(constants.ENDPOINT).netloc
    headers = {"authorization": f"Bearer {token}"} if token and is_of_the_hub else {}
    try:
        with part.open("ab") as file:
            progress = _progress_class(lambda ratio: on_progress(ratio * _FETCHING_RATIO))
            http_get(
                offer.location,
                file,
                resume_size=done,
                headers=headers,
                expected_size=offer.file_bytes,
                tqdm_class=progress,
            )
    except Exception as error:
        raise_in_words(error, reference)
        raise
    found = take_fingerprint(part, lambda ratio: on_progress(_FETCHING_RATIO + ratio * (1 - _FETCHING_RATIO)))
    if _SHA256.fullmatch(offer.etag) and found.sha256 != offer.etag:
        part.unlink()
        raise EdgeprofError(
            f"{_name(reference)}: what came has the SHA-256 {found.sha256[:16]}..., and the Hub says "
            f"{offer.etag[:16]}...: it was damaged on the way and is removed; try again"
        )
    part.replace(path)
    _record(path).write_bytes(msgspec.json.encode(_Kept(etag=offer.etag, found=found)))
    return found


def _kept(path: Path) -> _Kept | None:
    """What was fetched to ``path`` before, if it still lies there as it was."""
    try:
        kept = msgspec.json.decode(_record(path).read_bytes(), type=_Kept)
        return kept if kept.found.still_fits(path) else None
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _name(reference: HubReference) -> str:
    return f"{PREFIX}{reference.repository}/{reference.file}"


def _progress_class(on_progress: Callable[[float], None]) -> Any:
    """What huggingface_hub takes for a progress bar."""

    class Progress:
        def __init__(self, *, total: int | None = None, initial: int = 0, **_appearance: object) -> None:
            self._total = total or 0
            self._done = initial

        def update(self, count: int) -> None:
            self._done += count
            if self._total:
                on_progress(min(self._done / self._total, 1.0))

        def __enter__(self) -> "Self":
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
        ) -> None:
            pass

    return Progress
