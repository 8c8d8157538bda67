"""The run in one sentence."""

from collections.abc import Sequence

from edgeprof.plan import StepKind
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.verdict import FigureName, MemoryVerdict, StepVerdict


def headline(record: RunRecord, steps: Sequence[StepVerdict], memory: MemoryVerdict) -> str:
    """Reading and writing speed of the first variant at the smallest depth, and the peak of memory."""
    parts = []
    prefill = _first(steps, StepKind.PREFILL, FigureName.PREFILL_RATE)
    decode = _first(steps, StepKind.DECODE, FigureName.DECODE_RATE)
    if prefill is not None:
        parts.append(f"reads {_rounded(prefill)} tokens/s")
    if decode is not None:
        parts.append(f"writes {_rounded(decode)} tokens/s")
    if memory.peak_resident_bytes is not None:
        parts.append(f"{memory.peak_resident_bytes / 2**30:.2f} GiB of memory at its peak")
    if not parts:
        return "Nothing was measured."
    subject = record.started.model.name + (" (synthetic)" if record.started.model.synthetic else "")
    return f"{subject} " + ", ".join(parts)


def _first(steps: Sequence[StepVerdict], kind: StepKind, name: FigureName) -> float | None:
    chosen = [step for step in steps if step.kind is kind and step.variant == steps[0].variant]
    for step in sorted(chosen, key=lambda each: each.depth_tokens):
        if figure := step.figure(name):
            return figure.median
    return None


def _rounded(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
