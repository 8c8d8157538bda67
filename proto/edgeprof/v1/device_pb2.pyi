from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Accelerator(_message.Message):
    __slots__ = ("name", "product", "vendor", "memory_total_bytes", "driver_version", "unified_memory", "memory_clock_max_hertz", "memory_bus_bits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    DRIVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNIFIED_MEMORY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_CLOCK_MAX_HERTZ_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BUS_BITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    product: str
    vendor: str
    memory_total_bytes: int
    driver_version: str
    unified_memory: bool
    memory_clock_max_hertz: int
    memory_bus_bits: int
    def __init__(self, name: _Optional[str] = ..., product: _Optional[str] = ..., vendor: _Optional[str] = ..., memory_total_bytes: _Optional[int] = ..., driver_version: _Optional[str] = ..., unified_memory: _Optional[bool] = ..., memory_clock_max_hertz: _Optional[int] = ..., memory_bus_bits: _Optional[int] = ...) -> None: ...

class DeviceFacts(_message.Message):
    __slots__ = ("device_id", "hostname", "board", "soc", "cpu_model", "architecture", "physical_cores", "logical_cores", "memory_total_bytes", "last_level_cache_bytes", "os", "kernel", "firmware", "power_mode", "governor", "power_source", "accelerators", "labels", "agent_version", "memory_type", "memory_transfers_per_second", "memory_bus_bits", "power_limits_watts", "clock_limits_hertz", "imported_from")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class PowerLimitsWattsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ClockLimitsHertzEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    BOARD_FIELD_NUMBER: _ClassVar[int]
    SOC_FIELD_NUMBER: _ClassVar[int]
    CPU_MODEL_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    PHYSICAL_CORES_FIELD_NUMBER: _ClassVar[int]
    LOGICAL_CORES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    LAST_LEVEL_CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_FIELD_NUMBER: _ClassVar[int]
    POWER_MODE_FIELD_NUMBER: _ClassVar[int]
    GOVERNOR_FIELD_NUMBER: _ClassVar[int]
    POWER_SOURCE_FIELD_NUMBER: _ClassVar[int]
    ACCELERATORS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TRANSFERS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BUS_BITS_FIELD_NUMBER: _ClassVar[int]
    POWER_LIMITS_WATTS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_LIMITS_HERTZ_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FROM_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    hostname: str
    board: str
    soc: str
    cpu_model: str
    architecture: str
    physical_cores: int
    logical_cores: int
    memory_total_bytes: int
    last_level_cache_bytes: int
    os: str
    kernel: str
    firmware: str
    power_mode: str
    governor: str
    power_source: str
    accelerators: _containers.RepeatedCompositeFieldContainer[Accelerator]
    labels: _containers.ScalarMap[str, str]
    agent_version: str
    memory_type: str
    memory_transfers_per_second: int
    memory_bus_bits: int
    power_limits_watts: _containers.ScalarMap[str, float]
    clock_limits_hertz: _containers.ScalarMap[str, float]
    imported_from: str
    def __init__(self, device_id: _Optional[str] = ..., hostname: _Optional[str] = ..., board: _Optional[str] = ..., soc: _Optional[str] = ..., cpu_model: _Optional[str] = ..., architecture: _Optional[str] = ..., physical_cores: _Optional[int] = ..., logical_cores: _Optional[int] = ..., memory_total_bytes: _Optional[int] = ..., last_level_cache_bytes: _Optional[int] = ..., os: _Optional[str] = ..., kernel: _Optional[str] = ..., firmware: _Optional[str] = ..., power_mode: _Optional[str] = ..., governor: _Optional[str] = ..., power_source: _Optional[str] = ..., accelerators: _Optional[_Iterable[_Union[Accelerator, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., agent_version: _Optional[str] = ..., memory_type: _Optional[str] = ..., memory_transfers_per_second: _Optional[int] = ..., memory_bus_bits: _Optional[int] = ..., power_limits_watts: _Optional[_Mapping[str, float]] = ..., clock_limits_hertz: _Optional[_Mapping[str, float]] = ..., imported_from: _Optional[str] = ...) -> None: ...
