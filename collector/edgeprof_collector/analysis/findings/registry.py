"""All rules, in the order in which their findings are shown."""

from edgeprof_collector.analysis.findings.context_decay import context_decay
from edgeprof_collector.analysis.findings.impossible_rate import impossible_rate
from edgeprof_collector.analysis.findings.logits_all import logits_all
from edgeprof_collector.analysis.findings.memory_headroom import memory_headroom
from edgeprof_collector.analysis.findings.prefix_rebuilt import prefix_rebuilt
from edgeprof_collector.analysis.findings.rule import Rule
from edgeprof_collector.analysis.findings.thread_count import thread_count
from edgeprof_collector.analysis.findings.unfinished_work import unfinished_work

RULES: tuple[Rule, ...] = (
    impossible_rate,
    unfinished_work,
    prefix_rebuilt,
    context_decay,
    logits_all,
    thread_count,
    memory_headroom,
)
