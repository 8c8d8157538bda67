"""The names under which models of the Hugging Face Hub are asked for: ``hf:OWNER/REPOSITORY/FILE[@REVISION]``."""

import re
from dataclasses import dataclass

from edgeprof.errors import EdgeprofError

PREFIX = "hf:"
_PART = r"[A-Za-z0-9][\w.-]*"
_REFERENCE = re.compile(rf"({_PART}/{_PART})/((?:{_PART}/)*{_PART})(?:@({_PART}(?:/{_PART})*))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubReference:
    """A file of a repository, at a branch, a tag or a commit."""

    repository: str
    file: str
    revision: str


def is_hub_reference(name: str) -> bool:
    """Whether ``name`` asks for a file of the Hub."""
    return name.startswith(PREFIX)


def parse_reference(name: str) -> HubReference:
    """Read a name such as ``hf:ggml-org/models/tinyllamas/stories260K.gguf``.

    Raises:
        EdgeprofError: it names no file of a repository.
    """
    found = _REFERENCE.fullmatch(name.removeprefix(PREFIX))
    if found is None or ".." in name:
        raise EdgeprofError(
            f"{name}: no file of the Hub; write {PREFIX}OWNER/REPOSITORY/FILE, and @REVISION for another than 'main'"
        )
    return HubReference(repository=found[1], file=found[2], revision=found[3] or "main")
