"""The engines that edgeprof ships, by name."""

from __future__ import annotations

from typing import NamedTuple


class EngineEntry(NamedTuple):
    """An engine: the module of this folder that drives it, and the package that brings it.

    ``package`` is the engine's own name where packages are installed from; edgeprof's extra has the name of
    the engine.
    """

    name: str
    module: str
    package: str


ENGINES = (EngineEntry(name="llama-cpp-python", module="llama_cpp", package="llama-cpp-python"),)


def find_engine(name: str) -> EngineEntry | None:
    """The engine called ``name``, if edgeprof ships it."""
    return next((entry for entry in ENGINES if entry.name == name), None)
