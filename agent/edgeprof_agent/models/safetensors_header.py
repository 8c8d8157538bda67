"""The header of a safetensors file: where each tensor lies.

A file is 8 bytes with the header's length, little-endian, the header as JSON, then the tensors' bytes without gaps
(https://huggingface.co/docs/safetensors, "Format").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from edgeprof.errors import EdgeprofError

_LENGTH_BYTES = 8
_LONGEST_HEADER_BYTES = 100_000_000  # the format's own bound
_ALIGNMENT_BYTES = 8

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeTensor:
    """A tensor of a file. ``shape`` has the length of a row last."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Elements in all."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes in the file."""
        return self.elements * _BITS[self.dtype] // 8


class _Entry(msgspec.Struct):
    dtype: str
    shape: tuple[Annotated[int, msgspec.Meta(ge=0)], ...]
    data_offsets: tuple[int, int]


def header_bytes(tensors: Sequence[SafeTensor], metadata: dict[str, str]) -> bytes:
    """Return what a file starts with whose tensors follow each other in this order."""
    entries: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for tensor in tensors:
        end = offset + tensor.bytes
        entries[tensor.name] = _Entry(dtype=tensor.dtype, shape=tensor.shape, data_offsets=(offset, end))
        offset = end
    text = msgspec.json.encode(entries)
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def read_header(path: Path) -> tuple[SafeTensor, ...]:
    """Return the tensors of the file at ``path``, none of which is read.

    Raises:
        EdgeprofError: the file cannot be read, is no safetensors file, or is shorter than its tensors.
    """
    try:
        file_bytes = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < length <= min(_LONGEST_HEADER_BYTES, file_bytes - _LENGTH_BYTES):
                raise EdgeprofError(f"{path}: no safetensors file, or a damaged one: fetch it again")
            text = file.read(length)
    except OSError as error:
        raise EdgeprofError(f"{path}: cannot be read: {error.strerror}") from error
    entries = _entries(path, text)
    end = max((entry.data_offsets[1] for entry in entries.values()), default=0)
    if _LENGTH_BYTES + length + end > file_bytes:
        missing = _LENGTH_BYTES + length + end - file_bytes
        raise EdgeprofError(f"{path}: {missing} bytes are missing at its end: fetch it again")
    return tuple(SafeTensor(name=name, dtype=entry.dtype, shape=entry.shape) for name, entry in entries.items())


def _entries(path: Path, text: bytes) -> dict[str, _Entry]:
    try:
        raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        entries = {name: msgspec.json.decode(entry, type=_Entry) for name, entry in raw.items() if name[:2] != "__"}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EdgeprofError(f"{path}: its header cannot be read ({error}): fetch the file again") from error
    unknown = sorted({entry.dtype for entry in entries.values()} - set(_BITS))
    if unknown:
        raise EdgeprofError(f"{path}: tensors of an unknown type, {unknown[0]}: update edgeprof")
    return entries
