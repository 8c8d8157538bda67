"""When a run may begin, and when it must end, by the device's policy."""

from dataclasses import replace
from datetime import time

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.plan import Limits, Plan, Step, StepKind
from edgeprof_agent.conditions import Conditions, refuse_to_go_on, refuse_unless_ready, within_policy
from edgeprof_agent.config import PolicyConfig
from edgeprof_agent.workload.limit_reached import LimitReachedError

NOW = Conditions(
    local_time=time(12, 0),
    power_source="mains",
    hottest_celsius=50.0,
    free_disk_bytes=10 << 30,
    available_memory_bytes=4 << 30,
    runs_last_day=3,
)
COMMAND = JobCommand(
    job_id="job", version=1, plan=Plan(name="tiny", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=8),))
)


def test_nothing_is_forbidden_that_the_owner_did_not_forbid() -> None:
    worst = replace(NOW, power_source="battery", hottest_celsius=120.0, free_disk_bytes=0, available_memory_bytes=0)
    refuse_unless_ready(PolicyConfig(), worst)
    refuse_to_go_on(PolicyConfig(), worst)


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        (PolicyConfig(run_on_battery=False), "policy.run_on_battery"),
        (PolicyConfig(temperature_celsius=60.0), "policy.temperature_celsius"),
        (PolicyConfig(min_free_disk_bytes=1 << 30), "policy.min_free_disk_bytes"),
    ],
)
def test_what_keeps_a_run_from_beginning_also_ends_one(policy: PolicyConfig, rule: str) -> None:
    bad = replace(NOW, power_source="battery", hottest_celsius=60.0, free_disk_bytes=(1 << 30) - 1)
    refuse_unless_ready(policy, NOW)
    refuse_to_go_on(policy, NOW)
    with pytest.raises(EdgeprofError, match=rule):
        refuse_unless_ready(policy, bad)
    with pytest.raises(LimitReachedError, match=rule):
        refuse_to_go_on(policy, bad)
    untold = replace(bad, power_source=None, hottest_celsius=None, free_disk_bytes=1 << 30)
    refuse_unless_ready(policy, untold)  # what the device cannot tell forbids nothing


def test_runs_are_counted_and_memory_is_looked_at_before_a_run_only() -> None:
    for policy, rule in (
        (PolicyConfig(runs_per_day=3), "begun 3 runs in the last 24 hours, and 3 is its most"),
        (PolicyConfig(min_free_memory_bytes=8 << 30), "4.0 GiB of memory are available on this device, and 8.0 GiB"),
    ):
        with pytest.raises(EdgeprofError, match=rule):
            refuse_unless_ready(policy, NOW)
        refuse_to_go_on(policy, NOW)
    refuse_unless_ready(PolicyConfig(runs_per_day=4), NOW)


@pytest.mark.parametrize(
    ("hours", "moments", "quiet"),
    [
        ("08:00-18:30", [time(8, 0), time(12, 0), time(18, 29, 59)], True),
        ("08:00-18:30", [time(7, 59, 59), time(18, 30), time(0, 0)], False),
        ("22:00-06:00", [time(22, 0), time(23, 59), time(0, 0), time(5, 59)], True),
        ("22:00-06:00", [time(6, 0), time(12, 0), time(21, 59)], False),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours: str, moments: list[time], quiet: bool) -> None:
    policy = PolicyConfig(quiet_hours=(hours,))
    for moment in moments:
        now = replace(NOW, local_time=moment)
        if quiet:
            with pytest.raises(EdgeprofError, match=rf"quiet hours on this device, {hours} \(policy\.quiet_hours\)"):
                refuse_unless_ready(policy, now)
        else:
            refuse_unless_ready(policy, now)


def test_the_stricter_of_plan_and_device_counts() -> None:
    wide = Limits(time_seconds=1800, temperature_celsius=None, memory_headroom_ratio=0.1)
    command = replace(COMMAND, plan=replace(COMMAND.plan, limits=wide))
    policy = PolicyConfig(run_seconds=60.0, temperature_celsius=80.0, min_free_memory_bytes=2 << 30)
    assert within_policy(command, PolicyConfig(), 8 << 30) == command
    limits = within_policy(command, policy, 8 << 30).plan.limits
    assert limits == Limits(time_seconds=60, temperature_celsius=80.0, memory_headroom_ratio=0.25)
    narrow = Limits(time_seconds=30, temperature_celsius=70.0, memory_headroom_ratio=0.5)
    command = replace(COMMAND, plan=replace(COMMAND.plan, limits=narrow))
    assert within_policy(command, policy, 8 << 30) == command
