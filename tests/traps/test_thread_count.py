"""More threads than cores, on any machine: they wait for each other at every layer."""

import dataclasses

import psutil

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import TINY, Lab, decode, plan_of

TOO_MANY = str(4 * (psutil.cpu_count() or 1))


def test_a_sweep_finds_the_best_number_and_what_the_current_one_costs(lab: Lab) -> None:
    plan = plan_of(decode(24), repetitions=6, variants={"current": {"threads": TOO_MANY}, "one": {}})
    finding = lab.run(plan, model=TINY).the_one(FindingName.THREAD_COUNT)
    assert finding.severity is Severity.WARNING
    assert finding.title == "decode 24 @ 0: its rate depends on the number of threads"
    assert f"the best is 1; {TOO_MANY} threads cost " in finding.evidence
    assert finding.advice == "set threads to 1"


def test_too_many_threads_are_found_without_a_sweep(lab: Lab) -> None:
    lab = dataclasses.replace(lab, facts=dataclasses.replace(lab.facts, physical_cores=psutil.cpu_count()))
    [finding] = lab.run(plan_of(decode(4), variants={"many": {"threads": TOO_MANY}})).found(FindingName.THREAD_COUNT)
    assert finding.title == "many: more threads than cores"
    assert finding.evidence.startswith(f"threads = {TOO_MANY} on {psutil.cpu_count()} cores")


def test_as_many_threads_as_cores_are_no_finding(lab: Lab) -> None:
    assert lab.run(plan_of(decode(8))).found(FindingName.THREAD_COUNT) == ()
