from edgeprof.v1 import device_pb2 as _device_pb2
from edgeprof.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PeakMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PEAK_METHOD_UNSPECIFIED: _ClassVar[PeakMethod]
    PEAK_METHOD_COMPUTED: _ClassVar[PeakMethod]
    PEAK_METHOD_SPECIFIED: _ClassVar[PeakMethod]

class PhaseKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHASE_KIND_UNSPECIFIED: _ClassVar[PhaseKind]
    PHASE_KIND_GATE: _ClassVar[PhaseKind]
    PHASE_KIND_CEILING: _ClassVar[PhaseKind]
    PHASE_KIND_LOAD: _ClassVar[PhaseKind]
    PHASE_KIND_WARM_UP: _ClassVar[PhaseKind]
    PHASE_KIND_REST: _ClassVar[PhaseKind]
    PHASE_KIND_STEP: _ClassVar[PhaseKind]
    PHASE_KIND_UNLOAD: _ClassVar[PhaseKind]
    PHASE_KIND_PREPARE: _ClassVar[PhaseKind]

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_SUCCEEDED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELLED: _ClassVar[RunState]

class TaskKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_KIND_UNSPECIFIED: _ClassVar[TaskKind]
    TASK_KIND_COUNTING: _ClassVar[TaskKind]
    TASK_KIND_ARITHMETIC: _ClassVar[TaskKind]
PEAK_METHOD_UNSPECIFIED: PeakMethod
PEAK_METHOD_COMPUTED: PeakMethod
PEAK_METHOD_SPECIFIED: PeakMethod
PHASE_KIND_UNSPECIFIED: PhaseKind
PHASE_KIND_GATE: PhaseKind
PHASE_KIND_CEILING: PhaseKind
PHASE_KIND_LOAD: PhaseKind
PHASE_KIND_WARM_UP: PhaseKind
PHASE_KIND_REST: PhaseKind
PHASE_KIND_STEP: PhaseKind
PHASE_KIND_UNLOAD: PhaseKind
PHASE_KIND_PREPARE: PhaseKind
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_SUCCEEDED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELLED: RunState
TASK_KIND_UNSPECIFIED: TaskKind
TASK_KIND_COUNTING: TaskKind
TASK_KIND_ARITHMETIC: TaskKind

class ModelFacts(_message.Message):
    __slots__ = ("name", "path", "format", "synthetic", "architecture", "quantisation", "parameter_count", "file_bytes", "sha256", "layer_count", "embedding_length", "vocabulary_size", "context_length", "kv_elements_per_token", "weight_bytes_read_per_token", "expert_count", "expert_used_count", "tensor_bytes_by_type")
    class TensorBytesByTypeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    QUANTISATION_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    LAYER_COUNT_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_LENGTH_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    KV_ELEMENTS_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BYTES_READ_PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPERT_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXPERT_USED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TENSOR_BYTES_BY_TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: str
    format: str
    synthetic: bool
    architecture: str
    quantisation: str
    parameter_count: int
    file_bytes: int
    sha256: str
    layer_count: int
    embedding_length: int
    vocabulary_size: int
    context_length: int
    kv_elements_per_token: int
    weight_bytes_read_per_token: int
    expert_count: int
    expert_used_count: int
    tensor_bytes_by_type: _containers.ScalarMap[str, int]
    def __init__(self, name: _Optional[str] = ..., path: _Optional[str] = ..., format: _Optional[str] = ..., synthetic: _Optional[bool] = ..., architecture: _Optional[str] = ..., quantisation: _Optional[str] = ..., parameter_count: _Optional[int] = ..., file_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., layer_count: _Optional[int] = ..., embedding_length: _Optional[int] = ..., vocabulary_size: _Optional[int] = ..., context_length: _Optional[int] = ..., kv_elements_per_token: _Optional[int] = ..., weight_bytes_read_per_token: _Optional[int] = ..., expert_count: _Optional[int] = ..., expert_used_count: _Optional[int] = ..., tensor_bytes_by_type: _Optional[_Mapping[str, int]] = ...) -> None: ...

