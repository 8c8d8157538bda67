"""The child's side of the protocol: says hello, then answers commands until it is told to close."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, Mapping

from .channel import Channel
from .engine import Capabilities, Engine, EngineError, Step
from .lifeline import die_with_parent
from .options import read_options
from .page_cache import page_cache_ratio
from .recorder import Recorder, StepCancelledError
from .registry import EngineEntry, find_engine

PROTOCOL_VERSION = 1
# What time.monotonic_ns() reads: https://docs.python.org/3/library/time.html#time.monotonic
CLOCK = "CLOCK_UPTIME_RAW" if sys.platform == "darwin" else "CLOCK_MONOTONIC"
WARM_UP_DECODE_TOKENS = 4


def main(name: str) -> int:
    """Serve the engine of this name on standard input and output; return the process's exit status."""
    channel = Channel.take_standard_streams()
    die_with_parent()
    try:
        entry = _entry_of(name)
        engine = open_engine(entry)
    except EngineError as error:
        channel.send({"type": "error", "id": 0, "cause": str(error)})
        return 1
    serve(channel, engine, engine.capabilities or entry.capabilities)
    return 0


def _entry_of(name: str) -> EngineEntry:
    entry = find_engine(name)
    if entry is None:
        raise EngineError(f"no engine is called '{name}'")
    return entry


def open_engine(entry: EngineEntry) -> Engine:
    """Import an engine.

    Raises:
        EngineError: it is not installed for this interpreter, or cannot be loaded.
    """
    try:
        module = importlib.import_module(f".{entry.module}", __package__)
    # A binding raises RuntimeError or OSError when its shared library does not load.
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(_why_not_imported(entry, error)) from error
    engine: Engine = module.open_engine()
    return engine


def _why_not_imported(entry: EngineEntry, error: Exception) -> str:
    if entry.library and isinstance(error, ModuleNotFoundError):
        part = "" if error.name == entry.library.name else f", where the module {error.name} is missing"
        return (
            f"the engine {entry.name} is not installed for {sys.executable}{part}: "
            f"pip install 'edgeprof[{entry.name}]', "
            f"or where edgeprof is not installed pip install {entry.library.package}"
        )
    return f"the engine {entry.name} cannot be loaded by {sys.executable}: {' '.join(str(error).split())}"


def serve(channel: Channel, engine: Engine, capabilities: Capabilities) -> None:
    """Say hello and answer commands until `close`."""
    channel.send(_hello(engine, capabilities))
    for command in channel.commands():
        if command["command"] == "close":
            engine.unload()
            return
        try:
            reply = _answer(channel, engine, command)
        except EngineError as error:
            reply = {"type": "error", "cause": str(error)}
        except StepCancelledError:
            reply = {"type": "cancelled"}
        channel.send({"type": reply["type"], "id": command["id"], **reply})


def _hello(engine: Engine, capabilities: Capabilities) -> dict[str, Any]:
    return {
        "type": "hello",
        "protocol": PROTOCOL_VERSION,
        "engine": engine.name,
        "version": engine.version,
        "build": engine.build,
        "python_version": platform.python_version(),
        "clock": CLOCK,
        "monotonic_ns": time.monotonic_ns(),
        "capabilities": capabilities._asdict(),
        "options": [option._asdict() for option in engine.options],
    }


def _answer(channel: Channel, engine: Engine, command: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a command says and return the message that ends it."""
    kind = command["command"]
    if kind == "load":
        return _load(engine, command)
    if kind == "unload":
        engine.unload()
    elif kind == "step":
        engine.run(_read_step(command), Recorder(command["id"], channel.send, channel.is_cancelled))
    elif kind == "warm_up":
        step = _read_step(command)
        short = step._replace(
            turns=1,
            decode_tokens=min(step.decode_tokens, WARM_UP_DECODE_TOKENS),
            windows=min(step.windows, 1),
            prompts=step.prompts[:1],
        )
        engine.run(short, Recorder(command["id"], lambda _: None, channel.is_cancelled))
    else:
        raise EngineError(f"no command is called '{kind}'")
    return {"type": "done"}


def _load(engine: Engine, command: Mapping[str, Any]) -> dict[str, Any]:
    path = Path(command["model_path"])
    options = read_options(engine.name, engine.options, command["options"])
    engine.unload()
    cached = page_cache_ratio(path) if _is_readable_model(path) else None
    start_ns = time.monotonic_ns()
    loaded = engine.load(str(path), options, command["context_tokens"], command["seed"])
    if loaded.load_seconds is None:
        loaded = loaded._replace(load_seconds=(time.monotonic_ns() - start_ns) / 1e9)
    return {"type": "loaded", "page_cache_ratio": cached, **loaded._asdict()}


def _read_step(command: Mapping[str, Any]) -> Step:
    return Step(**{field: command[field] for field in Step._fields if field in command})


def _is_readable_model(path: Path) -> bool:
    return (path.is_file() or path.is_dir()) and os.access(path, os.R_OK)
