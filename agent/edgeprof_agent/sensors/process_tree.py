"""A process and its descendants, as the sensors of the workload see them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time, resident memory and major page faults of all processes of a tree together.

    ``major_faults`` is ``None`` where the platform does not tell.
    """

    cpu_seconds: float
    resident_bytes: int
    major_faults: int | None = None


@dataclass(frozen=True, slots=True)
class ResidentKinds:
    """Resident memory of a tree by kind, and the sum of its processes' high-water marks."""

    anonymous_bytes: int
    file_bytes: int
    peak_bytes: int


class ProcessTree(Protocol):
    """A process and its descendants."""

    source: str
    kinds_source: str

    def follow(self, pid: int | None) -> None:
        """Watch this process and its descendants from now on; none if ``pid`` is ``None``."""
        ...

    def refresh(self) -> None:
        """Find descendants that were born since the last look."""
        ...

    def usage(self) -> Usage | None:
        """Return what the living processes use; ``None`` if there are none."""
        ...

    def resident_kinds(self) -> ResidentKinds | None:
        """Return their memory by kind; ``None`` if there are none or the platform does not tell."""
        ...