class EngineFacts(_message.Message):
    __slots__ = ("name", "version", "build", "python_version", "options", "variant_versions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    PYTHON_VERSION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VARIANT_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    build: str
    python_version: str
    options: _containers.RepeatedCompositeFieldContainer[OptionSet]
    variant_versions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., build: _Optional[str] = ..., python_version: _Optional[str] = ..., options: _Optional[_Iterable[_Union[OptionSet, _Mapping]]] = ..., variant_versions: _Optional[_Iterable[str]] = ...) -> None: ...

class OptionSet(_message.Message):
    __slots__ = ("options",)
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.ScalarMap[str, str]
    def __init__(self, options: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RunStarted(_message.Message):
    __slots__ = ("run_id", "job_id", "plan", "model", "engine", "device", "boot_id", "monotonic_ns", "wall_ns", "slept_ns", "left_out_steps", "unanswerable_steps")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    WALL_NS_FIELD_NUMBER: _ClassVar[int]
    SLEPT_NS_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_STEPS_FIELD_NUMBER: _ClassVar[int]
    UNANSWERABLE_STEPS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    job_id: str
    plan: _plan_pb2.Plan
    model: ModelFacts
    engine: EngineFacts
    device: _device_pb2.DeviceFacts
    boot_id: bytes
    monotonic_ns: int
    wall_ns: int
    slept_ns: int
    left_out_steps: _containers.RepeatedScalarFieldContainer[str]
    unanswerable_steps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_id: _Optional[str] = ..., job_id: _Optional[str] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., model: _Optional[_Union[ModelFacts, _Mapping]] = ..., engine: _Optional[_Union[EngineFacts, _Mapping]] = ..., device: _Optional[_Union[_device_pb2.DeviceFacts, _Mapping]] = ..., boot_id: _Optional[bytes] = ..., monotonic_ns: _Optional[int] = ..., wall_ns: _Optional[int] = ..., slept_ns: _Optional[int] = ..., left_out_steps: _Optional[_Iterable[str]] = ..., unanswerable_steps: _Optional[_Iterable[str]] = ...) -> None: ...

class CeilingMeasured(_message.Message):
    __slots__ = ("run_id", "processor", "read_kernel", "read_threads", "read_bytes_per_second", "copy_kernel", "copy_threads", "copy_bytes_per_second")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    READ_KERNEL_FIELD_NUMBER: _ClassVar[int]
    READ_THREADS_FIELD_NUMBER: _ClassVar[int]
    READ_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    COPY_KERNEL_FIELD_NUMBER: _ClassVar[int]
    COPY_THREADS_FIELD_NUMBER: _ClassVar[int]
    COPY_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    processor: str
    read_kernel: str
    read_threads: int
    read_bytes_per_second: float
    copy_kernel: str
    copy_threads: int
    copy_bytes_per_second: float
    def __init__(self, run_id: _Optional[str] = ..., processor: _Optional[str] = ..., read_kernel: _Optional[str] = ..., read_threads: _Optional[int] = ..., read_bytes_per_second: _Optional[float] = ..., copy_kernel: _Optional[str] = ..., copy_threads: _Optional[int] = ..., copy_bytes_per_second: _Optional[float] = ...) -> None: ...

class PeakBandwidth(_message.Message):
    __slots__ = ("run_id", "processor", "method", "bytes_per_second", "source")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    processor: str
    method: PeakMethod
    bytes_per_second: float
    source: str
    def __init__(self, run_id: _Optional[str] = ..., processor: _Optional[str] = ..., method: _Optional[_Union[PeakMethod, str]] = ..., bytes_per_second: _Optional[float] = ..., source: _Optional[str] = ...) -> None: ...

