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

from edgeprof_agent.models.blocks import Bytes, Floats, quantise
from edgeprof_agent.models.tensor_types import TensorType
from edgeprof_agent.models.tensors import SyntheticTensor

_POOL_ELEMENTS = 1 << 20
_GATHERED_UNITS = 1 << 14


class WeightPool:
    """The source of all random weights of one model. ``name`` is its seed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._floats = _normal_floats(name)
        self._quantised: dict[tuple[int, TensorType, float], Bytes] = {}

    def stored(self, tensor: SyntheticTensor) -> Iterator[Bytes]:
        """The elements of a tensor as its type stores them, in order, in pieces of a few megabytes."""
        unit = _unit_elements(tensor)
        key = (unit, tensor.type, tensor.spread)
        if key not in self._quantised:
            units = self._floats.reshape(-1, unit) * np.float32(tensor.spread)
            self._quantised[key] = quantise(units, tensor.type)
        for drawn in self._draw(tensor):
            yield self._quantised[key][drawn].reshape(-1)

    def _draw(self, tensor: SyntheticTensor) -> Iterator[npt.NDArray[np.uint16]]:
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
