"""All rules, in the order in which their findings are shown."""

from edgeprof_collector.analysis.findings.impossible_rate import impossible_rate
from edgeprof_collector.analysis.findings.memory_headroom import memory_headroom
from edgeprof_collector.analysis.findings.prefix_rebuilt import prefix_rebuilt
from edgeprof_collector.analysis.findings.rule import Rule

RULES: tuple[Rule, ...] = (impossible_rate, prefix_rebuilt, memory_headroom)
