"""What is wrong with data that should become a dataclass: every key that nobody reads, and every wrong value."""

import dataclasses
import difflib
import re
import types
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec


class Problem(NamedTuple):
    """What is wrong, by the way to the key that it is about. ``text`` names the key and what was expected there."""

    keys: tuple[str, ...]
    text: str


def find_problems(data: Any, kind: Any, keys: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Yield all that keeps ``data``, to which ``keys`` led, from being a value of ``kind``.

    msgspec ignores keys that a dataclass does not have, though a typo must not be, and tells of the first wrong value
    alone. So it is asked of every single value.
    """
    inner = dataclass_within(kind)
    if get_origin(kind) is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from find_problems(value, get_args(kind)[1], (*keys, key))
    elif inner and isinstance(data, dict) and not _takes_list(kind):
        yield from _in_table(data, inner, keys)
    elif inner and isinstance(data, list) and _takes_list(kind):
        for index, item in enumerate(data):
            yield from find_problems(item, inner, (*keys, str(index)))
    else:
        yield from _in_value(data, kind, keys)


def dataclass_within(kind: Any) -> Any:
    """Return the dataclass in ``kind`` itself, in a tuple of it, or in an optional of it; else ``None``."""
    if dataclasses.is_dataclass(kind):
        return kind
    if get_origin(kind) in (tuple, list, Union, types.UnionType, Annotated):
        return next((found for inner in get_args(kind) if (found := dataclass_within(inner))), None)
    return None


def _takes_list(kind: Any) -> bool:
    if get_origin(kind) in (Union, types.UnionType, Annotated):
        return any(_takes_list(inner) for inner in get_args(kind))
    return get_origin(kind) in (tuple, list)


def dotted(keys: tuple[str, ...]) -> str:
    """Return ``('steps', '0', 'kind')`` as ``steps[0].kind``."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(keys))


def about(keys: tuple[str, ...], text: str) -> Problem:
    """A problem whose text begins with the key that it is about, if it is about one."""
    return Problem(keys, f"'{dotted(keys)}': {text}" if keys else text)


def _in_table(data: dict[str, Any], kind: Any, keys: tuple[str, ...]) -> Iterator[Problem]:
    hints = get_type_hints(kind, include_extras=True)
    for key, value in data.items():
        if key in hints:
            yield from find_problems(value, hints[key], (*keys, key))
        else:
            near = difflib.get_close_matches(key, hints, n=1)
            expected = f"did you mean '{near[0]}'?" if near else "expected one of " + ", ".join(hints)
            yield Problem((*keys, key), f"unknown key '{dotted((*keys, key))}'; {expected}")
    for field in dataclasses.fields(kind):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in data:
            yield about(keys, f"key '{field.name}' is missing")


def _in_value(data: Any, kind: Any, keys: tuple[str, ...]) -> Iterator[Problem]:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        message, _, location = str(error).partition(" - at `")
        within = tuple(re.findall(r"\w+", location))
        # what may be left out may be null in msgspec's eyes, which nobody writes
        expected = message[0].lower() + message[1:].replace(" | null", "")
        yield about((*keys, *within), expected + _choices(kind))


def _choices(kind: Any) -> str:
    """What may stand where ``kind`` is wanted, if it is one of a few words."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "; expected one of " + ", ".join(str(member.value) for member in kind)
    return ""
