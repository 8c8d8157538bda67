"""Which server an engine is to talk to, as the agent tells it in the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from .engine import EngineError
from .options import Option, OptionValue
from .server_kinds import Flag, ServerKind
from .server_table import SERVER_KINDS, find_server_kind

VARIABLE = "EDGEPROF_SERVER"
"""Holds the setup as JSON. It may contain a key, so it is no argument, which everybody could read."""


class ServerSetup(NamedTuple):
    """A server by name: of which kind it is, and where it runs already or how it is started.

    The fields are those of `[servers.NAME]` in the agent's configuration; `docs/servers.md` defines them.
    """

    name: str
    kind: str = ""
    address: str = ""
    process_id: int | None = None
    model: str = ""
    api_key: str = ""
    program: str = ""
    command: Sequence[str] = ()
    options: Mapping[str, str] = {}
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = {}
    folder: str = ""

    @property
    def attached(self) -> bool:
        """Whether the server runs already."""
        return bool(self.address)


class Command(NamedTuple):
    """What starts a server."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str


def take_setup() -> ServerSetup:
    """Read the setup and take it out of the environment, which the server inherits.

    Raises:
        EngineError: none was given.
    """
    text = os.environ.pop(VARIABLE, "")
    if not text:
        names = ", ".join(kind.name for kind in SERVER_KINDS if kind.command)
        raise EngineError(
            f"the engine openai needs a server: name one that edgeprof starts ({names}), or describe yours as "
            "[servers.NAME] in the agent's configuration and use NAME as the engine"
        )
    return ServerSetup(**json.loads(text))


def kind_of(setup: ServerSetup) -> ServerKind:
    """The kind of a server, its command and options as the setup changes them.

    Raises:
        EngineError: there is no such kind, or it says neither where the server is nor how it is started.
    """
    where = f"[servers.{setup.name}]"
    known = find_server_kind(setup.kind or setup.name)
    if setup.kind and known is None:
        names = ", ".join(kind.name for kind in SERVER_KINDS)
        raise EngineError(f"{where}: no kind of server is called '{setup.kind}'; use one of {names}")
    kind = known or find_server_kind("openai")
    assert kind is not None
    if setup.attached:
        return kind._replace(command=(), flags=())
    if setup.command:
        kind = kind._replace(
            command=setup.command, flags=_own_flags(setup), environment={}, version_arguments=(), modules=()
        )
    if setup.program and kind.command:
        kind = kind._replace(command=(setup.program, *kind.command[1:]))
    if not kind.command:
        raise EngineError(f"{where}: edgeprof cannot start a server of kind '{kind.name}': give 'address' or 'command'")
    if kind.needs_model_name and not setup.model:
        raise EngineError(f"{where}: give 'model', the name by which {kind.name} knows the model")
    return kind


def _own_flags(setup: ServerSetup) -> tuple[Flag, ...]:
    """The options of a command of the device's own: each stands in it as a placeholder."""
    return tuple(
        Flag(Option(name, "word", default, f"the placeholder {{{name}}} of the command"))
        for name, default in setup.options.items()
    )


def build_command(
    kind: ServerKind,
    setup: ServerSetup,
    options: Mapping[str, OptionValue],
    *,
    model_path: str,
    context_tokens: int,
    port: int,
    python: str,
) -> Command:
    """Fill the placeholders in, and say the options that are given."""
    model = Path(model_path)
    values = {
        "python": python,
        "model_path": model_path,
        "model_folder": str(model.parent),
        "model_file": model.name,
        "context": str(context_tokens),
        "port": str(port),
    }
    arguments: list[str] = []
    environment = dict(kind.environment)
    for flag in kind.flags:
        value = options[flag.option.name]
        if flag.option.kind == "word":
            values[flag.option.name] = str(value)
        elif value != "":
            written, variables = flag.write(value)
            arguments += written
            environment.update(variables)
    environment.update(setup.environment)
    return Command(
        arguments=[_fill(part, values, setup) for part in (*kind.command, *arguments, *setup.arguments)],
        environment={name: _fill(text, values, setup) for name, text in environment.items()},
        folder=setup.folder,
    )


def _fill(text: str, values: Mapping[str, str], setup: ServerSetup) -> str:
    """Replace every ``{name}``; braces are doubled to stand for themselves, as in Python's format strings."""
    try:
        return text.format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise EngineError(
            f"[servers.{setup.name}]: '{text}' cannot be filled in ({error}): use {', '.join(values)}, or name a "
            "placeholder of your own under 'options'"
        ) from None
