"""How fast a model runs, as two numbers, and so how long a step of a plan takes.

What is assumed of a device that ran nothing yet was measured with llama.cpp (llama-cpp-python 0.3.36) on two cores of
an AMD EPYC with AVX-512, synthetic models from 135M to 1.2B in q4_0, against a measured read bandwidth of 68 GB/s.
"""

from dataclasses import dataclass

from edgeprof.plan import Step
from edgeprof.run import ModelFacts

_DECODE_BANDWIDTH_RATIO = 0.4
"""Share of the read bandwidth that decoding reaches: 0.24 (135M), 0.37 (0.5B) and 0.44 (1.2B) measured."""

_PREFILL_FLOPS_PER_CORE = 50e9
"""Half of the 95 to 130 GFLOP/s measured, for most edge devices have narrower vector units."""

KV_ELEMENT_BYTES = 2  # f16, llama.cpp's default


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds that one more prompt token takes, and bytes of weights and cache that decoding gets through in one."""

    prefill_seconds_per_token: float
    decode_bytes_per_second: float


def assumed_speed(model: ModelFacts, read_bytes_per_second: float, physical_cores: int) -> Speed:
    """The speed of a model that has not run on this device: prompts are bound by arithmetic, decoding by memory."""
    return Speed(
        prefill_seconds_per_token=2 * _prefill_parameters(model) / (_PREFILL_FLOPS_PER_CORE * physical_cores),
        decode_bytes_per_second=_DECODE_BANDWIDTH_RATIO * read_bytes_per_second,
    )


def decode_bytes(model: ModelFacts, depth_tokens: float) -> float:
    """Bytes of weights and cache that the token after ``depth_tokens`` of context takes."""
    return model.weight_bytes_read_per_token + model.kv_elements_per_token * KV_ELEMENT_BYTES * depth_tokens


def step_seconds(model: ModelFacts, step: Step, speed: Speed, held_tokens: int = 0) -> float:
    """Seconds that one repetition of a step takes where ``held_tokens`` of its depth are in the context already.

    A call of several tokens reads the weights once, as that of one does, unless its arithmetic takes longer.
    """
    prompt = max(step.depth_tokens - held_tokens, 0) + max(step.turns, step.windows) * step.prompt_tokens
    call_tokens = max(step.sequences, step.rows, 1)
    calls = step.turns * step.decode_tokens // max(step.rows, 1)
    reading = decode_bytes(model, step.context_tokens) / speed.decode_bytes_per_second
    call_seconds = max(reading, call_tokens * speed.prefill_seconds_per_token)
    return prompt * speed.prefill_seconds_per_token + calls * call_seconds


def _prefill_parameters(model: ModelFacts) -> float:
    """Parameters that each prompt token is multiplied with: those of decoding without the output matrix."""
    bytes_per_parameter = sum(model.tensor_bytes_by_type.values()) / model.parameter_count
    used = model.weight_bytes_read_per_token / bytes_per_parameter
    return max(used - model.vocabulary_size * model.embedding_length, 0.0)
