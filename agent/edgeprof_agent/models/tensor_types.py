"""Storage types of tensors, and which type each tensor of a quantised file gets.

The choice follows ``llama-quantize`` (llama.cpp, ``src/llama-quant.cpp``, without an importance matrix), so that a
synthetic file has the types, and so the bytes, of a published one: the output matrix gets Q6_K where the rest gets
four or five bits, ``q4_k`` is the mixture called Q4_K_M, and a type whose blocks do not divide the rows gives way to
one whose blocks do.

A Hugging Face folder has one type throughout: the floats that were published, or MLX's blocks of 64 weights with a
scale and a bias of 16 bits each, in which ``mlx_lm convert`` stores every matrix, embeddings and routers included.
"""

from dataclasses import dataclass
from enum import Enum

from edgeprof_agent.models.model_format import ModelFormat


class TensorType(Enum):
    """A storage type: elements and bytes of one block (ggml's ``ggml-common.h``; MLX's ``affine`` mode)."""

    F32 = (1, 4)
    F16 = (1, 2)
    BF16 = (1, 2, "brain")  # the third part keeps it apart from F16: members of one value are one member
    Q8_0 = (32, 34)
    Q6_K = (256, 210)
    Q5_0 = (32, 22)
    Q4_K = (256, 144)
    Q4_0 = (32, 18)
    MLX_Q8 = (64, 68)
    MLX_Q4 = (64, 36)

    def __init__(self, block_elements: int, block_bytes: int, _layout: str = "") -> None:
        self.block_elements = block_elements
        self.block_bytes = block_bytes

    def bytes_of(self, elements: int) -> int:
        """Bytes that ``elements`` take, which must be whole blocks."""
        blocks, rest = divmod(elements, self.block_elements)
        if rest:
            raise ValueError(f"{elements} elements are not whole blocks of {self.name}")
        return blocks * self.block_bytes


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
    """A way to store the weights. ``label`` is its name where models are published.

    For a GGUF file that is ggml's list of file types. ``vector_type`` is that of norms and biases.
    """

    name: str
    label: str
    main_type: TensorType
    format: ModelFormat = ModelFormat.GGUF
    vector_type: TensorType = TensorType.F32


GGUF_QUANTISATIONS = (
    Quantisation(name="f16", label="F16", main_type=TensorType.F16),
    Quantisation(name="q8_0", label="Q8_0", main_type=TensorType.Q8_0),
    Quantisation(name="q6_k", label="Q6_K", main_type=TensorType.Q6_K),
    Quantisation(name="q5_0", label="Q5_0", main_type=TensorType.Q5_0),
    Quantisation(name="q4_k", label="Q4_K_M", main_type=TensorType.Q4_K),
    Quantisation(name="q4_0", label="Q4_0", main_type=TensorType.Q4_0),
)
FOLDER_QUANTISATIONS = (
    Quantisation(
        name="hf-f16",
        label="F16",
        main_type=TensorType.F16,
        format=ModelFormat.SAFETENSORS,
        vector_type=TensorType.F16,
    ),
    Quantisation(
        name="hf-bf16",
        label="BF16",
        main_type=TensorType.BF16,
        format=ModelFormat.SAFETENSORS,
        vector_type=TensorType.BF16,
    ),
    Quantisation(
        name="mlx-q8",
        label="MLX_Q8",
        main_type=TensorType.MLX_Q8,
        format=ModelFormat.SAFETENSORS,
        vector_type=TensorType.F16,
    ),
    Quantisation(
        name="mlx-q4",
        label="MLX_Q4",
        main_type=TensorType.MLX_Q4,
        format=ModelFormat.SAFETENSORS,
        vector_type=TensorType.F16,
    ),
)
QUANTISATIONS = (*GGUF_QUANTISATIONS, *FOLDER_QUANTISATIONS)
"""By bits per weight, the most first, the files before the folders."""

_FALLBACKS = {TensorType.Q4_K: TensorType.Q5_0, TensorType.Q6_K: TensorType.Q8_0}


def tensor_type(quantisation: Quantisation, role: Role, columns: int, layer: int, layer_count: int) -> TensorType:
    """Type of a matrix whose rows have ``columns`` elements, in layer ``layer`` of ``layer_count``."""
    if quantisation.format is ModelFormat.SAFETENSORS:
        return quantisation.main_type
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
