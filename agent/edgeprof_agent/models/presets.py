"""Shapes of published models, and the names under which synthetic models of these shapes are asked for."""

import difflib
from dataclasses import dataclass

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.tensor_types import QUANTISATIONS, Quantisation

PREFIX = "synth:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The hyperparameters of a model, as its authors published them.

    ``feed_forward_length`` is that of one expert where there are experts. ``rope_scaling_factor`` is the factor of
    Llama 3's frequency scaling (8192 tokens originally, low and high frequency factors 1 and 4).
    """

    name: str
    architecture: str
    layer_count: int
    embedding_length: int
    feed_forward_length: int
    head_count: int
    head_count_kv: int
    head_length: int
    vocabulary_size: int
    context_length: int
    rope_frequency_base: float
    rms_epsilon: float
    tied_embeddings: bool
    rope_scaling_factor: float | None = None
    attention_bias: bool = False
    attention_norm: bool = False
    expert_count: int = 0
    expert_used_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSpec:
    """A shape and the quantisation of its weights."""

    shape: Shape
    quantisation: Quantisation

    @property
    def name(self) -> str:
        """What a person writes to get this model: ``synth:llama-3.2-1b@q4_0``."""
        return f"{PREFIX}{self.shape.name}@{self.quantisation.name}"


_SMOLLM2_135M = Shape(
    name="smollm2-135m",
    architecture="llama",
    layer_count=30,
    embedding_length=576,
    feed_forward_length=1536,
    head_count=9,
    head_count_kv=3,
    head_length=64,
    vocabulary_size=49152,
    context_length=8192,
    rope_frequency_base=100_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=True,
)
_SMOLLM2_360M = Shape(
    name="smollm2-360m",
    architecture="llama",
    layer_count=32,
    embedding_length=960,
    feed_forward_length=2560,
    head_count=15,
    head_count_kv=5,
    head_length=64,
    vocabulary_size=49152,
    context_length=8192,
    rope_frequency_base=100_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=True,
)
_QWEN25_05B = Shape(
    name="qwen2.5-0.5b",
    architecture="qwen2",
    layer_count=24,
    embedding_length=896,
    feed_forward_length=4864,
    head_count=14,
    head_count_kv=2,
    head_length=64,
    vocabulary_size=151936,
    context_length=32768,
    rope_frequency_base=1_000_000.0,
    rms_epsilon=1e-6,
    tied_embeddings=True,
    attention_bias=True,
)
_QWEN25_15B = Shape(
    name="qwen2.5-1.5b",
    architecture="qwen2",
    layer_count=28,
    embedding_length=1536,
    feed_forward_length=8960,
    head_count=12,
    head_count_kv=2,
    head_length=128,
    vocabulary_size=151936,
    context_length=32768,
    rope_frequency_base=1_000_000.0,
    rms_epsilon=1e-6,
    tied_embeddings=True,
    attention_bias=True,
)
_LLAMA_32_1B = Shape(
    name="llama-3.2-1b",
    architecture="llama",
    layer_count=16,
    embedding_length=2048,
    feed_forward_length=8192,
    head_count=32,
    head_count_kv=8,
    head_length=64,
    vocabulary_size=128256,
    context_length=131072,
    rope_frequency_base=500_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=True,
    rope_scaling_factor=32.0,
)
_LLAMA_32_3B = Shape(
    name="llama-3.2-3b",
    architecture="llama",
    layer_count=28,
    embedding_length=3072,
    feed_forward_length=8192,
    head_count=24,
    head_count_kv=8,
    head_length=128,
    vocabulary_size=128256,
    context_length=131072,
    rope_frequency_base=500_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=True,
    rope_scaling_factor=32.0,
)
_OLMOE_1B_7B = Shape(
    name="olmoe-1b-7b",
    architecture="olmoe",
    layer_count=16,
    embedding_length=2048,
    feed_forward_length=1024,
    head_count=16,
    head_count_kv=16,
    head_length=128,
    vocabulary_size=50304,
    context_length=4096,
    rope_frequency_base=10_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=False,
    attention_norm=True,
    expert_count=64,
    expert_used_count=8,
)
_MISTRAL_7B_V03 = Shape(
    name="mistral-7b-v0.3",
    architecture="llama",
    layer_count=32,
    embedding_length=4096,
    feed_forward_length=14336,
    head_count=32,
    head_count_kv=8,
    head_length=128,
    vocabulary_size=32768,
    context_length=32768,
    rope_frequency_base=1_000_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=False,
)
_LLAMA_31_8B = Shape(
    name="llama-3.1-8b",
    architecture="llama",
    layer_count=32,
    embedding_length=4096,
    feed_forward_length=14336,
    head_count=32,
    head_count_kv=8,
    head_length=128,
    vocabulary_size=128256,
    context_length=131072,
    rope_frequency_base=500_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=False,
    rope_scaling_factor=8.0,
)

PUBLISHED_SHAPES = (
    _SMOLLM2_135M,
    _SMOLLM2_360M,
    _QWEN25_05B,
    _LLAMA_32_1B,
    _QWEN25_15B,
    _LLAMA_32_3B,
    _OLMOE_1B_7B,
    _MISTRAL_7B_V03,
    _LLAMA_31_8B,
)
"""By parameter count, the fewest first."""

_TINY = Shape(
    name="tiny",
    architecture="llama",
    layer_count=3,
    embedding_length=512,
    feed_forward_length=1024,
    head_count=8,
    head_count_kv=2,
    head_length=64,
    vocabulary_size=2048,
    context_length=2048,
    rope_frequency_base=10_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=True,
    rope_scaling_factor=8.0,
)
_TINY_ODD = Shape(
    name="tiny-odd",
    architecture="qwen2",
    layer_count=3,
    embedding_length=192,
    feed_forward_length=512,
    head_count=6,
    head_count_kv=2,
    head_length=32,
    vocabulary_size=1536,
    context_length=2048,
    rope_frequency_base=10_000.0,
    rms_epsilon=1e-6,
    tied_embeddings=True,
    attention_bias=True,
)
_TINY_MOE = Shape(
    name="tiny-moe",
    architecture="olmoe",
    layer_count=3,
    embedding_length=512,
    feed_forward_length=512,
    head_count=8,
    head_count_kv=8,
    head_length=64,
    vocabulary_size=1536,
    context_length=2048,
    rope_frequency_base=10_000.0,
    rms_epsilon=1e-5,
    tied_embeddings=False,
    attention_norm=True,
    expert_count=4,
    expert_used_count=2,
)

SHAPES = (*PUBLISHED_SHAPES, _TINY, _TINY_ODD, _TINY_MOE)
"""All shapes; the tiny ones are nobody's model, made to try an engine in a moment. The rows of ``tiny-odd`` are no
multiple of 256."""


def is_synthetic(name: str) -> bool:
    """Whether ``name`` asks for a synthetic model rather than for a file."""
    return name.startswith(PREFIX)


def parse_spec(name: str) -> SyntheticSpec:
    """Read a name such as ``synth:llama-3.2-1b@q4_0``.

    Raises:
        EdgeprofError: the shape or the quantisation is unknown, or a part is missing.
    """
    shape_name, _, quantisation_name = name.removeprefix(PREFIX).lower().partition("@")
    shapes = {shape.name: shape for shape in SHAPES}
    quantisations = {quantisation.name: quantisation for quantisation in QUANTISATIONS}
    if shape_name not in shapes:
        raise EdgeprofError(f"{name}: no shape is called '{shape_name}'; {_advice(shape_name, tuple(shapes))}")
    if not quantisation_name:
        raise EdgeprofError(f"{name}: which quantisation? Write {PREFIX}{shape_name}@q4_0, for example")
    if quantisation_name not in quantisations:
        advice = _advice(quantisation_name, tuple(quantisations))
        raise EdgeprofError(f"{name}: no quantisation is called '{quantisation_name}'; {advice}")
    return SyntheticSpec(shape=shapes[shape_name], quantisation=quantisations[quantisation_name])


def _advice(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else "use one of " + ", ".join(known)
