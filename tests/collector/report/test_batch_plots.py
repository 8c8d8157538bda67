"""Plots of batches: the rate of sequences together, and the time of a call over its rows."""

from dataclasses import replace

from edgeprof.plan import Step, StepKind
from edgeprof.run import Request, RunRecord, StepRef
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.report.batch_plots import batch_plots
from edgeprof_collector.report.html import render
from tests.collector.analysis.sample_run import sample_record

MS = 1_000_000
SIZES = (1, 4, 16)
PARALLEL = tuple(
    Step(kind=StepKind.PARALLEL, name=f"parallel {size}", sequences=size, decode_tokens=8) for size in SIZES
)
ROWS = tuple(Step(kind=StepKind.ROWS, name=f"rows {size}", rows=size, decode_tokens=8 * size) for size in SIZES)


def record_of(*steps: Step) -> RunRecord:
    """Every call takes 10 ms and half a millisecond for each of its tokens."""
    record = sample_record()
    plan = replace(record.started.plan, steps=steps)
    requests: list[Request] = []
    now_ns = record.started.monotonic_ns
    for repetition in range(plan.repetitions):
        for index, step in enumerate(steps):
            tokens = max(step.sequences, step.rows)
            gaps_ns = (10 * MS + tokens * MS // 2,) * 8
            requests += [
                Request(
                    run_id=record.started.run_id,
                    step=StepRef(step=index, variant=0, repetition=repetition),
                    index=sequence,
                    start_monotonic_ns=now_ns,
                    token_gaps_ns=gaps_ns,
                    token_counts=(step.rows,) * 8 if step.rows else (),
                    end_monotonic_ns=now_ns + sum(gaps_ns),
                )
                for sequence in range(step.request_count)
            ]
            now_ns += sum(gaps_ns)
    return replace(record, started=replace(record.started, plan=plan), requests=tuple(requests), phases=())


def test_each_size_is_a_point_of_its_plot() -> None:
    together, calls = batch_plots(analyse(record_of(*PARALLEL, *ROWS), ()))

    assert together.title == "Aggregate decode rate over sequences"
    assert together.summary == "1: 95.2 tokens/s; 4: 333 tokens/s; 16: 889 tokens/s"
    assert calls.title == "Time per call over its rows"
    assert calls.summary == "1: 10.5 ms; 4: 12.0 ms; 16: 18.0 ms"


def test_one_size_is_no_curve() -> None:
    assert list(batch_plots(analyse(record_of(PARALLEL[0], ROWS[0]), ()))) == []
    assert list(batch_plots(analyse(sample_record(), ()))) == []


def test_the_page_shows_batches() -> None:
    record = record_of(*PARALLEL, *ROWS)

    page = render(record, (), analyse(record, ()))

    assert "Aggregate decode rate over sequences" in page
    assert "Time per call over its rows" in page
    assert "time per row" in page
