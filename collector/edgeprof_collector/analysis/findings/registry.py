"""All rules, in the order in which their findings are shown."""

from edgeprof_collector.analysis.findings.busy_machine import busy_machine
from edgeprof_collector.analysis.findings.changed_output import changed_output
from edgeprof_collector.analysis.findings.context_decay import context_decay
from edgeprof_collector.analysis.findings.drift import drift
from edgeprof_collector.analysis.findings.first_call import first_call
from edgeprof_collector.analysis.findings.impossible_rate import impossible_rate
from edgeprof_collector.analysis.findings.logits_all import logits_all
from edgeprof_collector.analysis.findings.lost_answers import lost_answers
from edgeprof_collector.analysis.findings.memory_headroom import memory_headroom
from edgeprof_collector.analysis.findings.paging import paging
from edgeprof_collector.analysis.findings.partly_offloaded import partly_offloaded
from edgeprof_collector.analysis.findings.power_mode import power_mode
from edgeprof_collector.analysis.findings.prefix_rebuilt import prefix_rebuilt
from edgeprof_collector.analysis.findings.rule import Rule
from edgeprof_collector.analysis.findings.slower_variant import slower_variant
from edgeprof_collector.analysis.findings.thread_count import thread_count
from edgeprof_collector.analysis.findings.throttled import throttled
from edgeprof_collector.analysis.findings.unfinished_work import unfinished_work

RULES: tuple[Rule, ...] = (
    impossible_rate,
    unfinished_work,
    changed_output,
    lost_answers,
    throttled,
    busy_machine,
    paging,
    power_mode,
    partly_offloaded,
    prefix_rebuilt,
    context_decay,
    slower_variant,
    logits_all,
    thread_count,
    memory_headroom,
    first_call,
    drift,
)
