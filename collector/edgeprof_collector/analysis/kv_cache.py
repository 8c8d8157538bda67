"""Bytes of a KV cache per token of context, by the options that engines call its type."""

from collections.abc import Mapping

from edgeprof.run import ModelFacts, RunRecord
from edgeprof_collector.analysis.options import options_in_force

# Bytes per element of llama.cpp's types. Blocks of 32 share a scale, and some a minimum (ggml-common.h).
KV_BYTES_PER_ELEMENT: Mapping[str, float] = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
_KEY_TYPE_OPTION, _VALUE_TYPE_OPTION = "cache_type_k", "cache_type_v"
# MLX: bits of an element, and how many elements share a scale and a bias of two bytes each (mlx.core.quantize).
_BITS_OPTION, _GROUP_OPTION = "kv_bits", "kv_group_size"
_NOT_QUANTISED = "none"
_SCALE_AND_BIAS_BYTES = 4
_WIDEST_FLOAT = "F32"


def kv_bytes_per_token(record: RunRecord, variant: int) -> float | None:
    """Bytes that one token of context adds to the KV cache; ``None`` if the options in force do not tell its type.

    ``ModelFacts`` counts key and value elements together; they are taken to be as many of each.
    """
    options = options_in_force(record, variant)
    model = record.started.model
    element_bytes = _by_bits(options, model) if _BITS_OPTION in options else _by_types(options)
    return None if element_bytes is None else model.kv_elements_per_token * element_bytes


def _by_types(options: Mapping[str, str]) -> float | None:
    """The mean of a key's and a value's element."""
    key_bytes = KV_BYTES_PER_ELEMENT.get(options.get(_KEY_TYPE_OPTION, "").lower())
    value_bytes = KV_BYTES_PER_ELEMENT.get(options.get(_VALUE_TYPE_OPTION, "").lower())
    return None if key_bytes is None or value_bytes is None else (key_bytes + value_bytes) / 2


def _by_bits(options: Mapping[str, str], model: ModelFacts) -> float | None:
    """Of so many bits with their share of scale and bias, or else of the type that the model computes in."""
    bits, group_size = options[_BITS_OPTION], options.get(_GROUP_OPTION, "")
    if bits == _NOT_QUANTISED:
        return 4.0 if model.quantisation.upper() == _WIDEST_FLOAT else 2.0
    if not bits.isdecimal() or not group_size.isdecimal() or group_size == "0":
        return None
    return int(bits) / 8 + _SCALE_AND_BIAS_BYTES / int(group_size)
