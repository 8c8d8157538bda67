"""What a device sent is taken as it is, except where it contradicts itself or the plan: that is left out, and counted.

So everything else may rely on times that have an order, indices that exist and numbers that are numbers.
"""

import math
from dataclasses import replace

from edgeprof.plan import Plan, StepKind
from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    NextTokens,
    Phase,
    Request,
    RunRecord,
    StepRef,
    TaskAnswers,
    TextScore,
)

# 146 years after boot.
_LATEST_NS = 2**62


def sound_part(record: RunRecord) -> tuple[RunRecord, int]:
    """The record without its unsound events, and how many they were."""
    plan, start_ns = record.started.plan, record.started.monotonic_ns
    sound = replace(
        record,
        ceilings=tuple(each for each in record.ceilings if _is_sound_ceiling(each)),
        phases=tuple(each for each in record.phases if _is_sound_phase(each, plan)),
        loaded=tuple(each for each in record.loaded if _is_sound_load(each, plan)),
        requests=tuple(each for each in record.requests if is_sound_request(each, plan)),
        next_tokens=tuple(each for each in record.next_tokens if _is_sound_fidelity(each, plan)),
        text_scores=tuple(each for each in record.text_scores if _is_sound_score(each, plan)),
        variant_memory=tuple(each for each in record.variant_memory if each.variant < len(plan.variants)),
        task_answers=tuple(each for each in record.task_answers if _is_sound_answer(each, plan)),
    )
    unsound = sum(
        len(before) - len(after)
        for before, after in (
            (record.ceilings, sound.ceilings),
            (record.phases, sound.phases),
            (record.loaded, sound.loaded),
            (record.requests, sound.requests),
            (record.next_tokens, sound.next_tokens),
            (record.text_scores, sound.text_scores),
            (record.variant_memory, sound.variant_memory),
            (record.task_answers, sound.task_answers),
        )
    )
    if start_ns >= _LATEST_NS:
        sound = replace(sound, started=replace(record.started, monotonic_ns=_first_moment_ns(sound)))
        unsound += 1
    end_ns = record.finished.monotonic_ns if record.finished else None
    if record.finished and end_ns is not None and not sound.started.monotonic_ns <= end_ns < _LATEST_NS:
        last_ns = max((each.end_monotonic_ns for each in sound.requests), default=sound.started.monotonic_ns)
        sound = replace(sound, finished=replace(record.finished, monotonic_ns=last_ns))
        unsound += 1
    return sound, unsound


def is_sound_request(request: Request, plan: Plan) -> bool:
    """Whether a request belongs to the plan, or to none of its steps, and its times and counts agree."""
    known = request.step is None or _is_known(request.step, plan)
    counted = not request.token_counts or len(request.token_counts) == len(request.token_gaps_ns)
    last_token_ns = request.start_monotonic_ns + sum(request.token_gaps_ns)
    ends = max(last_token_ns, request.prefill_end_monotonic_ns) <= request.end_monotonic_ns < _LATEST_NS
    return known and counted and ends


def _is_sound_phase(phase: Phase, plan: Plan) -> bool:
    known = phase.step is None or _is_known(phase.step, plan)
    return known and phase.start_monotonic_ns <= phase.end_monotonic_ns < _LATEST_NS


def _is_sound_load(loaded: ModelLoaded, plan: Plan) -> bool:
    known = loaded.variant < len(plan.variants)
    cached = loaded.page_cache_ratio is None or 0 <= loaded.page_cache_ratio <= 1
    return known and cached and 0 <= loaded.load_seconds < _LATEST_NS / 1e9


def _is_sound_ceiling(ceiling: CeilingMeasured) -> bool:
    rates = (ceiling.read_bytes_per_second, ceiling.copy_bytes_per_second)
    return all(1 <= rate < 1e18 for rate in rates)


def _is_sound_fidelity(kept: NextTokens, plan: Plan) -> bool:
    """Whether it is of a fidelity step, of which it has all next tokens, and its probabilities are some."""
    if not _is_known(kept.step, plan):
        return False
    step = plan.steps[kept.step.step]
    count = (step.prompt_tokens + step.decode_tokens) * kept.top_count
    counted = len(kept.token_ids) == len(kept.log_probabilities) == count > 0
    ordered = all(-math.inf < each <= 0 for each in kept.log_probabilities)
    return step.kind is StepKind.FIDELITY and kept.top_count == step.top_count and counted and ordered


def _is_sound_score(score: TextScore, plan: Plan) -> bool:
    """Whether it is of a perplexity step, of no more windows than that has, and its perplexities are some."""
    if not _is_known(score.step, plan):
        return False
    step = plan.steps[score.step.step]
    counted = 0 < len(score.window_nats) <= step.windows
    return step.kind is StepKind.PERPLEXITY and counted and all(0 <= each < math.inf for each in score.window_nats)


def _is_sound_answer(answered: TaskAnswers, plan: Plan) -> bool:
    """Whether it is of a tasks step, and answers each of its tasks."""
    if not _is_known(answered.step, plan):
        return False
    step = plan.steps[answered.step.step]
    return step.kind is StepKind.TASKS and len(answered.answers) == step.tasks > 0


def _is_known(reference: StepRef, plan: Plan) -> bool:
    return reference.step < len(plan.steps) and reference.variant < len(plan.variants)


def _first_moment_ns(record: RunRecord) -> int:
    starts = [each.start_monotonic_ns for each in record.phases] + [each.start_monotonic_ns for each in record.requests]
    return min(starts, default=0)
