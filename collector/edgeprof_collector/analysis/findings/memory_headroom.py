"""Too little memory left for longer contexts and for everything else on the device."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.largest_context import largest_context
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import bytes_text
from edgeprof_collector.analysis.thresholds import MEMORY_HEADROOM_RATIO
from edgeprof_collector.analysis.verdict import Finding, Severity


def memory_headroom(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised when the peak left less than a fifth of the memory, on the host or on a GPU."""
    memory = evidence.memory
    if memory.headroom_ratio is None or memory.headroom_ratio >= MEMORY_HEADROOM_RATIO:
        return ()
    parts = [f"{memory.headroom_ratio:.0%} of memory was left at the peak"]
    if memory.peak_resident_bytes is not None:
        parts.append(f"the process held {bytes_text(memory.peak_resident_bytes)} of {bytes_text(memory.total_bytes)}")
    parts += [
        f"{device.gpu} held {bytes_text(device.peak_used_bytes)} of {bytes_text(device.total_bytes)}"
        for device in memory.devices
        if device.total_bytes
    ]
    largest = largest_context(evidence.record, memory)
    if largest is not None and largest > 0:
        parts.append(f"with these options a context of {largest:,} tokens would take all of it")
    return (
        Finding(
            name=FindingName.MEMORY_HEADROOM,
            severity=Severity.WARNING,
            title="Little memory is left",
            evidence="; ".join(parts),
            advice=f"keep {MEMORY_HEADROOM_RATIO:.0%} free: {_shorter(evidence)}, a smaller KV type or a smaller model",
        ),
    )


def _shorter(evidence: Evidence) -> str:
    """A shorter context, with its length where there is one that leaves enough."""
    tokens = largest_context(evidence.record, evidence.memory, 1 - MEMORY_HEADROOM_RATIO)
    return f"a context of at most {tokens:,} tokens" if tokens is not None and tokens > 0 else "a shorter context"
