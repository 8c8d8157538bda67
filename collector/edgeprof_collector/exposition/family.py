"""Families of series in the Prometheus text format, version 0.0.4."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(slots=True, eq=False)
class Family:
    """A metric and the present value of each of its series, by the series' cached text."""

    name: str
    kind: str
    help: str
    values: dict[str, float] = field(default_factory=dict)

    def header(self) -> str:
        """Return the lines above the series."""
        help_text = self.help.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {self.name} {help_text}\n# TYPE {self.name} {self.kind}\n"


def series_text(name: str, labels: Iterable[tuple[str, str]]) -> str:
    """Return a line up to its value: ``name{label="value"} ``."""
    inner = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in labels)
    return f"{name}{{{inner}}} "
