"""What a run of a model will take, in memory and time, and so which synthetic model suits a device.

Estimates only, for choosing and for the time shown before a run. What they assume was measured with llama.cpp
(llama-cpp-python 0.3.36) on two cores of an AMD EPYC with AVX-512, synthetic models from 135M to 1.2B in q4_0, against
a measured read bandwidth of 68 GB/s.
"""

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Step, built_in_plan
from edgeprof.run import ModelFacts
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


def choose_shape(memory_available_bytes: int, read_bytes_per_second: float, physical_cores: int, plan: Plan) -> str:
    """Name the largest dense model in q4_0 that fits the memory and does the quick plan in about a minute.

    ``plan`` is the one that will run: its context must fit. Where nothing is fast enough the smallest is named.

    Raises:
        EdgeprofError: not even the smallest fits.
    """
    names = [f"{PREFIX}{shape.name}@q4_0" for shape in PUBLISHED_SHAPES if not shape.expert_count]
    models = [planned_facts(parse_spec(name)) for name in names]
    refuse_without_memory(models[0], plan, memory_available_bytes)
    quick = built_in_plan("quick")
    fitting = [
        model.name
        for model in models
        if memory_needed_bytes(model, plan.context_tokens) <= _usable_bytes(plan, memory_available_bytes)
        and estimate_seconds(model, quick, read_bytes_per_second, physical_cores) <= _TARGET_SECONDS
    ]
    return fitting[-1] if fitting else names[0]


def refuse_without_memory(model: ModelFacts, plan: Plan, memory_available_bytes: int) -> None:
    """Refuse a model that does not fit the available memory with the headroom that the plan demands.

    Raises:
        EdgeprofError: it does not.
    """
    needed = memory_needed_bytes(model, plan.context_tokens)
    usable = _usable_bytes(plan, memory_available_bytes)
    if needed > usable:
        raise EdgeprofError(
            f"{model.name} needs about {needed / 1e9:.2f} GB of memory, and {usable / 1e9:.2f} GB may be used "
            f"({memory_available_bytes / 1e9:.2f} GB available, {plan.limits.memory_headroom_ratio:.0%} kept free): "
            "choose a smaller model or quantisation, or free memory"
        )


def memory_needed_bytes(model: ModelFacts, context_tokens: int) -> int:
    """Bytes of memory that a run takes: weights, KV cache, compute buffers and the process itself."""
    kv_cache = model.kv_elements_per_token * _KV_ELEMENT_BYTES * context_tokens
    compute = _BATCH_TOKENS * 4 * (model.vocabulary_size + 2 * model.embedding_length)
    return model.file_bytes + kv_cache + compute + _PROCESS_BYTES


def estimate_seconds(model: ModelFacts, plan: Plan, read_bytes_per_second: float, physical_cores: int) -> float:
    """Seconds that a plan takes: starting, loading, warming up and all repetitions of all steps and variants.

    Waiting at the gates is not in it, nor is measuring the memory bandwidth.
    """
    prefill_seconds = 2 * _prefill_parameters(model) / (_PREFILL_FLOPS_PER_CORE * physical_cores)
    decode_bytes_per_second = _DECODE_BANDWIDTH_RATIO * read_bytes_per_second
    kv_bytes = model.kv_elements_per_token * _KV_ELEMENT_BYTES

    def step_seconds(step: Step) -> float:
        prefilled = step.depth_tokens + step.turns * step.prompt_tokens
        decoded = step.turns * step.decode_tokens
        bytes_per_token = model.weight_bytes_read_per_token + kv_bytes * step.context_tokens
        return prefilled * prefill_seconds + decoded * bytes_per_token / decode_bytes_per_second

    warm_up = max(step.context_tokens for step in plan.steps) * prefill_seconds
    load = model.file_bytes / _LOAD_BYTES_PER_SECOND + warm_up
    steps = plan.repetitions * sum(step_seconds(step) for step in plan.steps)
    return _START_SECONDS + 2 * plan.rest_seconds + len(plan.variants) * (load + steps)


def _usable_bytes(plan: Plan, memory_available_bytes: int) -> float:
    return memory_available_bytes * (1 - plan.limits.memory_headroom_ratio)


def _prefill_parameters(model: ModelFacts) -> float:
    """Parameters that each prompt token is multiplied with: those of decoding without the output matrix."""
    bytes_per_parameter = sum(model.tensor_bytes_by_type.values()) / model.parameter_count
    used = model.weight_bytes_read_per_token / bytes_per_parameter
    return max(used - model.vocabulary_size * model.embedding_length, 0.0)
