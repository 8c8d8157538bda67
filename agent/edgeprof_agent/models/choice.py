"""What a run of a model will take, in memory and time, and so which synthetic model suits a device.

Estimates only, for choosing.
"""

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan
from edgeprof.plan_file import built_in_plan
from edgeprof.run import ModelFacts
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import PREFIX, PUBLISHED_SHAPES, parse_spec
from edgeprof_agent.models.speed import KV_ELEMENT_BYTES, assumed_speed, step_seconds

_LOAD_BYTES_PER_SECOND = 300e6
_START_SECONDS = 3.0
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
    kv_cache = (model.kv_elements_per_token or 0) * KV_ELEMENT_BYTES * cache_tokens
    compute = _BATCH_TOKENS * 4 * ((model.vocabulary_size or 0) + 2 * (model.embedding_length or 0))
    return model.file_bytes + kv_cache + compute + _PROCESS_BYTES


def estimate_seconds(model: ModelFacts, plan: Plan, read_bytes_per_second: float, physical_cores: int) -> float:
    """Seconds that a plan takes: starting, loading, warming up and all repetitions of all steps and variants.

    Waiting at the gates is not in it, nor is measuring the memory bandwidth.
    """
    speed = assumed_speed(model, read_bytes_per_second, physical_cores)
    warm_up = max(step.context_tokens for step in plan.steps) * speed.prefill_seconds_per_token
    load = model.file_bytes / _LOAD_BYTES_PER_SECOND + warm_up
    steps = sum(step_seconds(step, speed) for step in plan.steps)
    return _START_SECONDS + 2 * plan.rest_seconds + len(plan.variants) * (load + plan.repetitions * steps)
