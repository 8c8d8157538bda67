from edgeprof.v1 import device_pb2 as _device_pb2
from edgeprof.v1 import plan_pb2 as _plan_pb2
from edgeprof.v1 import run_pb2 as _run_pb2
from edgeprof.v1 import telemetry_pb2 as _telemetry_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_SENT: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_TIMED_OUT: _ClassVar[JobState]
    JOB_STATE_REJECTED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]
    JOB_STATE_EXPIRED: _ClassVar[JobState]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_SENT: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_TIMED_OUT: JobState
JOB_STATE_REJECTED: JobState
JOB_STATE_CANCELLED: JobState
JOB_STATE_EXPIRED: JobState

class ClockStretch(_message.Message):
    __slots__ = ("boot_id", "elapsed_ns", "wall_ns")
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_NS_FIELD_NUMBER: _ClassVar[int]
    WALL_NS_FIELD_NUMBER: _ClassVar[int]
    boot_id: bytes
    elapsed_ns: int
    wall_ns: int
    def __init__(self, boot_id: _Optional[bytes] = ..., elapsed_ns: _Optional[int] = ..., wall_ns: _Optional[int] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol", "device", "boot_id", "spool_epoch", "oldest_sequence", "newest_sequence", "monotonic_ns", "wall_ns", "jobs", "lives", "slept_ns", "clocks")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    SPOOL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MONOTONIC_NS_FIELD_NUMBER: _ClassVar[int]
    WALL_NS_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    LIVES_FIELD_NUMBER: _ClassVar[int]
    SLEPT_NS_FIELD_NUMBER: _ClassVar[int]
    CLOCKS_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    device: _device_pb2.DeviceFacts
    boot_id: bytes
    spool_epoch: bytes
    oldest_sequence: int
    newest_sequence: int
    monotonic_ns: int
    wall_ns: int
    jobs: _containers.RepeatedCompositeFieldContainer[JobStatus]
    lives: _containers.RepeatedScalarFieldContainer[bytes]
    slept_ns: int
    clocks: _containers.RepeatedCompositeFieldContainer[ClockStretch]
    def __init__(self, protocol: _Optional[int] = ..., device: _Optional[_Union[_device_pb2.DeviceFacts, _Mapping]] = ..., boot_id: _Optional[bytes] = ..., spool_epoch: _Optional[bytes] = ..., oldest_sequence: _Optional[int] = ..., newest_sequence: _Optional[int] = ..., monotonic_ns: _Optional[int] = ..., wall_ns: _Optional[int] = ..., jobs: _Optional[_Iterable[_Union[JobStatus, _Mapping]]] = ..., lives: _Optional[_Iterable[bytes]] = ..., slept_ns: _Optional[int] = ..., clocks: _Optional[_Iterable[_Union[ClockStretch, _Mapping]]] = ...) -> None: ...

class CertificateRequest(_message.Message):
    __slots__ = ("request_pem",)
    REQUEST_PEM_FIELD_NUMBER: _ClassVar[int]
    request_pem: str
    def __init__(self, request_pem: _Optional[str] = ...) -> None: ...

class AgentMessage(_message.Message):
    __slots__ = ("sequence", "hello", "layout", "frame", "run_event", "gap", "job_status", "progress", "device", "certificate_request")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    RUN_EVENT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    JOB_STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    hello: Hello
    layout: _telemetry_pb2.Layout
    frame: _telemetry_pb2.Frame
    run_event: _run_pb2.RunEvent
    gap: _telemetry_pb2.Gap
    job_status: JobStatus
    progress: _run_pb2.Progress
    device: _device_pb2.DeviceFacts
    certificate_request: CertificateRequest
    def __init__(self, sequence: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., layout: _Optional[_Union[_telemetry_pb2.Layout, _Mapping]] = ..., frame: _Optional[_Union[_telemetry_pb2.Frame, _Mapping]] = ..., run_event: _Optional[_Union[_run_pb2.RunEvent, _Mapping]] = ..., gap: _Optional[_Union[_telemetry_pb2.Gap, _Mapping]] = ..., job_status: _Optional[_Union[JobStatus, _Mapping]] = ..., progress: _Optional[_Union[_run_pb2.Progress, _Mapping]] = ..., device: _Optional[_Union[_device_pb2.DeviceFacts, _Mapping]] = ..., certificate_request: _Optional[_Union[CertificateRequest, _Mapping]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol", "stored_sequence", "new_epoch_required", "wall_ns")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    STORED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NEW_EPOCH_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    WALL_NS_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    stored_sequence: int
    new_epoch_required: bool
    wall_ns: int
    def __init__(self, protocol: _Optional[int] = ..., stored_sequence: _Optional[int] = ..., new_epoch_required: _Optional[bool] = ..., wall_ns: _Optional[int] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("stored_sequence",)
    STORED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    stored_sequence: int
    def __init__(self, stored_sequence: _Optional[int] = ...) -> None: ...

class JobCommand(_message.Message):
    __slots__ = ("job_id", "version", "plan", "model", "engine", "python", "start_within_seconds")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    START_WITHIN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    version: int
    plan: _plan_pb2.Plan
    model: str
    engine: str
    python: str
    start_within_seconds: float
    def __init__(self, job_id: _Optional[str] = ..., version: _Optional[int] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., model: _Optional[str] = ..., engine: _Optional[str] = ..., python: _Optional[str] = ..., start_within_seconds: _Optional[float] = ...) -> None: ...

class JobCancel(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class JobStatus(_message.Message):
    __slots__ = ("job_id", "version", "state", "reason", "run_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    version: int
    state: JobState
    reason: str
    run_id: str
    def __init__(self, job_id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[JobState, str]] = ..., reason: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class JobStatusAck(_message.Message):
    __slots__ = ("job_id", "state")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ...) -> None: ...

class Settings(_message.Message):
    __slots__ = ("idle_frame_seconds",)
    IDLE_FRAME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    idle_frame_seconds: float
    def __init__(self, idle_frame_seconds: _Optional[float] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class CertificateIssued(_message.Message):
    __slots__ = ("certificate_pem", "authority_pem", "server_name", "issued_wall_ns", "expires_wall_ns", "refusal")
    CERTIFICATE_PEM_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_PEM_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    ISSUED_WALL_NS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_WALL_NS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    certificate_pem: str
    authority_pem: str
    server_name: str
    issued_wall_ns: int
    expires_wall_ns: int
    refusal: str
    def __init__(self, certificate_pem: _Optional[str] = ..., authority_pem: _Optional[str] = ..., server_name: _Optional[str] = ..., issued_wall_ns: _Optional[int] = ..., expires_wall_ns: _Optional[int] = ..., refusal: _Optional[str] = ...) -> None: ...

class CollectorMessage(_message.Message):
    __slots__ = ("welcome", "ack", "job", "cancel", "job_status_ack", "settings", "refused", "certificate_issued")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    JOB_STATUS_ACK_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_ISSUED_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    ack: Ack
    job: JobCommand
    cancel: JobCancel
    job_status_ack: JobStatusAck
    settings: Settings
    refused: Refused
    certificate_issued: CertificateIssued
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., job: _Optional[_Union[JobCommand, _Mapping]] = ..., cancel: _Optional[_Union[JobCancel, _Mapping]] = ..., job_status_ack: _Optional[_Union[JobStatusAck, _Mapping]] = ..., settings: _Optional[_Union[Settings, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., certificate_issued: _Optional[_Union[CertificateIssued, _Mapping]] = ...) -> None: ...
