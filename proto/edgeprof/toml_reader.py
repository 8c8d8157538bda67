"""TOML into frozen dataclasses, with errors that name the file, the line, the key and what was expected."""

import re
import sys
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from edgeprof.errors import ConfigError
from edgeprof.unknown_keys import dataclass_within, dotted, find_unknown_key

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
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    if unknown := find_unknown_key(data, kind):
        raise ConfigError(f"{path}:{_line_of(unknown.keys, text)}: {unknown}")
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        message, _, location = str(error).partition(" - at `")
        keys, wanted = _locate(location, data, kind)
        where = f"'{dotted(keys)}': " if keys else ""
        what = f"{where}{_in_words_of_toml(message)}{_choices(wanted)}"
        raise ConfigError(f"{path}:{_line_of(keys, text)}: {what}") from error


def _locate(location: str, data: Any, kind: Any) -> tuple[tuple[str, ...], Any]:
    """The keys to a place that msgspec calls ``$.steps[0].kind``, and the type that is wanted there.

    Where msgspec says ``[...]`` for some key of a table whose keys are free, the first wrong one is found here.
    """
    keys: list[str] = []
    for part in re.findall(r"\w+|\.\.\.", location.removeprefix("$")):
        inner = dataclass_within(kind)
        if inner is not None and isinstance(data, dict):
            key, kind = part, get_type_hints(inner, include_extras=True)[part]
        elif isinstance(data, dict):
            kind = get_args(kind)[1]
            key = next(key for key, value in data.items() if not _fits(value, kind))
        else:
            key = part
        keys.append(key)
        data = data[int(key)] if isinstance(data, list) else data[key]
    return tuple(keys), kind


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _in_words_of_toml(message: str) -> str:
    """A message of msgspec for people who know TOML: it has tables, not objects, and no null."""
    message = re.sub(r"^Object missing required field `(\w+)`", r"key '\1' is missing", message)
    message = message.replace(" | null", "").replace("`object`", "`table`")
    return message[0].lower() + message[1:]


def _choices(kind: Any) -> str:
    """What may stand where ``kind`` is wanted, if it is one of a few words."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "; expected one of " + ", ".join(str(member.value) for member in kind)
    return ""


def _line_of(keys: tuple[str, ...], text: str) -> int:
    """The line on which a key stands, or else the nearest table above it; 1 when neither is found.

    TOML parsers do not report positions. This follows table headers and plain ``key =`` lines, which is how
    people write these files; a key inside an inline table is reported on its parent's line.
    """
    best_depth, best_line = 0, 1
    table: tuple[str, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
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
        if len(found) > best_depth and keys[: len(found)] == found:
            best_depth, best_line = len(found), number
    return best_line


def _with_indices(table: tuple[str, ...], seen: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """Insert the index of each array of tables on the way to ``table``."""
    keys: list[str] = []
    for depth, name in enumerate(table, 1):
        keys.append(name)
        if table[:depth] in seen:
            keys.append(str(seen[table[:depth]]))
    return tuple(keys)
