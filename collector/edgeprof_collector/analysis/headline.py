"""The run in one sentence."""

from collections.abc import Sequence

from edgeprof.plan import StepKind
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.verdict import FigureName, MemoryVerdict, StepVerdict


def headline(record: RunRecord, steps: Sequence[StepVerdict], memory: MemoryVerdict) -> str:
    """Reading and writing speed of the first variant at the smallest depth, and the peak of memory."""
    parts = []
    prefill = _first(steps, StepKind.PREFILL, FigureName.PREFILL_RATE)
    decode = _first(steps, StepKind.DECODE, FigureName.DECODE_RATE)
    if prefill is not None:
        parts.append(f"reads {text_of(prefill, 'tokens/s')}")
    if decode is not None:
        parts.append(f"writes {text_of(decode, 'tokens/s')}")
    if memory.peak_resident_bytes is not None:
        parts.append(f"{bytes_text(memory.peak_resident_bytes)} of memory at its peak")
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
