"""The engines that edgeprof ships, by name."""

from __future__ import annotations

from typing import NamedTuple

from .engine import Capabilities


class Library(NamedTuple):
    """What an engine's module imports: the name of it, and the package that installs it."""

    name: str
    package: str


class EngineEntry(NamedTuple):
    """An engine that a module of this folder drives, and the library that it needs.

    edgeprof's extra has the engine's name. One without a library drives a program that edgeprof does not install, and
    says itself where that is to be had. ``capabilities`` are what the module makes of the engine: known without
    starting it, so that an engine can be named that does what another does not. ``formats`` are the forms of models
    that it reads: ``gguf`` for a GGUF file, ``safetensors`` for a Hugging Face folder. ``quantisation`` is that
    of the synthetic model which it is given when nobody names one.
    """

    name: str
    module: str
    library: Library | None
    capabilities: Capabilities
    formats: tuple[str, ...] = ("gguf",)
    quantisation: str = "q4_0"


_TOKEN_ENGINE = Capabilities(
    token_steps=True,
    logits=False,
    parallel_sequences=1,
    prefix_reuse=True,
    step_kinds=("prefill", "decode", "chat", "rows"),
)
_SCORING_ENGINE = _TOKEN_ENGINE._replace(logits=True, step_kinds=(*_TOKEN_ENGINE.step_kinds, "fidelity"))

ENGINES = (
    EngineEntry(
        name="llama-cpp-python",
        module="llama_cpp",
        library=Library("llama_cpp", package="llama-cpp-python"),
        capabilities=_SCORING_ENGINE._replace(
            parallel_sequences=256,  # llama_max_parallel_sequences()
            step_kinds=(*_SCORING_ENGINE.step_kinds, "parallel", "perplexity", "tasks"),
        ),
    ),
    EngineEntry(
        name="mlx",
        module="mlx",
        library=Library("mlx_lm", package="mlx-lm"),
        capabilities=_SCORING_ENGINE._replace(step_kinds=(*_SCORING_ENGINE.step_kinds, "tasks")),
        formats=("safetensors",),
        quantisation="mlx-q4",
    ),
    EngineEntry(
        name="mistralrs",
        module="mistralrs",
        library=Library("mistralrs", package="mistralrs"),
        capabilities=Capabilities(token_steps=False, logits=False, parallel_sequences=1, prefix_reuse=True),
        formats=("gguf", "safetensors"),
        quantisation="q4_0",
    ),
    EngineEntry(
        name="exllamav2",
        module="exllamav2",
        library=Library("exllamav2", package="exllamav2"),
        capabilities=_TOKEN_ENGINE,
        formats=("safetensors",),
        quantisation="hf-f16",
    ),
    EngineEntry(
        name="llama-bench",
        module="llama_bench",
        library=None,
        capabilities=Capabilities(
            token_steps=False,
            logits=False,
            parallel_sequences=1,
            prefix_reuse=False,
            token_times=False,
            step_kinds=("prefill", "decode"),
        ),
    ),
    # What a server can do, its kind says: `server_table`.
    EngineEntry(
        name="openai",
        module="openai_http",
        library=Library("httpx", package="httpx"),
        capabilities=Capabilities(
            token_steps=False,
            logits=False,
            parallel_sequences=1,
            prefix_reuse=False,
            step_kinds=("prefill", "decode", "chat", "tasks"),
        ),
        formats=("gguf", "safetensors"),
    ),
)


class ProgramEntry(NamedTuple):
    """An engine that is a program, which speaks the protocol itself: its file's name, and the ``make`` target of it.

    The other fields are as of an `EngineEntry`.
    """

    name: str
    program: str
    target: str
    capabilities: Capabilities
    formats: tuple[str, ...] = ("gguf",)
    quantisation: str = "q4_0"


PROGRAMS = (
    ProgramEntry(
        name="candle",
        program="edgeprof-candle",
        target="runners",
        capabilities=Capabilities(token_steps=True, logits=False, parallel_sequences=1, prefix_reuse=True),
        formats=("gguf", "safetensors"),
    ),
    ProgramEntry(
        name="kalosm",
        program="edgeprof-kalosm",
        target="runners-kalosm",
        capabilities=Capabilities(token_steps=False, logits=False, parallel_sequences=1, prefix_reuse=True),
    ),
)


def find_engine(name: str) -> EngineEntry | None:
    """The engine called ``name``, if edgeprof ships it."""
    return next((entry for entry in ENGINES if entry.name == name), None)


def find_program(name: str) -> ProgramEntry | None:
    """The program that is called ``name`` as an engine, if edgeprof ships it."""
    return next((entry for entry in PROGRAMS if entry.name == name), None)