class StepRef(_message.Message):
    __slots__ = ("step", "variant", "repetition")
    STEP_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPETITION_FIELD_NUMBER: _ClassVar[int]
    step: int
    variant: int
    repetition: int
    def __init__(self, step: _Optional[int] = ..., variant: _Optional[int] = ..., repetition: _Optional[int] = ...) -> None: ...

class Phase(_message.Message):
    __slots__ = ("run_id", "kind", "step", "start_monotonic_ns", "end_monotonic_ns", "note")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    START_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    END_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    kind: PhaseKind
    step: StepRef
    start_monotonic_ns: int
    end_monotonic_ns: int
    note: str
    def __init__(self, run_id: _Optional[str] = ..., kind: _Optional[_Union[PhaseKind, str]] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., start_monotonic_ns: _Optional[int] = ..., end_monotonic_ns: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class ModelLoaded(_message.Message):
    __slots__ = ("run_id", "variant", "load_seconds", "page_cache_ratio", "weights_bytes", "kv_cache_bytes", "compute_bytes", "options")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    LOAD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PAGE_CACHE_RATIO_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KV_CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    variant: int
    load_seconds: float
    page_cache_ratio: float
    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    options: _containers.ScalarMap[str, str]
    def __init__(self, run_id: _Optional[str] = ..., variant: _Optional[int] = ..., load_seconds: _Optional[float] = ..., page_cache_ratio: _Optional[float] = ..., weights_bytes: _Optional[int] = ..., kv_cache_bytes: _Optional[int] = ..., compute_bytes: _Optional[int] = ..., options: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Request(_message.Message):
    __slots__ = ("run_id", "step", "window_id", "index", "prompt_tokens", "reused_tokens", "depth_tokens", "start_monotonic_ns", "prefill_end_monotonic_ns", "token_gaps_ns", "token_counts", "end_monotonic_ns")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WINDOW_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REUSED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    START_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    PREFILL_END_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_GAPS_NS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    END_MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    step: StepRef
    window_id: str
    index: int
    prompt_tokens: int
    reused_tokens: int
    depth_tokens: int
    start_monotonic_ns: int
    prefill_end_monotonic_ns: int
    token_gaps_ns: _containers.RepeatedScalarFieldContainer[int]
    token_counts: _containers.RepeatedScalarFieldContainer[int]
    end_monotonic_ns: int
    def __init__(self, run_id: _Optional[str] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., window_id: _Optional[str] = ..., index: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., reused_tokens: _Optional[int] = ..., depth_tokens: _Optional[int] = ..., start_monotonic_ns: _Optional[int] = ..., prefill_end_monotonic_ns: _Optional[int] = ..., token_gaps_ns: _Optional[_Iterable[int]] = ..., token_counts: _Optional[_Iterable[int]] = ..., end_monotonic_ns: _Optional[int] = ...) -> None: ...

class NextTokens(_message.Message):
    __slots__ = ("run_id", "step", "top_count", "token_ids", "log_probabilities")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOP_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    step: StepRef
    top_count: int
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    log_probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, run_id: _Optional[str] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., top_count: _Optional[int] = ..., token_ids: _Optional[_Iterable[int]] = ..., log_probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class TextScore(_message.Message):
    __slots__ = ("run_id", "step", "text_sha256", "window_nats")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TEXT_SHA256_FIELD_NUMBER: _ClassVar[int]
    WINDOW_NATS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    step: StepRef
    text_sha256: str
    window_nats: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, run_id: _Optional[str] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., text_sha256: _Optional[str] = ..., window_nats: _Optional[_Iterable[float]] = ...) -> None: ...

class VariantMemory(_message.Message):
    __slots__ = ("run_id", "variant", "repetition", "peak_resident_bytes")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REPETITION_FIELD_NUMBER: _ClassVar[int]
    PEAK_RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    variant: int
    repetition: int
    peak_resident_bytes: int
    def __init__(self, run_id: _Optional[str] = ..., variant: _Optional[int] = ..., repetition: _Optional[int] = ..., peak_resident_bytes: _Optional[int] = ...) -> None: ...

class TaskAnswer(_message.Message):
    __slots__ = ("kind", "question", "expected", "text")
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: TaskKind
    question: str
    expected: int
    text: str
    def __init__(self, kind: _Optional[_Union[TaskKind, str]] = ..., question: _Optional[str] = ..., expected: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class TaskAnswers(_message.Message):
    __slots__ = ("run_id", "step", "set_version", "prompts_sha256", "answers")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SET_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    step: StepRef
    set_version: int
    prompts_sha256: str
    answers: _containers.RepeatedCompositeFieldContainer[TaskAnswer]
    def __init__(self, run_id: _Optional[str] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., set_version: _Optional[int] = ..., prompts_sha256: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[TaskAnswer, _Mapping]]] = ...) -> None: ...

