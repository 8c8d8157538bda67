"""Translation between the contract's dataclasses and its protobuf messages.

A dataclass and its message have the same name and the same fields, so one pair of functions serves them all:
an absent ``optional`` field is ``None``, a repeated field a tuple, a map a dict, an enum's value ``STEP_KIND_PREFILL``
the member ``StepKind.PREFILL``.
"""

import functools
import re
import types
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from google.protobuf.message import Message

from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    NextTokens,
    PeakBandwidth,
    Phase,
    Request,
    RunEvent,
    RunFinished,
    RunStarted,
    TaskAnswers,
    TextScore,
    VariantMemory,
)
from edgeprof.v1 import device_pb2, plan_pb2, run_pb2, telemetry_pb2, uplink_pb2

T = TypeVar("T")

_MODULES = (device_pb2, plan_pb2, run_pb2, telemetry_pb2, uplink_pb2)
_RUN_EVENT_FIELDS: dict[type, str] = {
    RunStarted: "started",
    CeilingMeasured: "ceiling",
    PeakBandwidth: "peak",
    Phase: "phase",
    ModelLoaded: "loaded",
    Request: "request",
    NextTokens: "next_tokens",
    TextScore: "text_score",
    VariantMemory: "variant_memory",
    TaskAnswers: "task_answers",
    RunFinished: "finished",
}
_RUN_EVENT_TYPES: dict[str, Any] = {name: kind for kind, name in _RUN_EVENT_FIELDS.items()}


def to_message(value: Any) -> Any:
    """Return the message that says the same as the dataclass ``value``."""
    kind: Any = type(value)
    message = message_class(kind)()
    for field in _fields(kind):
        field.write(message, getattr(value, field.name))
    return message


def from_message(kind: type[T], message: Message) -> T:
    """Return the dataclass ``kind`` that says the same as ``message``.

    Raises:
        ValueError: an enum has a value that this version does not know.
    """
    known: Any = kind
    value: T = known(**{field.name: field.read(message) for field in _fields(known)})
    return value


def run_event_to_message(event: RunEvent) -> run_pb2.RunEvent:
    """Wrap an event of a run."""
    return run_pb2.RunEvent(**{_RUN_EVENT_FIELDS[type(event)]: to_message(event)})


def run_event_from_message(message: run_pb2.RunEvent) -> RunEvent | None:
    """Unwrap an event of a run; ``None`` if it is of a kind that this version does not know."""
    name = message.WhichOneof("event")
    if name is None:
        return None
    event: RunEvent = from_message(_RUN_EVENT_TYPES[name], getattr(message, name))
    return event


@functools.cache
def message_class(kind: Any) -> Any:
    """The message class of the dataclass ``kind``."""
    for module in _MODULES:
        if found := getattr(module, kind.__name__, None):
            return found
    raise TypeError(f"no message is called {kind.__name__}")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field that is written and read as it is: a number, a text, bytes."""

    name: str

    def write(self, message: Any, content: Any) -> None:
        setattr(message, self.name, content)

    def read(self, message: Any) -> Any:
        return getattr(message, self.name)


class _Map(_Field):
    def write(self, message: Any, content: Any) -> None:
        getattr(message, self.name).update(content)

    def read(self, message: Any) -> Any:
        return dict(getattr(message, self.name))


class _List(_Field):
    def write(self, message: Any, content: Any) -> None:
        getattr(message, self.name).extend(content)

    def read(self, message: Any) -> Any:
        return tuple(getattr(message, self.name))


@dataclass(frozen=True, slots=True)
class _TypedField(_Field):
    kind: Any


class _Parts(_TypedField):
    def write(self, message: Any, content: Any) -> None:
        getattr(message, self.name).extend(map(to_message, content))

    def read(self, message: Any) -> Any:
        return tuple(from_message(self.kind, part) for part in getattr(message, self.name))


class _Part(_TypedField):
    def write(self, message: Any, content: Any) -> None:
        part = getattr(message, self.name)
        part.CopyFrom(to_message(content))
        part.SetInParent()  # a part whose fields are all 0 is present all the same

    def read(self, message: Any) -> Any:
        return from_message(self.kind, getattr(message, self.name))


class _Member(_TypedField):
    def write(self, message: Any, content: Any) -> None:
        setattr(message, self.name, f"{_enum_prefix(self.kind)}_{content.name}")

    def read(self, message: Any) -> Any:
        number = getattr(message, self.name)
        member = message.DESCRIPTOR.fields_by_name[self.name].enum_type.values_by_number.get(number)
        if member is None or member.number == 0:
            raise ValueError(f"{message.DESCRIPTOR.name}.{self.name}: unknown value {number}")
        return self.kind[member.name.removeprefix(_enum_prefix(self.kind) + "_")]


@dataclass(frozen=True, slots=True)
class _Optional:
    """A field that may be absent: ``None``."""

    field: _Field

    @property
    def name(self) -> str:
        return self.field.name

    def write(self, message: Any, content: Any) -> None:
        if content is not None:
            self.field.write(message, content)

    def read(self, message: Any) -> Any:
        return self.field.read(message) if message.HasField(self.field.name) else None


@functools.cache
def _fields(kind: Any) -> tuple[_Field | _Optional, ...]:
    """How each field of a class travels: found once, since some classes are sent each second."""
    return tuple(_field(name, hint) for name, hint in get_type_hints(kind).items())


def _field(name: str, hint: Any) -> _Field | _Optional:
    hint, is_optional = _unwrap(hint)
    field = _field_of(name, hint)
    return _Optional(field) if is_optional else field


def _field_of(name: str, hint: Any) -> _Field:
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return _Parts(name, item) if is_dataclass(item) else _List(name)
    if get_origin(hint) is dict:
        return _Map(name)
    if is_dataclass(hint):
        return _Part(name, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _Member(name, hint)
    return _Field(name)


@functools.cache
def _unwrap(hint: Any) -> tuple[Any, bool]:
    """Strip ``Annotated`` and ``| None`` from a type hint; say whether ``None`` was allowed."""
    if get_origin(hint) is Annotated:
        return _unwrap(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(part for part in get_args(hint) if part is not types.NoneType)
        return _unwrap(inner)[0], True
    return hint, False


@functools.cache
def _enum_prefix(kind: Any) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).upper()
