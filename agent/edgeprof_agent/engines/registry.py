"""The engines that edgeprof ships, by name."""

from __future__ import annotations

from typing import NamedTuple

from .engine import Capabilities


class EngineEntry(NamedTuple):
    """An engine: the module of this folder that drives it, the library that it imports, and the package of that.

    edgeprof's extra has the engine's name; a program has neither library nor package. ``capabilities`` are what the
    module makes of the engine: known without starting it, so that an engine can be named that does what another does
    not.
    """

    name: str
    module: str
    library: str
    package: str
    capabilities: Capabilities


ENGINES = (
    EngineEntry(
        name="llama-cpp-python",
        module="llama_cpp",
        library="llama_cpp",
        package="llama-cpp-python",
        capabilities=Capabilities(token_steps=True, logits=False, parallel_sequences=1, prefix_reuse=True),
    ),
    EngineEntry(
        name="llama-bench",
        module="llama_bench",
        library="",
        package="",
        capabilities=Capabilities(
            token_steps=False,
            logits=False,
            parallel_sequences=1,
            prefix_reuse=False,
            token_times=False,
            step_kinds=("prefill", "decode"),
        ),
    ),
)


def find_engine(name: str) -> EngineEntry | None:
    """The engine called ``name``, if edgeprof ships it."""
    return next((entry for entry in ENGINES if entry.name == name), None)
