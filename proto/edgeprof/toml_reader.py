"""TOML into frozen dataclasses, with errors that name the file, the line, the key and what was expected."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edgeprof.errors import ConfigError
from edgeprof.problems import Problem, find_problems

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Read the file at ``path`` as a value of the dataclass ``kind``.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or has an unknown key or a wrong value.
    """
    document = read_document(path)
    if problems := document.problems(kind):
        raise ConfigError(document.line_about(problems[0]))
    return document.convert(kind)


def read_document(path: Path) -> "TomlDocument":
    """Read the file at ``path``, whatever it says.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    try:
        return TomlDocument(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """A file of TOML: what it says, and where."""

    path: Path
    text: str
    data: dict[str, Any]

    def problems(self, kind: Any) -> tuple[Problem, ...]:
        """All that keeps it from being a value of the dataclass ``kind``, from the top of the file to its end."""
        return tuple(sorted(find_problems(self.data, kind), key=lambda problem: self.line_of(problem.keys)))

    def convert(self, kind: type[T]) -> T:
        """The value of the dataclass ``kind``; there are no `problems`."""
        return msgspec.convert(self.data, kind)

    def line_about(self, problem: Problem) -> str:
        """A line for a person: file, line, and what is wrong there. What JSON calls objects are tables in TOML."""
        return f"{self.path}:{self.line_of(problem.keys)}: {problem.text.replace('`object`', '`table`')}"

    def line_of(self, keys: tuple[str, ...]) -> int:
        """The line on which a key stands, or else the nearest table above it; 1 when neither is found.

        TOML parsers do not report positions. This follows table headers and plain ``key =`` lines, which is how
        people write these files; a key inside an inline table is reported on its parent's line.
        """
        best_depth, best_line = 0, 1
        table: tuple[str, ...] = ()
        seen: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([\w.\-\"']+)\s*\]", line):
                table = tuple(part.strip("\"'") for part in header[2].split("."))
                if header[1] == "[[":
                    seen[table] = seen.get(table, -1) + 1
                elif table in seen:
                    del seen[table]
                found = _with_indices(table, seen)
            elif key := re.match(r"\s*([\w.\-\"']+)\s*=", line):
                found = _with_indices(table, seen) + tuple(part.strip("\"'") for part in key[1].split("."))
            else:
                continue
            depth = min(len(found), len(keys))
            if depth > best_depth and keys[:depth] == found[:depth]:
                best_depth, best_line = depth, number
        return best_line


def _with_indices(table: tuple[str, ...], seen: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """Insert the index of each array of tables on the way to ``table``."""
    keys: list[str] = []
    for depth, name in enumerate(table, 1):
        keys.append(name)
        if table[:depth] in seen:
            keys.append(str(seen[table[:depth]]))
    return tuple(keys)
