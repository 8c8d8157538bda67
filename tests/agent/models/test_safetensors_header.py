"""Headers, as the library ``safetensors`` writes and reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.safetensors_header import SafeTensor, header_bytes, read_header

TENSORS: dict[str, np.ndarray[tuple[int, ...], np.dtype[Any]]] = {
    "a.weight": np.arange(6, dtype=np.float16).reshape(2, 3),
    "b": np.arange(4, dtype=np.uint32),
    "scalar": np.array(1, dtype=np.float32),
}


def test_what_the_library_wrote_is_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "m.safetensors", metadata={"format": "pt"})
    found = {tensor.name: tensor for tensor in read_header(tmp_path / "m.safetensors")}
    assert {name: (tensor.shape, tensor.bytes) for name, tensor in found.items()} == {
        "a.weight": ((2, 3), 12),
        "b": ((4,), 16),
        "scalar": ((), 4),
    }
    assert {name: tensor.dtype for name, tensor in found.items()} == {"a.weight": "F16", "b": "U32", "scalar": "F32"}


def test_what_is_written_the_library_reads(tmp_path: Path) -> None:
    tensors = [SafeTensor(name="x", dtype="F16", shape=(2, 3)), SafeTensor(name="y", dtype="U32", shape=(4,))]
    content = header_bytes(tensors, {"format": "mlx"}) + TENSORS["a.weight"].tobytes() + TENSORS["b"].tobytes()
    (tmp_path / "m.safetensors").write_bytes(content)
    with safe_open(tmp_path / "m.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "mlx"}
        np.testing.assert_array_equal(file.get_tensor("x"), TENSORS["a.weight"])
        np.testing.assert_array_equal(file.get_tensor("y"), TENSORS["b"])


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "no safetensors file"),
        (b"GGUF" * 10, "no safetensors file"),
        ((5).to_bytes(8, "little") + b"{nope", "its header cannot be read"),
        ((4).to_bytes(8, "little") + b"[{}]", "its header cannot be read"),
        ((2).to_bytes(8, "little") + b"{", "no safetensors file"),
        (header_bytes([SafeTensor(name="x", dtype="F16", shape=(8,))], {}) + b"1234", "12 bytes are missing"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(EdgeprofError, match=cause) as refused:
        read_header(path)
    assert "\n" not in str(refused.value)


def test_a_tensor_of_an_unknown_type_is_refused(tmp_path: Path) -> None:
    content = header_bytes([SafeTensor(name="x", dtype="F16", shape=(2,))], {}).replace(b"F16", b"F17") + b"1234"
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(EdgeprofError, match="tensors of an unknown type, F17"):
        read_header(tmp_path / "m.safetensors")
