"""MLX's quantised groups from floats.

The arithmetic is that of ``mx.quantize`` in the mode ``affine`` (the documentation of ``mlx.core.quantize``), in 32-bit
floats, so that a folder has the bytes that ``mlx_lm convert`` makes of the same weights in 16 bits; a test compares
them. It needs no MLX and takes group by group, so a model is streamed, where ``mlx_lm convert`` takes it into memory.
"""

import numpy as np

from edgeprof_agent.models.arrays import Bytes, Floats
from edgeprof_agent.models.tensor_types import TensorType

LEVEL_BITS = {TensorType.MLX_Q4: 4, TensorType.MLX_Q8: 8}
"""Bits of each weight's level."""

SCALE_BYTES = 2
"""Of a group's scale, and of its bias: a 16-bit float."""

_LEAST_SCALE = np.float32(1e-7)


def quantise_groups(groups: Floats, bits: int) -> Bytes:
    """Return a row of bytes for each row of weights: the levels, the scale, the bias. weight = scale * level + bias.

    The weights are rounded to 16 bits first. MLX keeps the three parts in tensors of their own.
    """
    highest = np.float32((1 << bits) - 1)
    weights = groups.astype(np.float16).astype(np.float32)
    low, high = weights.min(axis=1, keepdims=True), weights.max(axis=1, keepdims=True)
    low_is_farther = np.abs(low) > np.abs(high)
    scale = np.maximum((high - low) / highest, _LEAST_SCALE)
    scale = np.where(low_is_farther, scale, -scale)
    edge = np.where(low_is_farther, low, high)  # what becomes a level exactly
    edge_level = np.rint(edge / scale)
    is_far = edge_level != 0
    scale = np.where(is_far, edge / np.where(is_far, edge_level, 1), scale)
    bias = np.where(is_far, edge, 0)
    levels = np.clip(np.rint((weights - bias) / scale), 0, highest).astype(np.uint8)
    packed = levels[:, 0::2] | levels[:, 1::2] << 4 if bits == 4 else levels
    return np.concatenate([packed, scale.astype("<f2").view(np.uint8), bias.astype("<f2").view(np.uint8)], axis=1)
