import gguf
import mlx.core as mx
import numpy as np
import pytest

from edgeprof_agent.models.arrays import Bytes, Floats
from edgeprof_agent.models.blocks import quantise
from edgeprof_agent.models.mlx_groups import LEVEL_BITS
from edgeprof_agent.models.tensor_types import TensorType

# Root mean square of the error against that of the weights, for normal weights; llama.cpp's own are 0.07 for 4 bits
# and 0.02 for 6.
TOLERANCES = {
    TensorType.F32: 1e-9,
    TensorType.F16: 3e-4,
    TensorType.BF16: 2.5e-3,
    TensorType.Q8_0: 0.007,
    TensorType.Q6_K: 0.022,
    TensorType.Q5_0: 0.05,
    TensorType.Q4_K: 0.085,
    TensorType.Q4_0: 0.10,
    TensorType.MLX_Q8: 0.007,
    TensorType.MLX_Q4: 0.10,
}


def normal_weights(spread: float = 0.02) -> Floats:
    return np.random.default_rng(7).normal(0, spread, (512, 256)).astype(np.float32)


def dequantise(stored: Bytes, kind: TensorType) -> Floats:
    if kind in LEVEL_BITS:
        return dequantise_by_mlx(stored, kind)
    floats: Floats = gguf.quants.dequantize(stored, gguf.GGMLQuantizationType[kind.name])
    return floats


def dequantise_by_mlx(stored: Bytes, kind: TensorType) -> Floats:
    blocks = stored.reshape(-1, kind.block_bytes)
    levels = mx.array(np.ascontiguousarray(blocks[:, :-4]).view(np.uint32))
    scales, biases = (
        mx.array(np.ascontiguousarray(part).view(np.float16)) for part in (blocks[:, -4:-2], blocks[:, -2:])
    )
    floats = mx.dequantize(levels, scales, biases, group_size=kind.block_elements, bits=LEVEL_BITS[kind])
    return np.array(floats.astype(mx.float32)).reshape(len(stored), -1)


@pytest.mark.parametrize("kind", TensorType, ids=lambda kind: kind.name)
def test_blocks_give_back_the_floats_they_came_from(kind: TensorType) -> None:
    weights = normal_weights()
    stored = quantise(weights, kind)
    assert stored.shape == (512, kind.bytes_of(256))
    error = dequantise(stored, kind) - weights
    assert np.sqrt(np.mean(error**2)) < TOLERANCES[kind] * 0.02


@pytest.mark.parametrize("kind", TensorType, ids=lambda kind: kind.name)
def test_quantised_weights_have_the_mean_and_the_spread_of_the_floats(kind: TensorType) -> None:
    weights = normal_weights()
    back = dequantise(quantise(weights, kind), kind)
    assert abs(back.mean() - weights.mean()) < 0.002 * 0.02
    assert back.std() == pytest.approx(weights.std(), rel=0.02)


@pytest.mark.parametrize("kind", [TensorType.Q4_K, TensorType.Q6_K], ids=lambda kind: kind.name)
def test_each_group_has_its_own_scale(kind: TensorType) -> None:
    weights = normal_weights() * np.repeat(2.0 ** -np.arange(8, dtype=np.float32), 32)
    error = (dequantise(quantise(weights, kind), kind) - weights).reshape(-1, 8, 32)
    errors = np.sqrt(np.mean(error**2, axis=(0, 2)))
    assert errors[3] < errors[0] / 4


@pytest.mark.parametrize("kind", TensorType, ids=lambda kind: kind.name)
def test_weights_of_zero_stay_zero(kind: TensorType) -> None:
    weights = np.zeros((2, 256), np.float32)
    weights[1, :32] = 1.0  # beside a group that has a scale, too
    back = dequantise(quantise(weights, kind), kind)
    assert not back[0].any()
    assert not back[1, 32:].any()
    assert back[1, :32] == pytest.approx(1.0, rel=0.01)


def test_weights_all_of_one_sign_are_kept() -> None:
    weights = np.abs(normal_weights()) + np.float32(0.05)
    for signed in (weights, -weights):
        back = dequantise(quantise(signed, TensorType.Q4_K), TensorType.Q4_K)
        assert np.sqrt(np.mean((back - signed) ** 2)) < 0.006
