"""The engines that edgeprof ships, by name."""

from __future__ import annotations

from typing import NamedTuple


class EngineEntry(NamedTuple):
    """An engine: the module of this folder that drives it, the library that it imports, and the package of that.

    edgeprof's extra has the engine's name.
    """

    name: str
    module: str
    library: str
    package: str


ENGINES = (EngineEntry(name="llama-cpp-python", module="llama_cpp", library="llama_cpp", package="llama-cpp-python"),)


def find_engine(name: str) -> EngineEntry | None:
    """The engine called ``name``, if edgeprof ships it."""
    return next((entry for entry in ENGINES if entry.name == name), None)
