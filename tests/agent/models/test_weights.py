import gguf
import numpy as np
import pytest

from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.tensors import SyntheticTensor, tensors_of
from edgeprof_agent.models.weights import WeightPool

MATRIX = "blk.1.ffn_down.weight"


def tensor_of(spec_name: str, tensor_name: str) -> SyntheticTensor:
    return next(tensor for tensor in tensors_of(parse_spec(spec_name)) if tensor.name == tensor_name)


def floats_of(pool: WeightPool, tensor: SyntheticTensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.concatenate(list(pool.floats(tensor)))


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


def test_a_seed_gives_the_same_weights_for_ever() -> None:
    """These numbers are fixed: other machines and later versions must write the same model."""
    tensor = tensor_of("synth:tiny@f16", "blk.0.ffn_up.weight")
    floats = floats_of(WeightPool("seed"), tensor) / tensor.spread
    assert floats[:4] == pytest.approx((1.825998, 1.7940038, -0.55967194, 0.88232243), rel=1e-6)
