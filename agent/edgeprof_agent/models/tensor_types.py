"""Storage types of tensors, and which type each tensor of a quantised file gets.

The choice follows ``llama-quantize`` (llama.cpp, ``src/llama-quant.cpp``, without an importance matrix), so that a
synthetic file has the types, and so the bytes, of a published one: the output matrix gets Q6_K where the rest gets
four or five bits, ``q4_k`` is the mixture called Q4_K_M, and a type whose blocks do not divide the rows gives way to
one whose blocks do.
"""

from dataclasses import dataclass
from enum import Enum


class TensorType(Enum):
    """A storage type: elements and bytes of one block (ggml's ``ggml-common.h``)."""

    F32 = (1, 4)
    F16 = (1, 2)
    Q8_0 = (32, 34)
    Q6_K = (256, 210)
    Q5_0 = (32, 22)
    Q4_K = (256, 144)
    Q4_0 = (32, 18)

    @property
    def block_elements(self) -> int:
        """Elements that are quantised together."""
        return self.value[0]

    def bytes_of(self, elements: int) -> int:
        """Bytes that ``elements`` take, which must be whole blocks."""
        blocks, rest = divmod(elements, self.block_elements)
        if rest:
            raise ValueError(f"{elements} elements are not whole blocks of {self.name}")
        return blocks * self.value[1]


class Role(Enum):
    """What a tensor is for, as far as its type depends on it."""

    EMBEDDING = "embedding"
    TIED_EMBEDDING = "tied_embedding"
    OUTPUT = "output"
    ATTENTION_VALUE = "attention_value"
    FEED_FORWARD_DOWN = "feed_forward_down"
    MATRIX = "matrix"
    FULL_PRECISION = "full_precision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation:
    """A way to quantise a file. ``label`` is its name in ggml's list of file types."""

    name: str
    label: str
    main_type: TensorType


QUANTISATIONS = (
    Quantisation(name="f16", label="F16", main_type=TensorType.F16),
    Quantisation(name="q8_0", label="Q8_0", main_type=TensorType.Q8_0),
    Quantisation(name="q6_k", label="Q6_K", main_type=TensorType.Q6_K),
    Quantisation(name="q5_0", label="Q5_0", main_type=TensorType.Q5_0),
    Quantisation(name="q4_k", label="Q4_K_M", main_type=TensorType.Q4_K),
    Quantisation(name="q4_0", label="Q4_0", main_type=TensorType.Q4_0),
)
"""By bits per weight, the most first."""

_FALLBACKS = {TensorType.Q4_K: TensorType.Q5_0, TensorType.Q6_K: TensorType.Q8_0}


def tensor_type(quantisation: Quantisation, role: Role, columns: int, layer: int, layer_count: int) -> TensorType:
    """Type of a tensor whose rows have ``columns`` elements, in layer ``layer`` of ``layer_count``."""
    wanted = _wanted_type(quantisation, role, columns, layer, layer_count)
    return wanted if columns % wanted.block_elements == 0 else _FALLBACKS[wanted]


def _wanted_type(quantisation: Quantisation, role: Role, columns: int, layer: int, layer_count: int) -> TensorType:
    main = quantisation.main_type
    if role is Role.FULL_PRECISION:
        return TensorType.F32
    if main in (TensorType.F16, TensorType.Q8_0):
        return main
    if role in (Role.OUTPUT, Role.TIED_EMBEDDING):
        return TensorType.Q6_K if columns % main.block_elements == 0 else TensorType.Q8_0
    sensitive = role in (Role.ATTENTION_VALUE, Role.FEED_FORWARD_DOWN)
    if main is TensorType.Q4_K and sensitive and _gets_more_bits(layer, layer_count):
        return TensorType.Q6_K
    return main


def _gets_more_bits(layer: int, layer_count: int) -> bool:
    """Whether Q4_K_M spends more bits here: the first and last eighth of the layers, and every third between."""
    eighth = layer_count // 8
    return layer < eighth or layer >= 7 * layer_count // 8 or (layer - eighth) % 3 == 2
