"""Dataclasses filled at random, by their type hints and the ranges of their messages."""

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st

from edgeprof.messages import message_class

_RANGES = {
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
}
_TEXT = st.text(max_size=8)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of the dataclass ``kind`` that its message can carry."""
    hints = get_type_hints(kind)
    descriptors = message_class(kind).DESCRIPTOR.fields_by_name
    contents = {field.name: _content(hints[field.name], descriptors[field.name]) for field in fields(kind)}
    return st.builds(kind, **contents).filter(_at_most_one_of_each_choice)


def _content(hint: Any, descriptor: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.none() | _content(next(part for part in arguments if part is not types.NoneType), descriptor)
    if origin is tuple:
        return st.lists(_content(arguments[0], descriptor), max_size=3).map(tuple)
    if origin is dict:
        value = descriptor.message_type.fields_by_name["value"]
        return st.dictionaries(_TEXT, _content(arguments[1], value), max_size=3)
    return values_of(hint) if is_dataclass(hint) else _single(hint, descriptor)


def _single(hint: Any, descriptor: Any) -> st.SearchStrategy[Any]:
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hint is int:
        return st.integers(*_RANGES[descriptor.type])
    scalars: dict[Any, st.SearchStrategy[Any]] = {
        str: _TEXT,
        bytes: st.binary(max_size=16),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, width=32 if descriptor.type == FieldDescriptor.TYPE_FLOAT else 64),
    }
    return scalars[hint]


def _at_most_one_of_each_choice(value: Any) -> bool:
    """A message keeps only one field of a ``oneof``."""
    kind: Any = type(value)
    choices = message_class(kind).DESCRIPTOR.oneofs
    return all(
        sum(getattr(value, field.name) is not None for field in choice.fields) <= 1
        for choice in choices
        if len(choice.fields) > 1
    )
