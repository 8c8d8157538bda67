"""Translation between the contract's dataclasses and its protobuf messages.

A dataclass and its message have the same name and the same fields, so one pair of functions serves them all:
an absent ``optional`` field is ``None``, a repeated field a tuple, a map a dict, an enum's value ``STEP_KIND_PREFILL``
the member ``StepKind.PREFILL``.
"""

import functools
import re
import types
from dataclasses import fields, is_dataclass
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
    for field in fields(value):
        content = getattr(value, field.name)
        if content is not None:
            _set(message, field.name, content)
    return message


def from_message(kind: type[T], message: Message) -> T:
    """Return the dataclass ``kind`` that says the same as ``message``."""
    value: T = _read(kind, message)
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


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, message: Any) -> Any:
    return kind(**{name: _get(message, name, hint) for name, hint in _hints(kind).items()})


def _set(message: Any, name: str, content: Any) -> None:
    if is_dataclass(content):
        part = getattr(message, name)
        part.CopyFrom(to_message(content))
        part.SetInParent()  # a part whose fields are all 0 is present all the same
    elif isinstance(content, Enum):
        setattr(message, name, f"{_enum_prefix(type(content))}_{content.name}")
    elif isinstance(content, tuple):
        # All items are of one kind: a thousand token gaps are not looked at one by one.
        are_parts = bool(content) and is_dataclass(content[0])
        getattr(message, name).extend(map(to_message, content) if are_parts else content)
    elif isinstance(content, dict):
        getattr(message, name).update(content)
    else:
        setattr(message, name, content)


def _get(message: Any, name: str, hint: Any) -> Any:
    hint, optional = _unwrap(hint)
    if optional and not message.HasField(name):
        return None
    content = getattr(message, name)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return tuple(_read(item, part) for part in content) if is_dataclass(item) else tuple(content)
    if get_origin(hint) is dict:
        return dict(content)
    if is_dataclass(hint):
        return _read(hint, content)
    if isinstance(hint, type) and issubclass(hint, Enum):
        member = message.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number.get(content)
        if member is None or member.number == 0:
            raise ValueError(f"{message.DESCRIPTOR.name}.{name}: unknown value {content}")
        return hint[member.name.removeprefix(_enum_prefix(hint) + "_")]
    return content


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
