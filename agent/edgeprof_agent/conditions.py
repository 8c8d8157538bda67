"""Whether the device is in a state in which its owner lets a run begin, or go on."""

from dataclasses import dataclass, replace
from datetime import datetime, time

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof_agent.config import PolicyConfig
from edgeprof_agent.workload.limit_reached import LimitReachedError

_BATTERY = "battery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The device now. What it cannot tell is ``None``, and forbids nothing. ``local_time`` has no date and no zone."""

    local_time: time
    power_source: str | None
    hottest_celsius: float | None
    free_disk_bytes: int
    available_memory_bytes: int
    runs_last_day: int


def refuse_unless_ready(policy: PolicyConfig, now: Conditions) -> None:
    """See that a run may begin.

    Raises:
        EdgeprofError: a rule of the policy forbids it; the text names the rule.
    """
    for hours in policy.quiet_hours:
        if _is_within(hours, now.local_time):
            raise EdgeprofError(f"these are quiet hours on this device, {hours} (policy.quiet_hours): send it later")
    if policy.runs_per_day is not None and now.runs_last_day >= policy.runs_per_day:
        raise EdgeprofError(
            f"this device has begun {now.runs_last_day} runs in the last 24 hours, and {policy.runs_per_day} is its "
            "most (policy.runs_per_day): send it tomorrow"
        )
    if now.available_memory_bytes < policy.min_free_memory_bytes:
        raise EdgeprofError(
            f"{_gib(now.available_memory_bytes)} of memory are available on this device, and "
            f"{_gib(policy.min_free_memory_bytes)} must stay free (policy.min_free_memory_bytes)"
        )
    if fault := _fault(policy, now):
        raise EdgeprofError(fault)


def refuse_to_go_on(policy: PolicyConfig, now: Conditions) -> None:
    """See that a run may go on. Time, heat and memory are watched with the plan's own limits.

    Raises:
        LimitReachedError: a rule of the policy ends it; the text names the rule.
    """
    if fault := _fault(policy, now):
        raise LimitReachedError(fault)


def within_policy(command: JobCommand, policy: PolicyConfig, memory_total_bytes: int) -> JobCommand:
    """Return the job with its plan's limits no wider than the device's own."""
    limits = command.plan.limits
    wanted = limits.temperature_celsius
    allowed = policy.temperature_celsius
    hottest = wanted if allowed is None else allowed if wanted is None else min(wanted, allowed)
    limits = replace(
        limits,
        time_seconds=min(limits.time_seconds, policy.run_seconds or limits.time_seconds),
        temperature_celsius=hottest,
        memory_headroom_ratio=max(limits.memory_headroom_ratio, policy.min_free_memory_bytes / memory_total_bytes),
    )
    return replace(command, plan=replace(command.plan, limits=limits))


def run_memory_bytes(policy: PolicyConfig, memory_total_bytes: int) -> int | None:
    """Return what a run may take where the kernel sees to it; ``None`` for no limit of the device's own."""
    if not policy.min_free_memory_bytes:
        return None
    return max(0, memory_total_bytes - policy.min_free_memory_bytes)


def local_time() -> time:
    """Return the time of the device's local day."""
    return datetime.now().astimezone().time()


def _fault(policy: PolicyConfig, now: Conditions) -> str:
    """What keeps a run from beginning, and ends one that goes on; empty when nothing does."""
    if not policy.run_on_battery and now.power_source == _BATTERY:
        return "this device is on battery, where it runs nothing (policy.run_on_battery): plug it in"
    hottest = policy.temperature_celsius
    if hottest is not None and now.hottest_celsius is not None and now.hottest_celsius >= hottest:
        return (
            f"this device has {now.hottest_celsius:.1f} °C, and {hottest:g} °C is its most (policy.temperature_celsius)"
        )
    if now.free_disk_bytes < policy.min_free_disk_bytes:
        return (
            f"{_gib(now.free_disk_bytes)} of disk are free on this device, and {_gib(policy.min_free_disk_bytes)} must "
            "stay free (policy.min_free_disk_bytes)"
        )
    return ""


def _is_within(hours: str, now: time) -> bool:
    """Whether ``now`` is within ``22:00-06:00``, which may go over midnight. Its end is no longer within."""
    begin, end = (time.fromisoformat(part) for part in hours.split("-"))
    return begin <= now < end if begin <= end else now >= begin or now < end


def _gib(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
