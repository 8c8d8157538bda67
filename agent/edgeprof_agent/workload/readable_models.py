"""Which forms of models an engine reads, as far as edgeprof knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgeprof_agent.engines.registry import ENGINES, PROGRAMS, find_engine, find_program
from edgeprof_agent.engines.server_table import find_server_kind
from edgeprof_agent.workload.server_config import ServerConfig

_SERVERS = "openai"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableModels:
    """The ``formats`` of models that an engine reads, and the ``quantisation`` of the synthetic one made for it."""

    formats: tuple[str, ...]
    quantisation: str


def readable_models(engine: str, servers: Mapping[str, ServerConfig]) -> ReadableModels | None:
    """What an engine reads; ``None`` of a program of somebody's own, which may read anything."""
    configured = servers.get(engine)
    kind = find_server_kind((configured.kind if configured else "") or engine)
    known = find_program(engine) or kind or (None if configured else find_engine(engine))
    return ReadableModels(formats=known.formats, quantisation=known.quantisation) if known else None


def engines_that_read(model_format: str) -> tuple[str, ...]:
    """The engines that read models of a form, but for servers."""
    entries = [entry for entry in (*ENGINES, *PROGRAMS) if entry.name != _SERVERS]
    return tuple(entry.name for entry in entries if model_format in entry.formats)
