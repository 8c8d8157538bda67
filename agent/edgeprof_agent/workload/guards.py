"""What keeps a run within the device's limits: before a model is loaded, and once a second from then on."""

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Limits, Plan
from edgeprof_agent.models.choice import memory_needed_bytes
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.workload.limit_reached import LimitReachedError


def loadable_bytes(limits: Limits, available_bytes: int, total_bytes: int) -> int:
    """Memory that a run may take: what is available, less the share of all memory that must stay free."""
    return max(0, available_bytes - int(limits.memory_headroom_ratio * total_bytes))


def refuse_what_does_not_fit(model: ModelOutline, plan: Plan, available_bytes: int, total_bytes: int) -> None:
    """Refuse a model before it is loaded.

    Raises:
        EdgeprofError: weights, KV cache and buffers need more memory than a run may take.
    """
    needed = memory_needed_bytes(model, plan.cache_tokens)
    if needed > loadable_bytes(plan.limits, available_bytes, total_bytes):
        raise EdgeprofError(
            f"{model.name} needs {_gib(needed)} of memory with a context of {plan.cache_tokens} tokens; "
            f"{_gib(available_bytes)} of {_gib(total_bytes)} are available and the plan keeps "
            f"{plan.limits.memory_headroom_ratio:.0%} free: take a smaller shape or a smaller quantisation"
        )


def check_limits(
    limits: Limits,
    *,
    elapsed_seconds: float,
    temperature_celsius: float | None,
    memory_available_bytes: int,
    memory_total_bytes: int,
) -> None:
    """Compare the device with the plan's limits. Memory counts as available if it can be had without swapping.

    Raises:
        LimitReachedError: one is reached.
    """
    if elapsed_seconds >= limits.time_seconds:
        raise LimitReachedError(f"the run took {elapsed_seconds:.0f} s and its limit is {limits.time_seconds:g} s")
    hottest = limits.temperature_celsius
    if hottest is not None and temperature_celsius is not None and temperature_celsius >= hottest:
        raise LimitReachedError(f"the device reached {temperature_celsius:.1f} °C and the limit is {hottest:g} °C")
    free_ratio = memory_available_bytes / memory_total_bytes
    if free_ratio < limits.memory_headroom_ratio:
        raise LimitReachedError(
            f"{_gib(memory_available_bytes)} of memory were left, {free_ratio:.1%} of all, and "
            f"{limits.memory_headroom_ratio:.0%} must stay free"
        )


def _gib(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
