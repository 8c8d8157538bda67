import math
from dataclasses import replace

import pytest

from edgeprof.run import Phase, PhaseKind, Request, StepRef
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.soundness import sound_part

from .sample_run import RUN_ID, sample_record

UNKNOWN_STEP = StepRef(step=99, variant=0, repetition=0)
UNKNOWN_VARIANT = StepRef(step=0, variant=1, repetition=0)


def test_a_record_of_a_device_that_means_well_is_left_as_it_is() -> None:
    record = sample_record()
    assert sound_part(record) == (record, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"step": UNKNOWN_STEP},
        {"step": UNKNOWN_VARIANT},
        {"token_counts": (1, 2, 3)},
        {"end_monotonic_ns": 0},
        {"end_monotonic_ns": 2**64 - 1},
        {"prefill_end_monotonic_ns": 2**63},
        {"token_gaps_ns": (2**63, 2**63)},
    ],
)
def test_a_request_that_contradicts_itself_or_the_plan_is_left_out(changes: dict[str, object]) -> None:
    record = sample_record()
    unsound: Request = replace(record.requests[0], **changes)  # type: ignore[arg-type]  # one field at a time
    assert sound_part(replace(record, requests=(*record.requests, unsound))) == (record, 1)


def test_phases_loads_and_ceilings_that_cannot_be_are_left_out() -> None:
    record = sample_record()
    backwards = Phase(run_id=RUN_ID, kind=PhaseKind.REST, start_monotonic_ns=10, end_monotonic_ns=9)
    damaged = replace(
        record,
        phases=(*record.phases, backwards, replace(record.phases[-1], step=UNKNOWN_STEP)),
        loaded=(
            *record.loaded,
            replace(record.loaded[0], variant=1),
            replace(record.loaded[0], load_seconds=math.nan),
            replace(record.loaded[0], page_cache_ratio=-1.0),
        ),
        ceilings=(
            *record.ceilings,
            replace(record.ceilings[0], read_bytes_per_second=math.inf),
            replace(record.ceilings[0], copy_bytes_per_second=0.0),
        ),
    )
    assert sound_part(damaged) == (record, 7)


def test_a_run_that_ends_before_it_begins_ends_with_its_last_request() -> None:
    record = sample_record()
    assert record.finished is not None
    sound, unsound_count = sound_part(replace(record, finished=replace(record.finished, monotonic_ns=1)))
    assert unsound_count == 1
    assert sound.finished is not None
    assert sound.finished.monotonic_ns == record.requests[-1].end_monotonic_ns


def test_a_run_that_begins_at_the_end_of_time_begins_with_its_first_phase() -> None:
    record = sample_record()
    sound, unsound_count = sound_part(replace(record, started=replace(record.started, monotonic_ns=2**64 - 1)))
    assert unsound_count == 1
    assert sound.started.monotonic_ns == record.phases[0].start_monotonic_ns


def test_a_verdict_counts_what_was_left_out() -> None:
    record = sample_record()
    unsound = replace(record.requests[0], end_monotonic_ns=0)
    verdict = analyse(replace(record, requests=(*record.requests, unsound)), ())
    assert "1 of the run's events contradict themselves or the plan, and are left out." in verdict.notes
