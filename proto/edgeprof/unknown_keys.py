"""Keys that nobody reads. msgspec ignores them; a typo must not be."""

import dataclasses
import difflib
import re
import types
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints


class UnknownKey(NamedTuple):
    """A key that its dataclass does not have, by the way to it, and what was expected there."""

    keys: tuple[str, ...]
    expected: str

    def __str__(self) -> str:
        return f"unknown key '{dotted(self.keys)}'; {self.expected}"


def find_unknown_key(data: object, kind: Any, keys: tuple[str, ...] = ()) -> UnknownKey | None:
    """Return the first key in ``data`` that its type ``kind`` does not have; ``keys`` led to ``data``."""
    if get_origin(kind) is dict:
        return _find_in_each(data.items() if isinstance(data, dict) else (), get_args(kind)[1], keys)
    kind = dataclass_within(kind)
    if kind and isinstance(data, list):
        return _find_in_each(((str(index), item) for index, item in enumerate(data)), kind, keys)
    return _find_in_table(data, get_type_hints(kind, include_extras=True), keys) if kind else None


def _find_in_table(data: object, hints: dict[str, Any], keys: tuple[str, ...]) -> UnknownKey | None:
    if not isinstance(data, dict):
        return None
    for key, value in data.items():
        here = (*keys, key)
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            return UnknownKey(here, f"did you mean '{near[0]}'?" if near else "expected one of " + ", ".join(hints))
        if unknown := find_unknown_key(value, hints[key], here):
            return unknown
    return None


def _find_in_each(items: Iterable[tuple[str, object]], kind: Any, keys: tuple[str, ...]) -> UnknownKey | None:
    found = (find_unknown_key(item, kind, (*keys, key)) for key, item in items)
    return next((unknown for unknown in found if unknown), None)


def dataclass_within(kind: Any) -> Any:
    """Return the dataclass in ``kind`` itself, in a tuple of it, or in an optional of it; else ``None``."""
    if dataclasses.is_dataclass(kind):
        return kind
    if get_origin(kind) in (tuple, list, Union, types.UnionType, Annotated):
        return next((found for inner in get_args(kind) if (found := dataclass_within(inner))), None)
    return None


def dotted(keys: tuple[str, ...]) -> str:
    """Return ``('steps', '0', 'kind')`` as ``steps[0].kind``."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(keys))
