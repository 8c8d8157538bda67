"""Libraries of macOS and the signatures of their functions."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Signature:
    """What a C function returns, ``None`` for nothing, and what it takes."""

    result: Any
    arguments: tuple[Any, ...] = ()


class LibraryMissingError(Exception):
    """There is no such library here, or it has not the functions that it should have."""


def load_library(root: Path, place: str, functions: Mapping[str, Signature]) -> Any:
    """Load the library that lies at ``place`` under ``root`` and give its functions their signatures.

    Since macOS 11 the system's libraries are files no more: only the loader knows whether one is there.

    Raises:
        LibraryMissingError: it cannot be loaded, or lacks a function.
    """
    path = root / place
    try:
        library = ctypes.CDLL(str(path))
        for name, signature in functions.items():
            function = getattr(library, name)
            function.restype, function.argtypes = signature.result, signature.arguments
    except OSError as error:
        raise LibraryMissingError(f"/{place} cannot be loaded") from error
    except AttributeError as error:
        raise LibraryMissingError(f"/{place} has no {error.name or error}") from error
    return library
