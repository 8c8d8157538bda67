"""Every dataclass of the contract and its message say the same."""

from dataclasses import fields, is_dataclass
from enum import Enum
from inspect import getmembers, isclass
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeprof import device, job, plan, run, telemetry
from edgeprof.messages import (
    from_message,
    message_class,
    run_event_from_message,
    run_event_to_message,
    to_message,
)
from edgeprof.run import (
    CeilingMeasured,
    NextTokens,
    PeakBandwidth,
    PeakMethod,
    Phase,
    PhaseKind,
    Request,
    RunEvent,
    RunFinished,
    RunState,
    StepRef,
    TaskAnswer,
    TaskAnswers,
    TextScore,
    VariantMemory,
)
from edgeprof.task_set import TaskKind
from edgeprof.v1 import plan_pb2, run_pb2, telemetry_pb2, uplink_pb2
from tests.proto.contents import values_of

_MODULES = (device, job, plan, run, telemetry)
# Made of messages, or translated by functions of their own in edgeprof.telemetry.
_WITHOUT_MESSAGE = {
    telemetry.Placement,
    run.RunRecord,
    telemetry.Channel,
    telemetry.Column,
    telemetry.SampledBlock,
    telemetry.SampledFrame,
}


def _own_classes() -> list[type]:
    return [
        kind for module in _MODULES for _, kind in getmembers(module, isclass) if kind.__module__ == module.__name__
    ]


_DATACLASSES: list[Any] = [kind for kind in _own_classes() if is_dataclass(kind) and kind not in _WITHOUT_MESSAGE]
_ENUMS: list[Any] = [kind for kind in _own_classes() if issubclass(kind, Enum) and kind not in _WITHOUT_MESSAGE]


def _name(kind: type) -> str:
    return kind.__name__


@pytest.mark.parametrize("kind", _DATACLASSES, ids=_name)
def test_a_dataclass_and_its_message_have_the_same_fields(kind: Any) -> None:
    assert {field.name for field in fields(kind)} == set(message_class(kind).DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize("kind", _DATACLASSES, ids=_name)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_value_survives_the_wire(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))

    message = message_class(kind).FromString(to_message(value).SerializeToString())

    assert from_message(kind, message) == value


@pytest.mark.parametrize("kind", _DATACLASSES, ids=_name)
def test_a_field_may_be_none_where_its_message_can_leave_it_out(kind: Any) -> None:
    hints = get_type_hints(kind)
    descriptors = message_class(kind).DESCRIPTOR.fields_by_name

    may_be_none = {name for name, hint in hints.items() if NoneType in get_args(hint)}
    may_be_left_out = {name for name, field in descriptors.items() if field.has_presence}
    always_sent = {name for name, hint in hints.items() if is_dataclass(hint)}

    assert may_be_none == may_be_left_out - always_sent


@pytest.mark.parametrize("kind", _ENUMS, ids=_name)
def test_an_enum_has_the_members_of_its_message_enum(kind: Any) -> None:
    (descriptor,) = [
        module.DESCRIPTOR.enum_types_by_name[kind.__name__]
        for module in (plan_pb2, run_pb2, telemetry_pb2, uplink_pb2)
        if kind.__name__ in module.DESCRIPTOR.enum_types_by_name
    ]
    unspecified, *names = [value.name for value in descriptor.values]
    prefix = unspecified.removesuffix("UNSPECIFIED")

    assert names == [prefix + member.name for member in kind]


def test_a_step_of_zeros_is_present_all_the_same() -> None:
    phase = Phase(
        run_id="r",
        kind=PhaseKind.STEP,
        start_monotonic_ns=1,
        end_monotonic_ns=2,
        step=StepRef(step=0, variant=0, repetition=0),
    )

    message = run_pb2.Phase.FromString(to_message(phase).SerializeToString())

    assert from_message(Phase, message).step == StepRef(step=0, variant=0, repetition=0)


def test_an_enum_value_of_another_version_is_refused() -> None:
    message = run_pb2.RunFinished(run_id="r", state=17)  # type: ignore[arg-type]  # as a newer agent may send it

    with pytest.raises(ValueError, match=r"RunFinished\.state: unknown value 17"):
        from_message(RunFinished, message)


def test_an_unspecified_enum_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"RunFinished\.state: unknown value 0"):
        from_message(RunFinished, run_pb2.RunFinished(run_id="r"))


def test_a_class_without_message_is_refused() -> None:
    with pytest.raises(TypeError, match="no message is called RunRecord"):
        message_class(run.RunRecord)


_EVENTS: list[RunEvent] = [
    RunFinished(run_id="r", state=RunState.FAILED, monotonic_ns=5, cause="the engine crashed"),
    Request(run_id="r", step=StepRef(step=1, variant=0, repetition=2), start_monotonic_ns=1, end_monotonic_ns=2),
    Phase(run_id="r", kind=PhaseKind.LOAD, start_monotonic_ns=1, end_monotonic_ns=2),
    CeilingMeasured(
        run_id="r",
        processor="cpu",
        read_kernel="sum",
        read_threads=2,
        read_bytes_per_second=2e10,
        copy_kernel="memcpy",
        copy_threads=2,
        copy_bytes_per_second=3e10,
    ),
    NextTokens(
        run_id="r",
        step=StepRef(step=0, variant=1, repetition=0),
        top_count=2,
        token_ids=(7, 9, 0, 7),
        log_probabilities=(-0.25, -1.5, -0.5, -2.0),
    ),
    TextScore(
        run_id="r",
        step=StepRef(step=0, variant=1, repetition=0),
        text_sha256="0a" * 32,
        window_nats=(2.25, 2.5),
    ),
    VariantMemory(run_id="r", variant=1, repetition=0, peak_resident_bytes=2**31),
    TaskAnswers(
        run_id="r",
        step=StepRef(step=0, variant=1, repetition=0),
        set_version=1,
        prompts_sha256="0b" * 32,
        answers=(
            TaskAnswer(kind=TaskKind.COUNTING, question="4, 3, 2, 1,", expected=0, text=" 0\n"),
            TaskAnswer(kind=TaskKind.ARITHMETIC, question="3 + 4 =", expected=7, text=""),
        ),
    ),
    PeakBandwidth(
        run_id="r",
        processor="gpu0",
        method=PeakMethod.SPECIFIED,
        bytes_per_second=1e12,
        source="NVIDIA GeForce RTX 4090",
    ),
]


@pytest.mark.parametrize("event", _EVENTS, ids=lambda event: type(event).__name__)
def test_a_run_event_survives_the_wire(event: RunEvent) -> None:
    message = run_pb2.RunEvent.FromString(run_event_to_message(event).SerializeToString())

    assert run_event_from_message(message) == event


def test_every_kind_of_run_event_can_be_wrapped() -> None:
    wrapped = {kind.message_type.name for kind in run_pb2.RunEvent.DESCRIPTOR.fields if kind.message_type}

    assert wrapped == {kind.__name__ for kind in RunEvent.__args__}


def test_a_run_event_of_another_version_is_none() -> None:
    assert run_event_from_message(run_pb2.RunEvent()) is None
