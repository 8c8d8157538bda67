"""The tensors that a shape has, in the order in which they stand in the file, by the names that llama.cpp knows.

A Hugging Face folder holds the same ones under other names (`hf_tensors`); only the constants of RoPE are left to its
configuration.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof_agent.models.model_format import ModelFormat
from edgeprof_agent.models.presets import Shape, SyntheticSpec
from edgeprof_agent.models.tensor_types import Role, TensorType, tensor_type
from edgeprof_agent.models.traffic import StoredTensor

_ATTENTION_GAIN = math.sqrt(2)
"""Spread of queries and of keys: attention scores of deviation 2 instead of 1 pick some tokens, as trained models do,
rather than average them all, and so the context counts."""

_OUTPUT_GAIN = 3.0
"""Deviation of the logits: with 1, all tokens would be about equally likely."""

_BIAS_SPREAD = 0.1


def _residual_gain(layer: int, layer_count: int) -> float:
    """How strongly a layer writes: the first one fully, the others together as much as the first.

    With every layer at full strength a deep random model is chaotic: rounding the KV cache changes most answers.
    """
    return 1.0 if layer == 0 else 1 / math.sqrt(layer_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticTensor:
    """One tensor. ``dimensions`` is in ggml's order, the length of a row first.

    Its elements are ``values`` or, where there are none, random with mean 0 and deviation ``spread``.
    """

    name: str
    dimensions: tuple[int, ...]
    type: TensorType
    spread: float = 0.0
    values: tuple[float, ...] = ()

    @property
    def elements(self) -> int:
        """Elements in all."""
        return math.prod(self.dimensions)

    @property
    def bytes(self) -> int:
        """Bytes in the file, without padding."""
        return self.type.bytes_of(self.elements)

    def stored(self) -> StoredTensor:
        """What a reader of the file will find."""
        return StoredTensor(
            name=self.name, dimensions=self.dimensions, type=self.type.name, elements=self.elements, bytes=self.bytes
        )


def tensors_of(spec: SyntheticSpec) -> tuple[SyntheticTensor, ...]:
    """All tensors of a model."""
    shape = spec.shape
    plan = _Tensors(spec)
    embedding = Role.TIED_EMBEDDING if shape.tied_embeddings else Role.EMBEDDING
    vocabulary = (shape.embedding_length, shape.vocabulary_size)
    tensors = [plan.matrix("token_embd.weight", vocabulary, embedding)]
    if shape.rope_scaling_factor is not None and spec.quantisation.format is ModelFormat.GGUF:
        factors = _llama3_rope_factors(shape, shape.rope_scaling_factor)
        tensors.append(plan.vector("rope_freqs.weight", factors))
    for layer in range(shape.layer_count):
        tensors += plan.attention(layer)
        tensors += plan.experts(layer) if shape.expert_count else plan.feed_forward(layer)
    tensors.append(plan.vector("output_norm.weight", (_OUTPUT_GAIN,) * shape.embedding_length))
    if not shape.tied_embeddings:
        tensors.append(plan.matrix("output.weight", vocabulary, Role.OUTPUT))
    return tuple(tensors)


class _Tensors:
    """Names, shapes, types and spreads of one model's tensors."""

    def __init__(self, spec: SyntheticSpec) -> None:
        self._shape = spec.shape
        self._quantisation = spec.quantisation

    def matrix(
        self, name: str, dimensions: tuple[int, ...], role: Role = Role.MATRIX, *, layer: int = 0, gain: float = 1.0
    ) -> SyntheticTensor:
        """A matrix that keeps the deviation of what it is applied to, times ``gain``."""
        columns = dimensions[0]
        kind = tensor_type(self._quantisation, role, columns, layer, self._shape.layer_count)
        return SyntheticTensor(name=name, dimensions=dimensions, type=kind, spread=gain / math.sqrt(columns))

    def vector(self, name: str, values: tuple[float, ...]) -> SyntheticTensor:
        """A vector, which nobody quantises."""
        kind = self._quantisation.vector_type
        return SyntheticTensor(name=name, dimensions=(len(values),), type=kind, values=values)

    def bias(self, name: str, length: int) -> SyntheticTensor:
        """What is added to the result of a matrix."""
        kind = self._quantisation.vector_type
        return SyntheticTensor(name=name, dimensions=(length,), type=kind, spread=_BIAS_SPREAD)

    def attention(self, layer: int) -> Iterator[SyntheticTensor]:
        """Attention of one layer, its norm first."""
        shape, prefix = self._shape, f"blk.{layer}"
        width = shape.embedding_length
        query, key = shape.head_count * shape.head_length, shape.head_count_kv * shape.head_length
        yield self.vector(f"{prefix}.attn_norm.weight", (1.0,) * width)
        yield self.matrix(f"{prefix}.attn_q.weight", (width, query), gain=_ATTENTION_GAIN)
        yield self.matrix(f"{prefix}.attn_k.weight", (width, key), gain=_ATTENTION_GAIN)
        yield self.matrix(f"{prefix}.attn_v.weight", (width, key), Role.ATTENTION_VALUE, layer=layer)
        if shape.attention_bias:
            for part, length in (("q", query), ("k", key), ("v", key)):
                yield self.bias(f"{prefix}.attn_{part}.bias", length)
        if shape.attention_norm:
            yield self.vector(f"{prefix}.attn_q_norm.weight", (_ATTENTION_GAIN,) * query)
            yield self.vector(f"{prefix}.attn_k_norm.weight", (_ATTENTION_GAIN,) * key)
        gain = _residual_gain(layer, shape.layer_count)
        yield self.matrix(f"{prefix}.attn_output.weight", (query, width), gain=gain)

    def feed_forward(self, layer: int) -> Iterator[SyntheticTensor]:
        """The gated feed-forward network of one layer, its norm first."""
        width, inner, prefix = self._shape.embedding_length, self._shape.feed_forward_length, f"blk.{layer}"
        yield self.vector(f"{prefix}.ffn_norm.weight", (1.0,) * width)
        yield self.matrix(f"{prefix}.ffn_gate.weight", (width, inner))
        yield self.matrix(f"{prefix}.ffn_up.weight", (width, inner))
        yield self.down(f"{prefix}.ffn_down.weight", (inner, width), layer)

    def experts(self, layer: int) -> Iterator[SyntheticTensor]:
        """The experts of one layer and the router that picks among them, their norm first."""
        width, inner, count = self._shape.embedding_length, self._shape.feed_forward_length, self._shape.expert_count
        prefix = f"blk.{layer}"
        yield self.vector(f"{prefix}.ffn_norm.weight", (1.0,) * width)
        yield self.matrix(f"{prefix}.ffn_gate_inp.weight", (width, count), Role.FULL_PRECISION)
        yield self.matrix(f"{prefix}.ffn_gate_exps.weight", (width, inner, count))
        yield self.matrix(f"{prefix}.ffn_up_exps.weight", (width, inner, count))
        yield self.down(f"{prefix}.ffn_down_exps.weight", (inner, width, count), layer)

    def down(self, name: str, dimensions: tuple[int, ...], layer: int) -> SyntheticTensor:
        """What leads out of a feed-forward network."""
        gain = _residual_gain(layer, self._shape.layer_count)
        return self.matrix(name, dimensions, Role.FEED_FORWARD_DOWN, layer=layer, gain=gain)


def _llama3_rope_factors(shape: Shape, factor: float) -> tuple[float, ...]:
    """By what the rotation of each pair of dimensions is slowed down.

    Llama 3 leaves wavelengths under 8192 / 4 tokens alone, divides the frequency of those over 8192 by ``factor``,
    and blends between (``rope_type`` "llama3" of the published configurations).
    """
    factors = []
    for pair in range(shape.head_length // 2):
        wavelength = 2 * math.pi * shape.rope_frequency_base ** (2 * pair / shape.head_length)
        share_kept = min(max((8192 / wavelength - 1) / (4 - 1), 0.0), 1.0)
        factors.append(1 / (share_kept + (1 - share_kept) / factor))
    return tuple(factors)
