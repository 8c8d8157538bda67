"""Quantised blocks from floats.

The gguf library quantises to Q8_0, Q5_0 and Q4_0, but not to the types with blocks of 256: those are made here, in
the layouts of ``block_q4_K`` and ``block_q6_K`` (ggml, ``ggml-common.h``). Each scale is the simple one, from the
extremes of its group, where llama.cpp searches around it for a smaller error: for random weights the file is as good,
and as minima and maxima do not depend on the order of evaluation, the bytes are the same on every machine.
"""

import gguf
import numpy as np
import numpy.typing as npt

from edgeprof_agent.models.arrays import Bytes, Floats
from edgeprof_agent.models.mlx_groups import LEVEL_BITS, quantise_groups
from edgeprof_agent.models.tensor_types import TensorType


def quantise(units: Floats, kind: TensorType) -> Bytes:
    """Store the rows of ``units``, whole blocks each, as bytes."""
    stored: npt.NDArray[np.generic]
    if kind is TensorType.Q4_K:
        stored = _q4_k(units.reshape(-1, 8, 32))
    elif kind is TensorType.Q6_K:
        stored = _q6_k(units.reshape(-1, 16, 16))
    elif kind in LEVEL_BITS:
        stored = quantise_groups(units.reshape(-1, kind.block_elements), LEVEL_BITS[kind])
    elif kind is TensorType.F32:
        stored = np.ascontiguousarray(units, dtype="<f4")
    elif kind is TensorType.F16:
        stored = units.astype("<f2")
    elif kind is TensorType.BF16:
        stored = _bfloat16(units)
    else:
        stored = gguf.quants.quantize(units, gguf.GGMLQuantizationType[kind.name])
    return stored.view(np.uint8).reshape(len(units), -1)


def _q4_k(groups: Floats) -> Bytes:
    """Super-blocks of 8 groups of 32 weights: 4 bits times a 6-bit scale, less a 6-bit minimum."""
    lowest = np.minimum(groups.min(axis=2), 0)
    scales = (groups.max(axis=2) - lowest) / 15
    block_scale, group_scales = _six_bits(scales)
    block_minimum, group_minimums = _six_bits(-lowest)
    step = _half(block_scale) * group_scales
    shift = _half(block_minimum) * group_minimums
    quants = np.clip(np.rint(_divide(groups + shift[..., None], step[..., None])), 0, 15).astype(np.uint8)
    pairs = quants.reshape(-1, 4, 2, 32)
    packed = pairs[:, :, 0] | pairs[:, :, 1] << 4
    return _concatenate(
        block_scale.astype("<f2"),
        block_minimum.astype("<f2"),
        _pack_six_bits(group_scales.astype(np.uint8), group_minimums.astype(np.uint8)),
        packed,
    )


def _q6_k(groups: Floats) -> Bytes:
    """Super-blocks of 16 groups of 16 weights: 6 bits times a signed 8-bit scale."""
    farthest = np.take_along_axis(groups, np.abs(groups).argmax(axis=2, keepdims=True), axis=2)[..., 0]
    scales = farthest * np.float32(-1 / 32)  # the farthest weight becomes -32, the only level without a counterpart
    largest = np.take_along_axis(scales, np.abs(scales).argmax(axis=1, keepdims=True), axis=1)
    block_scale = largest * np.float32(-1 / 128)
    group_scales = np.clip(np.rint(_divide(scales, block_scale)), -128, 127)
    step = _half(block_scale) * group_scales
    quants = np.clip(np.rint(_divide(groups, step[..., None])), -32, 31).astype(np.int8) + 32
    halves = quants.astype(np.uint8).reshape(-1, 2, 4, 32)  # of 128 weights; llama.cpp packs the quarters of each
    low = halves & 0xF
    high = halves >> 4
    return _concatenate(
        np.stack([low[:, :, 0] | low[:, :, 2] << 4, low[:, :, 1] | low[:, :, 3] << 4], axis=2),
        high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6,
        group_scales.astype(np.int8),
        block_scale.astype("<f2"),
    )


def _bfloat16(values: Floats) -> npt.NDArray[np.uint16]:
    """The upper half of each float, rounded to the nearest, ties to even; for finite values."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    rounded: npt.NDArray[np.uint32] = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return rounded.astype(np.uint16)


def _six_bits(values: Floats) -> tuple[Floats, Floats]:
    """The scale of each block, and its values, 0 or more, as multiples of it between 0 and 63."""
    block_scale = values.max(axis=1, keepdims=True) / 63
    return block_scale, np.rint(_divide(values, block_scale))


def _pack_six_bits(scales: Bytes, minimums: Bytes) -> Bytes:
    """8 scales and 8 minimums in 12 bytes: four of each whole, the rest's upper bits above them, lower ones after."""
    first, last = slice(0, 4), slice(4, 8)
    return np.concatenate(
        [
            scales[:, first] | scales[:, last] >> 4 << 6,
            minimums[:, first] | minimums[:, last] >> 4 << 6,
            (scales[:, last] & 0xF) | minimums[:, last] << 4,
        ],
        axis=1,
    )


def _half(values: Floats) -> Floats:
    """What is left of ``values`` after storing them with 16 bits."""
    return values.astype(np.float16).astype(np.float32)


def _divide(values: Floats, divisors: Floats) -> Floats:
    """Quotients, 0 where the divisor is 0: a group of zeros has no scale."""
    return np.divide(values, divisors, out=np.zeros_like(values), where=divisors != 0)


def _concatenate(*parts: npt.NDArray[np.generic]) -> Bytes:
    """The fields of each block, side by side."""
    return np.concatenate([np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8) for part in parts], axis=1)
