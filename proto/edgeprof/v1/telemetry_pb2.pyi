from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GapCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_CAUSE_UNSPECIFIED: _ClassVar[GapCause]
    GAP_CAUSE_SPOOL_FULL: _ClassVar[GapCause]
    GAP_CAUSE_SPOOL_AGE: _ClassVar[GapCause]
    GAP_CAUSE_SPOOL_CORRUPT: _ClassVar[GapCause]
    GAP_CAUSE_DISK_FULL: _ClassVar[GapCause]
    GAP_CAUSE_NEVER_SENT: _ClassVar[GapCause]
GAP_CAUSE_UNSPECIFIED: GapCause
GAP_CAUSE_SPOOL_FULL: GapCause
GAP_CAUSE_SPOOL_AGE: GapCause
GAP_CAUSE_SPOOL_CORRUPT: GapCause
GAP_CAUSE_DISK_FULL: GapCause
GAP_CAUSE_NEVER_SENT: GapCause

class Channel(_message.Message):
    __slots__ = ("metric", "labels", "source", "resolution")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    metric: str
    labels: _containers.ScalarMap[str, str]
    source: str
    resolution: float
    def __init__(self, metric: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., source: _Optional[str] = ..., resolution: _Optional[float] = ...) -> None: ...

class Layout(_message.Message):
    __slots__ = ("layout", "channels")
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    layout: int
    channels: _containers.RepeatedCompositeFieldContainer[Channel]
    def __init__(self, layout: _Optional[int] = ..., channels: _Optional[_Iterable[_Union[Channel, _Mapping]]] = ...) -> None: ...

class Integers(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values: _Optional[_Iterable[int]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("layout", "tick_count", "times", "last_values", "empty_channels", "constant_channels", "differences", "absent", "bucket_ns", "below", "above")
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    TICK_COUNT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    LAST_VALUES_FIELD_NUMBER: _ClassVar[int]
    EMPTY_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    BUCKET_NS_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    layout: int
    tick_count: int
    times: bytes
    last_values: bytes
    empty_channels: bytes
    constant_channels: bytes
    differences: bytes
    absent: bytes
    bucket_ns: int
    below: bytes
    above: bytes
    def __init__(self, layout: _Optional[int] = ..., tick_count: _Optional[int] = ..., times: _Optional[bytes] = ..., last_values: _Optional[bytes] = ..., empty_channels: _Optional[bytes] = ..., constant_channels: _Optional[bytes] = ..., differences: _Optional[bytes] = ..., absent: _Optional[bytes] = ..., bucket_ns: _Optional[int] = ..., below: _Optional[bytes] = ..., above: _Optional[bytes] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("boot_id", "run_id", "start_monotonic_ns", "end_monotonic_ns", "blocks", "slept_ns")
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    START_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    END_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    SLEPT_NS_FIELD_NUMBER: _ClassVar[int]
    boot_id: bytes
    run_id: str
    start_monotonic_ns: int
    end_monotonic_ns: int
    blocks: _containers.RepeatedCompositeFieldContainer[Block]
    slept_ns: int
    def __init__(self, boot_id: _Optional[bytes] = ..., run_id: _Optional[str] = ..., start_monotonic_ns: _Optional[int] = ..., end_monotonic_ns: _Optional[int] = ..., blocks: _Optional[_Iterable[_Union[Block, _Mapping]]] = ..., slept_ns: _Optional[int] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("first_sequence", "last_sequence", "cause")
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    first_sequence: int
    last_sequence: int
    cause: GapCause
    def __init__(self, first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., cause: _Optional[_Union[GapCause, str]] = ...) -> None: ...

class RunTelemetry(_message.Message):
    __slots__ = ("layouts", "frames")
    LAYOUTS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    layouts: _containers.RepeatedCompositeFieldContainer[Layout]
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, layouts: _Optional[_Iterable[_Union[Layout, _Mapping]]] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...
