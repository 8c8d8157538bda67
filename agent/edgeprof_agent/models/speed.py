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

_PROMPT_CONTEXT_RATIO = 1 / 3
"""What a token of context adds to a prompt token, as a share of what it adds to a decoded one: those that are processed
together share its reading. 0.15 at 200 tokens of context and 0.4 at 1,000 measured, with the model of 135M."""

# The prompts of small tasks have 41 characters in the mean: at most as many tokens, where every digit is one, and
# seldom under half as many. An answer is a number and the end of its line, or a list that is cut off after eight.
_TASK_PROMPT_TOKENS = 33
_TASK_ANSWER_TOKENS = 5

KV_ELEMENT_BYTES = 2  # f16, llama.cpp's default


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds that one more prompt token takes, and one more decoded token without context.

    ``context_seconds_per_token`` is what each token of context adds to a decoded one.
    """

    prefill_seconds_per_token: float
    decode_seconds_per_token: float
    context_seconds_per_token: float


def assumed_speed(model: ModelFacts, read_bytes_per_second: float, physical_cores: int) -> Speed:
    """The speed of a model that has not run on this device: prompts are bound by arithmetic, decoding by memory."""
    decode_bytes_per_second = _DECODE_BANDWIDTH_RATIO * read_bytes_per_second
    return Speed(
        prefill_seconds_per_token=2 * _prefill_parameters(model) / (_PREFILL_FLOPS_PER_CORE * physical_cores),
        decode_seconds_per_token=model.weight_bytes_read_per_token / decode_bytes_per_second,
        context_seconds_per_token=model.kv_elements_per_token * KV_ELEMENT_BYTES / decode_bytes_per_second,
    )


def step_seconds(step: Step, speed: Speed, held_tokens: int = 0) -> float:
    """Seconds that one repetition of a step takes where ``held_tokens`` of its depth are in the context already.

    A call of several tokens reads the weights once, as that of one does, and each token after the first adds its
    arithmetic.
    """
    held = min(held_tokens, step.depth_tokens)
    sequences = max(step.sequences, 1)
    filling = sequences * prompt_seconds(speed, step.depth_tokens - held, held)
    prompts = max(step.turns, step.windows) * prompt_seconds(speed, step.prompt_tokens, step.depth_tokens)
    prompts += step.tasks * prompt_seconds(speed, _TASK_PROMPT_TOKENS, 0)
    calls = step.turns * step.decode_tokens // max(step.rows, 1) + step.tasks * _TASK_ANSWER_TOKENS
    call_seconds = (
        speed.decode_seconds_per_token
        + (max(sequences, step.rows) - 1) * speed.prefill_seconds_per_token
        + sequences * step.context_tokens * speed.context_seconds_per_token
    )
    return filling + prompts + calls * call_seconds


def prompt_seconds(speed: Speed, tokens: int, depth_tokens: int) -> float:
    """Seconds that a prompt takes after ``depth_tokens`` of context; each of its tokens has those before it too."""
    context_tokens = depth_tokens + tokens / 2
    return tokens * (
        speed.prefill_seconds_per_token + context_tokens * _PROMPT_CONTEXT_RATIO * speed.context_seconds_per_token
    )


def _prefill_parameters(model: ModelFacts) -> float:
    """Parameters that each prompt token is multiplied with: those of decoding without the output matrix."""
    bytes_per_parameter = sum(model.tensor_bytes_by_type.values()) / model.parameter_count
    used = model.weight_bytes_read_per_token / bytes_per_parameter
    return max(used - model.vocabulary_size * model.embedding_length, 0.0)
