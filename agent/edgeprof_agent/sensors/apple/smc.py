"""The system management controller: temperatures and power by keys of four letters.

Every user may read it. It answers one structure with another; their layout and the numbers of the commands are those
that Apple's PowerManagement sources once showed and that smcFanControl, iStat and macmon use.
"""

import ctypes
import struct
from collections.abc import Callable, Iterator

from edgeprof_agent.sensors.apple.io_registry import IORegistry

_CLASS, _ENDPOINT = "AppleSMC", "AppleSMCKeysEndpoint"
_CALL = 2  # kSMCHandleYPCEvent
_READ_VALUE, _KEY_BY_INDEX, _KEY_INFO = 5, 8, 9
_FLOAT = int.from_bytes(b"flt ", "big")
_COUNT_KEY = "#KEY"
_MOST_KEYS = 10_000  # an M1 has about 1,400


class _Version(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint8),
        ("minor", ctypes.c_uint8),
        ("build", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
        ("release", ctypes.c_uint16),
    )


class _Limits(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint16),
        ("length", ctypes.c_uint16),
        ("cpu", ctypes.c_uint32),
        ("gpu", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
    )


class _KeyInfo(ctypes.Structure):
    _fields_ = (("size", ctypes.c_uint32), ("type", ctypes.c_uint32), ("attributes", ctypes.c_uint8))


class Message(ctypes.Structure):
    """``SMCParamStruct``: 80 bytes."""

    _fields_ = (
        ("key", ctypes.c_uint32),
        ("version", _Version),
        ("limits", _Limits),
        ("info", _KeyInfo),
        ("result", ctypes.c_uint8),
        ("status", ctypes.c_uint8),
        ("command", ctypes.c_uint8),
        ("index", ctypes.c_uint32),
        ("value", ctypes.c_uint8 * 32),
    )


class Smc:
    """A connection to the controller."""

    def __init__(self, registry: IORegistry, connection: int) -> None:
        self._registry = registry
        self._connection = connection
        self._infos: dict[str, tuple[int, int]] = {}

    def keys(self, wanted: Callable[[str], bool]) -> Iterator[str]:
        """Yield the wanted names among all keys. It asks for every key by its number, which takes some milliseconds."""
        count = self._value(_COUNT_KEY)
        for index in range(min(int.from_bytes(count[:4], "big"), _MOST_KEYS) if count else 0):
            answer = self._ask(command=_KEY_BY_INDEX, index=index)
            name = answer.key.to_bytes(4, "big").decode("latin-1") if answer else ""
            if wanted(name):
                yield name

    def read_float(self, key: str) -> float | None:
        """Return the value of a key of the type ``flt``; ``None`` for one that is not there or of another type."""
        content = self.float_content(key)
        return None if content is None else float(struct.unpack("<f", content)[0])

    def float_content(self, key: str) -> bytes | None:
        """Return the four bytes of such a value."""
        value = self._value(key, _FLOAT)
        return None if value is None else value[:4]

    def close(self) -> None:
        """End the connection."""
        self._registry.library.IOServiceClose(self._connection)

    def _value(self, key: str, kind: int | None = None) -> bytes | None:
        if key not in self._infos:
            told = self._ask(key=key, command=_KEY_INFO)
            if told is None:
                return None
            self._infos[key] = (told.info.size, told.info.type)
        size, found_kind = self._infos[key]
        if kind not in (None, found_kind) or size < 4:
            return None
        answer = self._ask(key=key, command=_READ_VALUE, size=size)
        return None if answer is None else bytes(answer.value)

    def _ask(self, *, command: int, key: str = "", index: int = 0, size: int = 0) -> Message | None:
        question, answer = Message(), Message()
        question.key = int.from_bytes(key.encode("latin-1"), "big")
        question.command, question.index, question.info.size = command, index, size
        room = ctypes.c_size_t(ctypes.sizeof(answer))
        failed = self._registry.library.IOConnectCallStructMethod(
            self._connection,
            _CALL,
            ctypes.byref(question),
            ctypes.sizeof(question),
            ctypes.byref(answer),
            ctypes.byref(room),
        )
        return None if failed or answer.result else answer


def open_smc(registry: IORegistry, task: int) -> Smc | None:
    """Connect to the controller for a task; ``None`` where there is none, as in a virtual machine."""
    with registry.service(_CLASS, _ENDPOINT) as endpoint:
        connection = ctypes.c_uint32()
        if endpoint is None or registry.library.IOServiceOpen(endpoint.port, task, 0, ctypes.byref(connection)):
            return None
        return Smc(registry, connection.value)
