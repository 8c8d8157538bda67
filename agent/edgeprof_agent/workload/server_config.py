"""Servers as a device's own configuration describes them."""

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

HttpAddress = Annotated[str, Meta(pattern=r"^(https?://\S+)?$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """A server: where it runs already, or how it is started.

    ``kind`` is one that edgeprof knows; empty, the one of the server's own name if there is one, else any server with
    OpenAI's API. ``address`` is that of a server that runs already, such as ``http://127.0.0.1:8080``, ``process_id``
    its process; without it, the one that listens there. ``model`` is the name by which the server knows its model;
    empty, the first that it lists. ``program`` is where the kind's program is, ``command`` another command to start
    the server with: its placeholders are those that `docs/servers.md` lists, and the keys of ``options``, whose values
    are defaults. ``arguments`` and ``environment`` are added. ``folder`` is where it is started.
    """

    kind: str = ""
    address: HttpAddress = ""
    process_id: Annotated[int, Meta(ge=1)] | None = None
    model: str = ""
    api_key: str = ""
    program: str = ""
    command: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = ""
