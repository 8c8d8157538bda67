"""Dataclasses filled at random, by their type hints and the ranges of their messages."""

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from edgeprof.messages import message_class

_RANGES = {"uint32": (0, 2**32 - 1), "uint64": (0, 2**64 - 1), "sint64": (-(2**63), 2**63 - 1)}
_TEXT = st.text(max_size=8)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of the dataclass ``kind`` that its message can carry."""
    hints = get_type_hints(kind, include_extras=True)
    descriptors = message_class(kind).DESCRIPTOR.fields_by_name
    contents = {field.name: _content(hints[field.name], descriptors[field.name]) for field in fields(kind)}
    return st.builds(kind, **contents).filter(_at_most_one_of_each_choice)


def _content(hint: Any, descriptor: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _content(arguments[0], descriptor)
    if origin in (Union, types.UnionType):
        return st.none() | _content(next(part for part in arguments if part is not types.NoneType), descriptor)
    if origin is tuple:
        return st.lists(_content(arguments[0], descriptor), max_size=3).map(tuple)
    if origin is dict:
        value = descriptor.message_type.fields_by_name["value"]
        return st.dictionaries(_TEXT, _content(arguments[1], value), max_size=3)
    if is_dataclass(hint):
        return values_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hint is int:
        return st.integers(*_RANGES[_scalar(descriptor)])
    scalars: dict[Any, st.SearchStrategy[Any]] = {
        str: _TEXT,
        bytes: st.binary(max_size=16),
        bool: st.booleans(),
        float: st.floats(allow_nan=False),
    }
    return scalars[hint]


def _scalar(descriptor: Any) -> str:
    names = {descriptor.TYPE_UINT32: "uint32", descriptor.TYPE_UINT64: "uint64", descriptor.TYPE_SINT64: "sint64"}
    return names[descriptor.type]


def _at_most_one_of_each_choice(value: Any) -> bool:
    """A message keeps only one field of a ``oneof``."""
    choices = message_class(type(value)).DESCRIPTOR.oneofs
    return all(
        sum(getattr(value, field.name) is not None for field in choice.fields) <= 1
        for choice in choices
        if len(choice.fields) > 1
    )
