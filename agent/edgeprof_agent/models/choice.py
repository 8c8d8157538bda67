"""What a run of a model will take, in memory and time, and so which synthetic model suits a device.

Estimates only, for choosing and for the time shown before a run. What they assume was measured with llama.cpp
(llama-cpp-python 0.3.36) on two cores of an AMD EPYC with AVX-512, synthetic models from 135M to 1.2B in q4_0, against
a measured read bandwidth of 68 GB/s.
"""

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Step
from edgeprof.plan_file import built_in_plan
from edgeprof.run import ModelFacts
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import PREFIX, PUBLISHED_SHAPES, parse_spec

_DECODE_BANDWIDTH_RATIO = 0.4
"""Share of the read bandwidth that decoding reaches: 0.24 (135M), 0.37 (0.5B) and 0.44 (1.2B) measured."""

_PREFILL_FLOPS_PER_CORE = 50e9
"""Half of the 95 to 130 GFLOP/s measured, for most edge devices have narrower vector units."""

_LOAD_BYTES_PER_SECOND = 300e6
_START_SECONDS = 3.0
_KV_ELEMENT_BYTES = 2  # f16, llama.cpp's default
_BATCH_TOKENS = 512  # llama.cpp's default; its buffers hold logits and two activations of each
_PROCESS_BYTES = 100 << 20  # the interpreter and the library
_TARGET_SECONDS = 75.0


def choose_shape(
    memory_available_bytes: int,
    read_bytes_per_second: float,
    physical_cores: int,
    plan: Plan,
    quantisation: str = "q4_0",
) -> str:
    """Name the largest dense model that fits the memory and does the quick plan in about a minute.

    ``memory_available_bytes`` is what a run may take, any headroom already left out; ``plan`` is the one that will
    run, and its context must fit; ``quantisation`` is what the engine reads. Where nothing is fast enough the smallest
    is named.

    Raises:
        EdgeprofError: not even the smallest fits.
    """
    names = [f"{PREFIX}{shape.name}@{quantisation}" for shape in PUBLISHED_SHAPES if not shape.expert_count]
    models = [planned_facts(parse_spec(name)) for name in names]
    fitting = [m for m in models if memory_needed_bytes(m, plan.cache_tokens) <= memory_available_bytes]
    if not fitting:
        needed = memory_needed_bytes(models[0], plan.cache_tokens)
        raise EdgeprofError(
            f"even the smallest model, {names[0]}, needs {needed / 1e9:.2f} GB of memory, and a run may take "
            f"{memory_available_bytes / 1e9:.2f} GB: free some, or name the file of a smaller one"
        )
    quick = built_in_plan("quick")
    swift = [
        model
        for model in fitting
        if estimate_seconds(model, quick, read_bytes_per_second, physical_cores) <= _TARGET_SECONDS
    ]
    return (swift or fitting[:1])[-1].name


def memory_needed_bytes(model: ModelFacts | ModelOutline, cache_tokens: int) -> int:
    """Bytes of memory that a run takes: weights, KV cache, compute buffers and the process itself.

    What is not known of a model is left out.
    """
    kv_cache = (model.kv_elements_per_token or 0) * _KV_ELEMENT_BYTES * cache_tokens
    compute = _BATCH_TOKENS * 4 * ((model.vocabulary_size or 0) + 2 * (model.embedding_length or 0))
    return model.file_bytes + kv_cache + compute + _PROCESS_BYTES


def estimate_seconds(model: ModelFacts, plan: Plan, read_bytes_per_second: float, physical_cores: int) -> float:
    """Seconds that a plan takes: starting, loading, warming up and all repetitions of all steps and variants.

    Waiting at the gates is not in it, nor is measuring the memory bandwidth.
    """
    warm_up = max(step.context_tokens for step in plan.steps) * _prefill_seconds(model, physical_cores)
    load = model.file_bytes / _LOAD_BYTES_PER_SECOND + warm_up
    steps = sum(estimate_step_seconds(model, step, read_bytes_per_second, physical_cores) for step in plan.steps)
    return _START_SECONDS + 2 * plan.rest_seconds + len(plan.variants) * (load + plan.repetitions * steps)


def estimate_step_seconds(model: ModelFacts, step: Step, read_bytes_per_second: float, physical_cores: int) -> float:
    """Seconds that one repetition of a step takes, filling its context included."""
    prefilled = step.depth_tokens + step.turns * step.prompt_tokens
    decoded = step.turns * step.decode_tokens
    kv_bytes = model.kv_elements_per_token * _KV_ELEMENT_BYTES * step.context_tokens
    decode_seconds = (model.weight_bytes_read_per_token + kv_bytes) / (_DECODE_BANDWIDTH_RATIO * read_bytes_per_second)
    return prefilled * _prefill_seconds(model, physical_cores) + decoded * decode_seconds


def _prefill_seconds(model: ModelFacts, physical_cores: int) -> float:
    """Seconds that one more prompt token takes: a multiplication and an addition per parameter."""
    return 2 * _prefill_parameters(model) / (_PREFILL_FLOPS_PER_CORE * physical_cores)


def _prefill_parameters(model: ModelFacts) -> float:
    """Parameters that each prompt token is multiplied with: those of decoding without the output matrix."""
    bytes_per_parameter = sum(model.tensor_bytes_by_type.values()) / model.parameter_count
    used = model.weight_bytes_read_per_token / bytes_per_parameter
    return max(used - model.vocabulary_size * model.embedding_length, 0.0)
