"""Whether a server can read a model at all, seen before it is started: some go on to listen without one."""

from __future__ import annotations

from .gguf_magic import refuse_what_is_no_gguf
from .model_folder import require_folder
from .server_kinds import ServerKind


def refuse_what_server_cannot_read(kind: ServerKind, path: str) -> None:
    """Look at a model, for a kind of server that reads models of one form.

    Raises:
        EngineError: it is of another.
    """
    if kind.formats == ("gguf",):
        refuse_what_is_no_gguf(path)
    elif kind.formats == ("safetensors",):
        require_folder(path, kind.name, kind.quantisation)
