import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.gguf_header import read_header
from tests.agent.models.conftest import WriteModel


def header(version: int = 3, tensors: int = 0, entries: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(name: str, kind: int, *dimensions: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, 0)


def test_the_header_is_what_gguf_reads(write: WriteModel) -> None:
    path = write("synth:tiny-moe@q4_k")
    ours, theirs = read_header(path), gguf.GGUFReader(path)
    assert [(t.name, t.type, t.elements, t.bytes, t.dimensions) for t in ours.tensors] == [
        (t.name, t.tensor_type.name, t.n_elements, t.n_bytes, tuple(t.shape.tolist())) for t in theirs.tensors
    ]
    for key, field in theirs.fields.items():
        if f"{key}.length" in ours.metadata:
            assert ours.metadata[f"{key}.length"] == len(field.contents())
        elif not key.startswith("GGUF."):  # these are fields of gguf's own
            contents = field.contents()
            assert ours.metadata[key] == (tuple(contents) if isinstance(contents, list) else contents)


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kinds.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("a", 200)
    writer.add_int8("b", -2)
    writer.add_uint16("c", 60000)
    writer.add_int16("d", -3)
    writer.add_int32("e", -4)
    writer.add_uint64("f", 1 << 60)
    writer.add_int64("g", -(1 << 60))
    writer.add_float32("h", 0.5)
    writer.add_float64("i", 0.25)
    writer.add_bool("j", True)
    writer.add_string("k", "ключ")
    writer.add_array("l", [1, 0, 3])
    writer.add_array("m", list(range(5000)))
    writer.add_array("n", ["x", "yy"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    read = read_header(path)
    values = [read.metadata[key] for key in "abcdefghijkl"]
    assert values == [200, -2, 60000, -3, -4, 1 << 60, -(1 << 60), 0.5, 0.25, True, "ключ", (1, 0, 3)]
    assert (read.metadata["m.length"], read.metadata["n.length"]) == (5000, 2)
    assert read.text("k") == "ключ"
    assert read.text("a", "default") == "default"
    assert read.count("l") == 3
    assert read.count("k", 7) == 7
    assert read.counts("l", 4, 9) == (1, 0, 3, 9)
    assert read.counts("a", 2, 9) == (200, 200)
    assert read.counts("absent", 2, 9) == (9, 9)


F32, UNKNOWN = 0, 999


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; edgeprof profiles models in the GGUF format"),
        (b"MZ\x90\x00 a program", "is not a GGUF file; edgeprof profiles models in the GGUF format"),
        (b"GGUF", "is cut short: it ends within its header, after 4 bytes; download or copy it again"),
        (header()[:-1], "is cut short: it ends within its header, after 23 bytes"),
        (header(version=1), "is of GGUF version 1, and edgeprof reads 2 and 3"),
        (header(version=4), "is of GGUF version 4, and edgeprof reads 2 and 3"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "is a big-endian GGUF file"),
        (header(entries=1) + struct.pack("<Q", 1 << 62), "is cut short: it ends within its header"),
        (header(entries=1) + text("k") + struct.pack("<I", 99), "its metadata has a value of kind 99"),
        (header(entries=1) + text("k") + struct.pack("<IIQ", 9, 9, 1), "its metadata has an array of kind 9"),
        (header(entries=1) + text("k") + struct.pack("<IIQ", 9, 8, 1 << 60), "it ends within its header"),
        (header(entries=1) + text("k") + struct.pack("<IIQ", 9, 10, 1 << 60), "it ends within its header"),
        (header(entries=1) + text("general.alignment") + struct.pack("<II", 4, 0), "its alignment is 0"),
        (header(tensors=1 << 60), "it ends within its header"),
        (header(tensors=1) + tensor("x", UNKNOWN, 4), "has a tensor of type 999 (x)"),
        (header(tensors=1) + tensor("x", F32, 4, 0), "its tensor x is empty"),
        (header(tensors=1) + tensor("x", F32, 1000), "is cut short: it has 57 of 4,064 bytes; download or copy it"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(EdgeprofError) as caught:
        read_header(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere_is_refused(write: WriteModel, tmp_path: Path) -> None:
    whole = write("synth:tiny@q4_0").read_bytes()
    path = tmp_path / "model.gguf"
    for length in [*range(5, 3000, 7), *np.linspace(3000, len(whole) - 64, 20).astype(int).tolist()]:
        path.write_bytes(whole[:length])
        with pytest.raises(EdgeprofError, match="is cut short"):
            read_header(path)


def test_the_format_that_has_to_be_converted_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(
        EdgeprofError, match=r"is a \.safetensors file, to be converted by llama\.cpp's convert_hf_to_gguf"
    ):
        read_header(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(EdgeprofError, match="no such file; give the path of a GGUF file, or a shape such as synth:"):
        read_header(tmp_path / "absent.gguf")
    with pytest.raises(EdgeprofError, match="is a folder; give the path of the GGUF file in it"):
        read_header(tmp_path)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, as_nobody: Callable[[], None]) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(header())
    path.chmod(0)
    as_nobody()
    with pytest.raises(EdgeprofError, match="may not be read; let the user that edgeprof runs as read it"):
        read_header(path)


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """Root may read everything: go on as somebody who may not, if this is root."""
    user = os.geteuid()
    try:
        yield lambda: os.seteuid(65534) if user == 0 else None
    finally:
        os.seteuid(user)
