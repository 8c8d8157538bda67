"""Decoding that slows down as the context grows, and how much of that the KV cache's bytes explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, twins
from edgeprof_collector.analysis.kv_cache import kv_bytes_per_token
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import CONTEXT_DECAY_RATIO, KV_EXPLAINS_RATIO
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity

_FLASH_ATTENTION = "flash_attention"
_KEPT_RATIOS = (0.9, 0.5)


@dataclass(frozen=True, slots=True)
class _Point:
    """A decode step: mean tokens of context, its rate, and the bandwidth that it achieved."""

    title: str
    depth_tokens: float
    rate: Figure
    bytes_per_second: float | None


def context_decay(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant whose deepest decode step is slower than its shallowest, beyond noise.

    It is a warning where reading the KV cache, at the bandwidth that the shallowest step achieved, explains less than
    half of the time that was added: the rest is the attention kernel's.
    """
    findings = []
    for variant in range(len(evidence.record.started.plan.variants)):
        curve = _curve(evidence, variant)
        if _falls(curve):
            findings.append(_finding(evidence, variant, curve))
    return tuple(findings)


def _curve(evidence: Evidence, variant: int) -> list[_Point]:
    points = []
    for step in evidence.steps:
        rate = step.figure(FigureName.DECODE_RATE)
        if step.variant != variant or rate is None or step.kind is not StepKind.DECODE:
            continue
        achieved = step.figure(FigureName.ACHIEVED_BANDWIDTH)
        depth_tokens = step.depth_tokens + step.decode_tokens / 2
        points.append(_Point(evidence.title(step), depth_tokens, rate, achieved.median if achieved else None))
    return sorted(points, key=lambda point: point.depth_tokens)


def _fall_ratio(curve: Sequence[_Point]) -> float:
    return 1 - curve[-1].rate.median / curve[0].rate.median


def _falls(curve: Sequence[_Point]) -> bool:
    if len(curve) < 2 or curve[0].depth_tokens == curve[-1].depth_tokens:
        return False
    return _fall_ratio(curve) >= CONTEXT_DECAY_RATIO and curve[-1].rate.third_quartile < curve[0].rate.first_quartile


def _finding(evidence: Evidence, variant: int, curve: Sequence[_Point]) -> Finding:
    explained = _explained_ratio(evidence, variant, curve)
    by_kernel = explained is not None and explained < KV_EXPLAINS_RATIO
    rates = ", ".join(f"{text_of(point.rate.median, '')} at {point.depth_tokens:,.0f}" for point in curve)
    told = [f"tokens/s by tokens of context: {rates}, {_fall_ratio(curve):.0%} less", _cause(explained, curve)]
    told += [_kept(curve), *_with_other_attention(evidence, variant)]
    return Finding(
        name=FindingName.CONTEXT_DECAY,
        severity=Severity.WARNING if by_kernel else Severity.NOTE,
        title=f"{curve[-1].title}: decoding slows down as the context grows",
        evidence="; ".join(told),
        advice=(
            "compare flash_attention on and off and other versions of the engine, or keep the context shorter"
            if by_kernel
            else "a smaller type of KV cache (cache_type_k, cache_type_v), or a shorter context"
        ),
    )


def _explained_ratio(evidence: Evidence, variant: int, curve: Sequence[_Point]) -> float | None:
    """KV bytes that were added / achieved bandwidth of the shallowest step / time that was added, at most 1."""
    kv_bytes = kv_bytes_per_token(evidence.record, variant)
    shallow, deep = curve[0], curve[-1]
    if kv_bytes is None or not shallow.bytes_per_second:
        return None
    kv_seconds = kv_bytes * (deep.depth_tokens - shallow.depth_tokens) / shallow.bytes_per_second
    return min(kv_seconds / (1 / deep.rate.median - 1 / shallow.rate.median), 1.0)


def _cause(explained: float | None, curve: Sequence[_Point]) -> str:
    bandwidth = curve[0].bytes_per_second
    if explained is None or bandwidth is None:
        return "how much of it the KV cache explains is not known"
    return (
        f"reading the KV cache at {text_of(bandwidth, 'bytes/s')}, as at the smallest depth, explains "
        f"{explained:.0%} of the added time, {1 - explained:.0%} is left for the attention kernel"
    )


def _kept(curve: Sequence[_Point]) -> str:
    """Where a straight line through the time per token over the depth passes a share of the smallest depth's rate."""
    depths = np.array([point.depth_tokens for point in curve])
    seconds = np.array([1 / point.rate.median for point in curve])
    slope, start = np.polyfit(depths, seconds, 1)
    kept = [(ratio, max((seconds[0] / ratio - start) / slope, 0.0)) for ratio in _KEPT_RATIOS]
    return " and ".join(f"{ratio:.0%} of the rate is kept up to about {_rounded(depth)}" for ratio, depth in kept)


def _rounded(depth_tokens: float) -> str:
    return f"{float(f'{depth_tokens:.2g}'):,.0f} tokens"


def _with_other_attention(evidence: Evidence, variant: int) -> list[str]:
    told = []
    for other in twins(evidence.record, variant, _FLASH_ATTENTION):
        curve = _curve(evidence, other)
        if len(curve) > 1:
            setting = asked_options(evidence.record, other).get(_FLASH_ATTENTION, "")
            told.append(f"with {_FLASH_ATTENTION} = {setting} it is {_fall_ratio(curve):.0%} less")
    return told
