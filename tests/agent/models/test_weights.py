import hashlib
from dataclasses import replace

import gguf
import numpy as np
import pytest

from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.tensor_types import TensorType
from edgeprof_agent.models.tensors import SyntheticTensor, tensors_of
from edgeprof_agent.models.weights import WeightPool

MATRIX = "blk.1.ffn_down.weight"


def tensor_of(spec_name: str, tensor_name: str) -> SyntheticTensor:
    return next(tensor for tensor in tensors_of(parse_spec(spec_name)) if tensor.name == tensor_name)


def floats_of(pool: WeightPool, tensor: SyntheticTensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The elements before they are quantised."""
    unquantised = replace(tensor, type=TensorType.F32)
    return np.concatenate(list(pool.stored(unquantised))).view(np.float32)


@pytest.mark.parametrize("shape", ["tiny", "tiny-odd", "tiny-moe"])
@pytest.mark.parametrize("quantisation", ["f16", "q8_0", "q6_k", "q5_0", "q4_k", "q4_0"])
def test_every_quantisation_stores_the_same_floats(shape: str, quantisation: str) -> None:
    pool = WeightPool("seed")
    name = next(
        tensor.name for tensor in tensors_of(parse_spec(f"synth:{shape}@f16")) if "blk.1.ffn_down" in tensor.name
    )
    floats = floats_of(pool, tensor_of(f"synth:{shape}@f16", name))
    tensor = tensor_of(f"synth:{shape}@{quantisation}", name)
    stored = np.concatenate(list(pool.stored(tensor)))
    assert stored.nbytes == tensor.bytes
    back = gguf.quants.dequantize(stored, gguf.GGMLQuantizationType[tensor.type.name])
    assert np.corrcoef(back, floats)[0, 1] > 0.995


def test_weights_have_no_mean_and_the_spread_that_keeps_activations_in_scale() -> None:
    tensor = tensor_of("synth:smollm2-135m@f16", "token_embd.weight")
    floats = floats_of(WeightPool("seed"), tensor)
    assert floats.size == 576 * 49152
    assert abs(floats.mean()) < 0.01 / 24
    assert floats.std() == pytest.approx(1 / 24, rel=0.01)
    assert np.abs(floats).max() > 4 / 24


def test_no_two_rows_are_alike() -> None:
    rows = floats_of(WeightPool("seed"), tensor_of("synth:smollm2-135m@f16", "token_embd.weight")).reshape(-1, 576)
    assert len({row.tobytes() for row in rows}) == len(rows)


def test_tensors_and_models_differ() -> None:
    up, gate = tensor_of("synth:tiny@f16", "blk.0.ffn_up.weight"), tensor_of("synth:tiny@f16", "blk.0.ffn_gate.weight")
    pool = WeightPool("seed")
    assert abs(np.corrcoef(floats_of(pool, up), floats_of(pool, gate))[0, 1]) < 0.05
    assert abs(np.corrcoef(floats_of(pool, up), floats_of(WeightPool("another"), up))[0, 1]) < 0.05


def test_the_bytes_of_every_type_are_the_same_on_every_machine() -> None:
    """The digests are fixed: other machines and later versions must write the same model."""
    pool = WeightPool("seed")
    tensor = replace(tensor_of("synth:tiny@f16", "blk.0.ffn_up.weight"), dimensions=(256, 64))
    digests = {
        kind.name: hashlib.sha256(
            b"".join(piece.tobytes() for piece in pool.stored(replace(tensor, type=kind)))
        ).hexdigest()[:16]
        for kind in TensorType
    }
    assert digests == {
        "F32": "9bddb3ccdbc1ff9b",
        "F16": "c2b1ab8a9fc901a5",
        "Q8_0": "a036c6cb24b45f17",
        "Q6_K": "06a5fb8fdc69ffc2",
        "Q5_0": "573cdfacc6ea4214",
        "Q4_K": "f0736b5ff7a98bd8",
        "Q4_0": "4aca6d1277c4392e",
        "BF16": "4be4b58fcac5e662",
        "MLX_Q8": "657c613179d246ea",
        "MLX_Q4": "b232024c5d63077d",
    }
