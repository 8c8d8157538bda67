"""Random weights, the same for a model under every quantisation, at the speed of the disk.

Making and quantising billions of normal numbers one by one takes minutes. So a pool of about a million is made once
and cut into units of 256 (or of 32, where 256 does not divide a row), each a whole number of blocks; a tensor's rows
are units drawn from the pool at random. Quantising the pool therefore quantises every row, and a tensor is written by
gathering. Units repeat, but hardly ever a row: every published shape has rows of several units.

Everything comes from the raw output of PCG64, which numpy promises not to change, by integer arithmetic: the same
model has the same bytes on every machine.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edgeprof_agent.models.arrays import Bytes, Floats
from edgeprof_agent.models.blocks import quantise
from edgeprof_agent.models.presets import Shape
from edgeprof_agent.models.tensor_types import TensorType
from edgeprof_agent.models.tensors import SyntheticTensor

VERSION = 1
"""Raised when the same name comes to mean other bytes, so that models written before are written anew."""

_POOL_ELEMENTS = 1 << 20
_GATHERED_UNITS = 1 << 14

Indices = npt.NDArray[np.uint16]


def pool_of(shape: Shape) -> "WeightPool":
    """Return the source of a shape's weights: the same under every quantisation and in every format."""
    return WeightPool(f"edgeprof/{VERSION}/{shape.name}")


class WeightPool:
    """The source of all random weights of one model. ``name`` is its seed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._floats = _normal_floats(name)
        self._quantised: dict[tuple[int, TensorType, float], Bytes] = {}

    def stored(self, tensor: SyntheticTensor, rotated_heads: int = 0) -> Iterator[Bytes]:
        """The elements of a tensor as its type stores them, in order, in pieces of a few megabytes.

        With ``rotated_heads`` the rows of each of so many heads come in another order: those with an even number
        before those with an odd one.
        """
        unit = _unit_elements(tensor)
        drawn = self._draw(tensor)
        if rotated_heads:
            drawn = _halves_apart(drawn, tensor, rotated_heads)
        if unit % tensor.type.block_elements:
            floats = self._floats.reshape(-1, unit) * np.float32(tensor.spread)
            for indices in drawn:
                yield quantise(floats[indices].reshape(-1, tensor.type.block_elements), tensor.type).reshape(-1)
            return
        key = (unit, tensor.type, tensor.spread)
        if key not in self._quantised:
            self._quantised[key] = quantise(self._floats.reshape(-1, unit) * np.float32(tensor.spread), tensor.type)
        for indices in drawn:
            yield self._quantised[key][indices].reshape(-1)

    def _draw(self, tensor: SyntheticTensor) -> Iterator[Indices]:
        """Indices of the units that make up a tensor."""
        unit = _unit_elements(tensor)
        units_in_pool = _POOL_ELEMENTS // unit
        units_left = tensor.elements // unit
        bits = _bits(f"{self._name}/{tensor.name}")
        while units_left:
            count = min(units_left, _GATHERED_UNITS)
            lanes = bits.random_raw(-(-count // 4)).astype("<u8").view("<u2")
            yield lanes[:count] % units_in_pool
            units_left -= count


def _halves_apart(drawn: Iterator[Indices], tensor: SyntheticTensor, heads: int) -> Iterator[Indices]:
    """The same units, the rows of each head put apart: 0, 2, 4 ... 1, 3, 5 ..."""
    units_in_row = tensor.dimensions[0] // _unit_elements(tensor)
    pairs = np.concatenate(list(drawn)).reshape(heads, -1, 2, units_in_row)
    apart = pairs.swapaxes(1, 2).reshape(-1)
    for start in range(0, len(apart), _GATHERED_UNITS):
        yield apart[start : start + _GATHERED_UNITS]


def _unit_elements(tensor: SyntheticTensor) -> int:
    """Elements that are drawn together: by the shape alone, so that every quantisation has the same weights."""
    return 256 if tensor.dimensions[0] % 256 == 0 else 32


def _normal_floats(seed: str) -> Floats:
    """Numbers with mean 0 and deviation 1, nearly normal: each the sum of 8 uniform ones of 16 bits."""
    lanes = _bits(seed).random_raw(_POOL_ELEMENTS * 2).astype("<u8").view("<u2").reshape(_POOL_ELEMENTS, 8)
    deviation = math.sqrt(8 * (65536**2 - 1) / 12)
    centred: npt.NDArray[np.int32] = lanes.sum(axis=1, dtype=np.int32) - 8 * 65535 // 2
    floats: Floats = centred.astype(np.float32) * np.float32(1 / deviation)
    return floats


def _bits(seed: str) -> np.random.PCG64:
    return np.random.PCG64(int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big"))