class RunFinished(_message.Message):
    __slots__ = ("run_id", "state", "cause", "monotonic_ns", "peak_resident_bytes")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    PEAK_RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    state: RunState
    cause: str
    monotonic_ns: int
    peak_resident_bytes: int
    def __init__(self, run_id: _Optional[str] = ..., state: _Optional[_Union[RunState, str]] = ..., cause: _Optional[str] = ..., monotonic_ns: _Optional[int] = ..., peak_resident_bytes: _Optional[int] = ...) -> None: ...

class RunEvent(_message.Message):
    __slots__ = ("started", "ceiling", "phase", "loaded", "request", "finished", "peak", "next_tokens", "text_score", "variant_memory", "task_answers")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    PEAK_FIELD_NUMBER: _ClassVar[int]
    NEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEXT_SCORE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_MEMORY_FIELD_NUMBER: _ClassVar[int]
    TASK_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    started: RunStarted
    ceiling: CeilingMeasured
    phase: Phase
    loaded: ModelLoaded
    request: Request
    finished: RunFinished
    peak: PeakBandwidth
    next_tokens: NextTokens
    text_score: TextScore
    variant_memory: VariantMemory
    task_answers: TaskAnswers
    def __init__(self, started: _Optional[_Union[RunStarted, _Mapping]] = ..., ceiling: _Optional[_Union[CeilingMeasured, _Mapping]] = ..., phase: _Optional[_Union[Phase, _Mapping]] = ..., loaded: _Optional[_Union[ModelLoaded, _Mapping]] = ..., request: _Optional[_Union[Request, _Mapping]] = ..., finished: _Optional[_Union[RunFinished, _Mapping]] = ..., peak: _Optional[_Union[PeakBandwidth, _Mapping]] = ..., next_tokens: _Optional[_Union[NextTokens, _Mapping]] = ..., text_score: _Optional[_Union[TextScore, _Mapping]] = ..., variant_memory: _Optional[_Union[VariantMemory, _Mapping]] = ..., task_answers: _Optional[_Union[TaskAnswers, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("run_id", "phase", "step", "repetition", "repetition_count", "done_ratio", "elapsed_seconds", "remaining_seconds", "tokens_per_second", "temperature_celsius", "resident_bytes", "job_id")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REPETITION_FIELD_NUMBER: _ClassVar[int]
    REPETITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    DONE_RATIO_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REMAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_CELSIUS_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    phase: PhaseKind
    step: str
    repetition: int
    repetition_count: int
    done_ratio: float
    elapsed_seconds: float
    remaining_seconds: float
    tokens_per_second: float
    temperature_celsius: float
    resident_bytes: int
    job_id: str
    def __init__(self, run_id: _Optional[str] = ..., phase: _Optional[_Union[PhaseKind, str]] = ..., step: _Optional[str] = ..., repetition: _Optional[int] = ..., repetition_count: _Optional[int] = ..., done_ratio: _Optional[float] = ..., elapsed_seconds: _Optional[float] = ..., remaining_seconds: _Optional[float] = ..., tokens_per_second: _Optional[float] = ..., temperature_celsius: _Optional[float] = ..., resident_bytes: _Optional[int] = ..., job_id: _Optional[str] = ...) -> None: ...
