"""Reads the header of a GGUF file, and says what is wrong with one.

The gguf library's own reader makes an array of every string: 7 s and 520 MB for a vocabulary of 152,000 tokens. This
one skips the strings in arrays, which no fact needs, and checks every length against the file. Format: GGUF's
specification, ``docs/gguf.md`` in ggml.
"""

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.traffic import StoredTensor

Scalar = int | float | bool | str

_KEPT_ARRAY_LENGTH = 4096  # arrays with a value per layer are kept, those with one per token are not
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class _DamagedError(Exception):
    """The header contradicts itself or the file; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """Metadata and tensors of a GGUF file.

    ``metadata`` holds short numeric arrays as tuples; of other arrays it holds the length alone, under ``KEY.length``.
    """

    metadata: Mapping[str, Scalar | tuple[Scalar, ...]]
    tensors: tuple[StoredTensor, ...]

    def text(self, key: str, default: str = "") -> str:
        """The text at ``key``."""
        value = self.metadata.get(key, default)
        return value if isinstance(value, str) else default

    def count(self, key: str, default: int = 0) -> int:
        """The number at ``key``; of an array the largest, as where layers differ."""
        value = self.metadata.get(key, default)
        numbers = value if isinstance(value, tuple) else (value,)
        return max((number for number in numbers if isinstance(number, int)), default=default)

    def counts(self, key: str, length: int, default: int) -> tuple[int, ...]:
        """The number at ``key`` for each of ``length`` layers, whether written once or per layer."""
        value = self.metadata.get(key, default)
        if not isinstance(value, tuple):
            return (int(value),) * length if isinstance(value, int) else (default,) * length
        numbers = tuple(number if isinstance(number, int) else default for number in value)
        return (*numbers, *(default,) * length)[:length]


def read_header(path: Path) -> GgufHeader:
    """Read the header of the file at ``path``, without its weights.

    Raises:
        EdgeprofError: the file cannot be read, is no GGUF, is of another version, or is cut short.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(8)
            if magic[:4] != b"GGUF":
                raise EdgeprofError(f"{path}: {_what_else(magic, path)}; edgeprof profiles models in the GGUF format")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parse(data)
    except OSError as error:
        raise EdgeprofError(f"{path}: {_why_unreadable(error)}") from error
    except _DamagedError as error:
        raise EdgeprofError(f"{path}: {error}") from error


def _what_else(magic: bytes, path: Path) -> str:
    if not magic:
        return "is empty"
    if path.suffix in (".safetensors", ".bin", ".pt", ".pth"):
        return f"is a {path.suffix} file, to be converted by llama.cpp's convert_hf_to_gguf.py"
    return "is not a GGUF file"


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file; give the path of a GGUF file, or a shape such as synth:llama-3.2-1b@q4_0"
    if isinstance(error, IsADirectoryError):
        return "is a folder; give the path of the GGUF file in it"
    if isinstance(error, PermissionError):
        return "may not be read; let the user that edgeprof runs as read it"
    return f"cannot be read: {error.strerror}"


def _parse(data: mmap.mmap) -> GgufHeader:
    cursor = _Cursor(data)
    version = cursor.number("I")
    if version & 0xFFFF == 0:
        raise _DamagedError("is a big-endian GGUF file; convert it again on this kind of machine")
    if version not in (2, 3):
        raise _DamagedError(f"is of GGUF version {version}, and edgeprof reads 2 and 3; convert the model again")
    tensor_count, entry_count = cursor.number("Q"), cursor.number("Q")
    metadata: dict[str, Scalar | tuple[Scalar, ...]] = {}
    for _ in range(entry_count):
        key = cursor.text()
        value = cursor.value(cursor.number("I"))
        metadata[f"{key}.length" if isinstance(value, _Skipped) else key] = value
    entries = [_tensor_entry(cursor) for _ in range(tensor_count)]
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise _DamagedError(f"is damaged: its alignment is {alignment}; download or convert it again")
    _refuse_cut(entries, data_start=-(-cursor.offset // alignment) * alignment, file_bytes=len(data))
    return GgufHeader(metadata=metadata, tensors=tuple(tensor for tensor, _ in entries))


class _Skipped(int):
    """The length of an array whose elements were skipped."""


class _Cursor:
    """A place in the header that moves on with each value read."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.offset = 4

    def number(self, code: str) -> int:
        return int(self._unpack(code)[0])

    def text(self) -> str:
        return self._take(self.number("Q")).decode(errors="replace")

    def value(self, kind: int) -> Scalar | tuple[Scalar, ...]:
        if kind in _SCALARS:
            return self._unpack(_SCALARS[kind])[0]
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array(self.number("I"), self.number("Q"))
        raise _DamagedError(f"is damaged: its metadata has a value of kind {kind}; download or convert it again")

    def _array(self, kind: int, length: int) -> _Skipped | tuple[Scalar, ...]:
        if kind == _STRING:
            for _ in range(length):
                self._skip(self.number("Q"))
            return _Skipped(length)
        if kind not in _SCALARS:
            raise _DamagedError(f"is damaged: its metadata has an array of kind {kind}; download or convert it again")
        if length > _KEPT_ARRAY_LENGTH:
            self._skip(length * struct.calcsize(_SCALARS[kind]))
            return _Skipped(length)
        return self._unpack(f"{length}{_SCALARS[kind]}")

    def _unpack(self, code: str) -> tuple[Scalar, ...]:
        return struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))

    def _take(self, length: int) -> bytes:
        start = self.offset
        self._skip(length)
        return self._data[start : self.offset]

    def _skip(self, length: int) -> None:
        self.offset += length
        if self.offset > len(self._data):
            raise _DamagedError(_cut_short(f"it ends within its header, after {len(self._data):,} bytes"))


def _tensor_entry(cursor: _Cursor) -> tuple[StoredTensor, int]:
    """A tensor, and where its data starts, counted from the start of all data."""
    name = cursor.text()
    dimensions = tuple(cursor.number("Q") for _ in range(cursor.number("I")))
    kind, offset = cursor.number("I"), cursor.number("Q")
    try:
        tensor_type = gguf.GGMLQuantizationType(kind)
    except ValueError:
        raise _DamagedError(
            f"has a tensor of type {kind} ({name}), which this version of the gguf package does not know; update it"
        ) from None
    elements = math.prod(dimensions)
    if not dimensions or elements == 0:
        raise _DamagedError(f"is damaged: its tensor {name} is empty; download or convert it again")
    block_elements, block_bytes = gguf.GGML_QUANT_SIZES[tensor_type]
    size = elements // block_elements * block_bytes
    tensor = StoredTensor(name=name, dimensions=dimensions, type=tensor_type.name, elements=elements, bytes=size)
    return tensor, offset


def _refuse_cut(entries: list[tuple[StoredTensor, int]], data_start: int, file_bytes: int) -> None:
    """Refuse a file that ends before its last tensor does."""
    end = max((data_start + offset + tensor.bytes for tensor, offset in entries), default=0)
    if end > file_bytes:
        raise _DamagedError(_cut_short(f"it has {file_bytes:,} of {end:,} bytes"))


def _cut_short(how: str) -> str:
    return f"is cut short: {how}; download or copy it again"
