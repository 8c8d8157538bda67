from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StepKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_KIND_UNSPECIFIED: _ClassVar[StepKind]
    STEP_KIND_PREFILL: _ClassVar[StepKind]
    STEP_KIND_DECODE: _ClassVar[StepKind]
    STEP_KIND_CHAT: _ClassVar[StepKind]
    STEP_KIND_FIDELITY: _ClassVar[StepKind]
    STEP_KIND_PARALLEL: _ClassVar[StepKind]
    STEP_KIND_ROWS: _ClassVar[StepKind]
    STEP_KIND_PERPLEXITY: _ClassVar[StepKind]
    STEP_KIND_TASKS: _ClassVar[StepKind]
STEP_KIND_UNSPECIFIED: StepKind
STEP_KIND_PREFILL: StepKind
STEP_KIND_DECODE: StepKind
STEP_KIND_CHAT: StepKind
STEP_KIND_FIDELITY: StepKind
STEP_KIND_PARALLEL: StepKind
STEP_KIND_ROWS: StepKind
STEP_KIND_PERPLEXITY: StepKind
STEP_KIND_TASKS: StepKind

class Step(_message.Message):
    __slots__ = ("name", "kind", "prompt_tokens", "depth_tokens", "decode_tokens", "turns", "top_count", "sequences", "rows", "optional", "text", "windows", "tasks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DECODE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    TOP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: StepKind
    prompt_tokens: int
    depth_tokens: int
    decode_tokens: int
    turns: int
    top_count: int
    sequences: int
    rows: int
    optional: bool
    text: str
    windows: int
    tasks: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[StepKind, str]] = ..., prompt_tokens: _Optional[int] = ..., depth_tokens: _Optional[int] = ..., decode_tokens: _Optional[int] = ..., turns: _Optional[int] = ..., top_count: _Optional[int] = ..., sequences: _Optional[int] = ..., rows: _Optional[int] = ..., optional: _Optional[bool] = ..., text: _Optional[str] = ..., windows: _Optional[int] = ..., tasks: _Optional[int] = ...) -> None: ...

class Variant(_message.Message):
    __slots__ = ("name", "options", "python")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    name: str
    options: _containers.ScalarMap[str, str]
    python: str
    def __init__(self, name: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., python: _Optional[str] = ...) -> None: ...

class Until(_message.Message):
    __slots__ = ("interval_ratio", "settled_seconds", "most_repetitions", "most_seconds")
    INTERVAL_RATIO_FIELD_NUMBER: _ClassVar[int]
    SETTLED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MOST_REPETITIONS_FIELD_NUMBER: _ClassVar[int]
    MOST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    interval_ratio: float
    settled_seconds: float
    most_repetitions: int
    most_seconds: float
    def __init__(self, interval_ratio: _Optional[float] = ..., settled_seconds: _Optional[float] = ..., most_repetitions: _Optional[int] = ..., most_seconds: _Optional[float] = ...) -> None: ...

class Gates(_message.Message):
    __slots__ = ("start_temperature_celsius", "idle_cpu_ratio", "wait_seconds")
    START_TEMPERATURE_CELSIUS_FIELD_NUMBER: _ClassVar[int]
    IDLE_CPU_RATIO_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    start_temperature_celsius: float
    idle_cpu_ratio: float
    wait_seconds: float
    def __init__(self, start_temperature_celsius: _Optional[float] = ..., idle_cpu_ratio: _Optional[float] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("time_seconds", "temperature_celsius", "memory_headroom_ratio")
    TIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_CELSIUS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_HEADROOM_RATIO_FIELD_NUMBER: _ClassVar[int]
    time_seconds: float
    temperature_celsius: float
    memory_headroom_ratio: float
    def __init__(self, time_seconds: _Optional[float] = ..., temperature_celsius: _Optional[float] = ..., memory_headroom_ratio: _Optional[float] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("name", "description", "steps", "repetitions", "variants", "gates", "limits", "seed", "rest_seconds", "until", "fresh_processes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    REPETITIONS_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    REST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    FRESH_PROCESSES_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    repetitions: int
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    gates: Gates
    limits: Limits
    seed: int
    rest_seconds: float
    until: Until
    fresh_processes: bool
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., repetitions: _Optional[int] = ..., variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ..., gates: _Optional[_Union[Gates, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., seed: _Optional[int] = ..., rest_seconds: _Optional[float] = ..., until: _Optional[_Union[Until, _Mapping]] = ..., fresh_processes: _Optional[bool] = ...) -> None: ...
