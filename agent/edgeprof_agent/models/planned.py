"""The facts of a synthetic model before it is written. Without numpy: the agent itself asks."""

import math
from collections import Counter

from edgeprof.run import ModelFacts
from edgeprof_agent.models.presets import SyntheticSpec
from edgeprof_agent.models.tensors import tensors_of
from edgeprof_agent.models.traffic import weight_bytes_read_per_token

_HEADER_BYTES_PER_TOKEN = 32  # its text, its merge and their lengths: 28 to 30 measured
_HEADER_BYTES = 64 << 10
_ALIGNMENT_BYTES = 32

NOT_PARAMETERS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Tensors that hold constants."""


def planned_facts(spec: SyntheticSpec) -> ModelFacts:
    """Describe a model that need not exist: ``path`` and ``sha256`` are empty, ``file_bytes`` is an upper estimate."""
    shape = spec.shape
    tensors = tuple(tensor.stored() for tensor in tensors_of(spec))
    bytes_by_type: Counter[str] = Counter()
    for tensor in tensors:
        bytes_by_type[tensor.type] += tensor.bytes
    header_bytes = _HEADER_BYTES + shape.vocabulary_size * _HEADER_BYTES_PER_TOKEN
    return ModelFacts(
        name=spec.name,
        path="",
        format=spec.quantisation.format.value,
        synthetic=True,
        architecture=shape.architecture,
        quantisation=spec.quantisation.label,
        parameter_count=sum(tensor.elements for tensor in tensors if tensor.name not in NOT_PARAMETERS),
        file_bytes=header_bytes + sum(_padded(tensor.bytes) for tensor in tensors),
        sha256="",
        layer_count=shape.layer_count,
        embedding_length=shape.embedding_length,
        vocabulary_size=shape.vocabulary_size,
        context_length=shape.context_length,
        kv_elements_per_token=shape.layer_count * shape.head_count_kv * shape.head_length * 2,
        weight_bytes_read_per_token=weight_bytes_read_per_token(
            tensors,
            expert_count=shape.expert_count,
            expert_used_count=shape.expert_used_count,
            layer_count=shape.layer_count,
        ),
        expert_count=shape.expert_count,
        expert_used_count=shape.expert_used_count,
        tensor_bytes_by_type=dict(bytes_by_type),
    )


def _padded(size: int) -> int:
    return math.ceil(size / _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
