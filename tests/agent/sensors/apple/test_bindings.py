"""The signatures that Python calls by, against the C declarations that the stand-in is compiled from."""

import ctypes
import re
from collections.abc import Mapping
from typing import Any

import pytest

from edgeprof_agent.sensors.apple import bindings
from edgeprof_agent.sensors.apple.c_library import LibraryMissingError, Signature, load_library
from edgeprof_agent.sensors.apple.smc import Message
from tests.agent.sensors.apple.played_mac import PlayedMac
from tests.agent.sensors.apple.stand_in_library import SOURCES

TABLES: dict[str, Mapping[str, Signature]] = {
    "core_foundation.c": bindings.CORE_FOUNDATION_FUNCTIONS,
    "io_report.c": bindings.IO_REPORT_FUNCTIONS,
    "io_kit.c": {**bindings.IO_KIT_FUNCTIONS, **bindings.IO_HID_FUNCTIONS},
    "system.c": {**bindings.SYSTEM_FUNCTIONS, **bindings.METAL_FUNCTIONS, **bindings.OBJECTIVE_C_FUNCTIONS},
}
TYPES: dict[str, Any] = {
    "void": None,
    "Ref": ctypes.c_void_p,
    "void *": ctypes.c_void_p,
    "void **": ctypes.POINTER(ctypes.c_void_p),
    "char *": ctypes.c_char_p,
    "bool": ctypes.c_bool,
    "int": ctypes.c_int,
    "int *": ctypes.POINTER(ctypes.c_int),
    "long": ctypes.c_long,
    "unsigned long": ctypes.c_ulong,
    "size_t": ctypes.c_size_t,
    "size_t *": ctypes.POINTER(ctypes.c_size_t),
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint32_t": ctypes.c_uint32,
    "uint32_t *": ctypes.POINTER(ctypes.c_uint32),
    "uint64_t": ctypes.c_uint64,
    "uint64_t *": ctypes.POINTER(ctypes.c_uint64),
    "double": ctypes.c_double,
    "Timebase *": ctypes.POINTER(bindings.TimebaseInfo),
}
DEFINITION = re.compile(r"^((?:unsigned )?\w+ \**)(\w+)\(([^)]*)\) \{", re.MULTILINE)


def declared(file: str) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """The functions of a C file: what each returns and takes."""
    source = (SOURCES / file).read_text(encoding="utf-8")
    return {
        name: (TYPES[result.strip()], tuple(_type(each) for each in parameters.split(", ") if each != "void"))
        for result, name, parameters in DEFINITION.findall(source)
        if name in TABLES[file]
    }


def _type(parameter: str) -> Any:
    match = re.fullmatch(r"(?:const )?([\w ]+? \**)(\w+)", parameter)
    assert match, parameter
    return TYPES[match[1].strip()]


@pytest.mark.parametrize("file", TABLES)
def test_every_signature_is_that_of_the_declaration(file: str) -> None:
    functions = declared(file)
    for name, signature in TABLES[file].items():
        assert functions[name] == (signature.result, signature.arguments), name


def test_the_controller_s_message_has_80_bytes_and_its_fields_where_c_has_them() -> None:
    assert ctypes.sizeof(Message) == 80
    offsets = {name: getattr(Message, name).offset for name in ("key", "info", "result", "command", "index", "value")}
    assert offsets == {"key": 0, "info": 28, "result": 40, "command": 42, "index": 44, "value": 48}


def test_a_library_that_is_not_there_and_one_without_a_function(mac: PlayedMac) -> None:
    with pytest.raises(LibraryMissingError, match=r"/usr/lib/libNothing\.dylib cannot be loaded"):
        load_library(mac.root, "usr/lib/libNothing.dylib", {})
    with pytest.raises(LibraryMissingError, match=r"/usr/lib/libIOReport\.dylib has no IOReportNothing"):
        load_library(mac.root, bindings.IO_REPORT, {"IOReportNothing": Signature(None)})
