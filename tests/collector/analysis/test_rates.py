from collections.abc import Sequence
from dataclasses import replace

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof.run import ModelLoaded, Request, RunRecord, RunState, StepRef
from edgeprof_collector.analysis.rates import load_figures, rate_figures, token_gaps
from edgeprof_collector.analysis.repetitions import group_repetitions, token_gaps_seconds
from edgeprof_collector.analysis.steps import step_verdicts
from edgeprof_collector.analysis.verdict import FigureName, StepVerdict

from .sample_run import QUICK, Scenario, sample_record

PREFILL, DECODE, DEEP_DECODE, CHAT = range(4)
MS = 1_000_000


def verdicts(record: RunRecord) -> tuple[StepVerdict, ...]:
    return step_verdicts(record, (), ())


def median(step: StepVerdict, name: FigureName, turn: int | None = None) -> float:
    figure = step.figure(name, turn)
    assert figure is not None
    return figure.median


def test_rates_are_those_that_the_run_was_made_of() -> None:
    scenario = Scenario()
    steps = verdicts(sample_record(scenario))
    assert median(steps[PREFILL], FigureName.PREFILL_RATE) == pytest.approx(180, rel=1e-6)
    assert median(steps[DECODE], FigureName.DECODE_RATE) == pytest.approx(24, rel=1e-6)
    assert median(steps[DEEP_DECODE], FigureName.DECODE_RATE) == pytest.approx(scenario.decode_rate_at(512), rel=1e-6)
    assert median(steps[DECODE], FigureName.ITL) == pytest.approx(1 / 24, rel=1e-6)


def test_every_repetition_is_a_sample_under_its_own_number() -> None:
    figure = verdicts(sample_record())[DECODE].figure(FigureName.DECODE_RATE)
    assert figure is not None
    assert [sample.repetition for sample in figure.samples] == [0, 1, 2, 3, 4]
    assert [sample.value / 24 for sample in figure.samples] == pytest.approx([1.0, 0.99, 1.01, 0.985, 1.015], rel=1e-6)
    assert figure.n == 5
    assert figure.interval is not None


def test_a_chat_has_latencies_per_turn_and_a_decode_rate_over_all() -> None:
    chat = verdicts(sample_record())[CHAT]
    for turn in range(3):
        assert median(chat, FigureName.PREFILL_RATE, turn) == pytest.approx(180, rel=1e-6)
        assert median(chat, FigureName.TTFT, turn) == pytest.approx(64 / 180, rel=1e-6)
        assert median(chat, FigureName.E2E_LATENCY, turn) == pytest.approx(64 / 180 + 15 / 24, rel=1e-6)
    assert median(chat, FigureName.DECODE_RATE) == pytest.approx(24, rel=1e-6)


def test_reused_tokens_are_not_counted_as_processed() -> None:
    chat = verdicts(sample_record(Scenario(prefix_reused=False)))[CHAT]
    assert median(chat, FigureName.PREFILL_RATE, 2) == pytest.approx(180, rel=1e-6)
    assert median(chat, FigureName.TTFT, 2) == pytest.approx((2 * 80 + 64) / 180, rel=1e-6)


def test_steps_have_no_figures_of_another_kind() -> None:
    steps = verdicts(sample_record())
    assert [figure.name for figure in steps[PREFILL].figures] == [FigureName.PREFILL_RATE]
    assert steps[DECODE].figure(FigureName.TTFT) is None
    assert steps[PREFILL].token_gaps is None


def test_the_first_token_is_left_out_of_the_decode_rate() -> None:
    request = decode_request(token_gaps_ns=(900 * MS, 10 * MS, 10 * MS, 10 * MS))
    assert rates_of(request)[FigureName.DECODE_RATE] == pytest.approx(100)
    assert rates_of(request)[FigureName.ITL] == pytest.approx(0.010)


def test_events_of_several_tokens_count_as_their_tokens() -> None:
    request = decode_request(token_gaps_ns=(5 * MS, 20 * MS, 30 * MS), token_counts=(3, 2, 3))
    assert rates_of(request)[FigureName.DECODE_RATE] == pytest.approx(5 / 0.050)
    assert token_gaps_seconds([request]).tolist() == pytest.approx([0.010] * 5)


def test_tokens_told_together_have_a_rate_but_no_gaps() -> None:
    request = decode_request(token_gaps_ns=(0, 80 * MS), token_counts=(0, 4))
    assert rates_of(request)[FigureName.DECODE_RATE] == pytest.approx(50)
    assert token_gaps_seconds([request]).tolist() == []


@pytest.mark.parametrize("gaps", [(), (5 * MS,)])
def test_fewer_than_two_tokens_have_no_rate(gaps: tuple[int, ...]) -> None:
    request = decode_request(token_gaps_ns=gaps)
    assert rates_of(request) == {}


def decode_request(*, token_gaps_ns: tuple[int, ...], token_counts: tuple[int, ...] = ()) -> Request:
    return Request(
        run_id="r",
        step=StepRef(step=0, variant=0, repetition=0),
        start_monotonic_ns=0,
        token_gaps_ns=token_gaps_ns,
        token_counts=token_counts,
        end_monotonic_ns=sum(token_gaps_ns),
    )


def rates_of(request: Request) -> dict[FigureName, float]:
    plan = replace(QUICK, steps=(Step(kind=StepKind.DECODE, name="decode", decode_tokens=4),))
    record = sample_record()
    record = replace(record, started=replace(record.started, plan=plan), requests=(request,), phases=())
    figures = rate_figures(plan.steps[0], group_repetitions(record)[0, 0])
    return {figure.name: figure.median for figure in figures}


def test_token_gaps_pool_all_repetitions() -> None:
    gaps = token_gaps(group_repetitions(sample_record())[DECODE, 0])
    assert gaps is not None
    assert gaps.gap_count == 5 * 47
    assert [each.ratio for each in gaps.percentiles] == [0.5, 0.9, 0.99]
    assert gaps.percentiles[-1].seconds <= gaps.longest_seconds


def test_a_cut_repetition_gives_its_turns_but_no_rate_over_all() -> None:
    record = sample_record(Scenario(state=RunState.FAILED, cause="the engine was killed", requests_kept=2 * 6 + 3 + 2))
    chat = verdicts(record)[CHAT]
    assert [repetition.complete for repetition in chat.repetitions] == [True, True, False]
    turns = [chat.figure(FigureName.TTFT, turn) for turn in range(3)]
    assert [figure.n if figure else 0 for figure in turns] == [3, 3, 2]
    decode_rate = chat.figure(FigureName.DECODE_RATE)
    assert decode_rate is not None
    assert [sample.repetition for sample in decode_rate.samples] == [0, 1]


def test_a_request_that_was_cut_gives_its_first_token_but_no_latency_to_its_last() -> None:
    record = sample_record(Scenario(requests_kept=6))
    cut = record.requests[-1]
    gaps = cut.token_gaps_ns[:7]
    cut = replace(cut, token_gaps_ns=gaps, end_monotonic_ns=cut.start_monotonic_ns + sum(gaps))
    chat = verdicts(replace(record, requests=(*record.requests[:-1], cut)))[CHAT]
    assert [repetition.complete for repetition in chat.repetitions] == [False]
    assert chat.figure(FigureName.TTFT, 2) is not None
    assert chat.figure(FigureName.E2E_LATENCY, 1) is not None
    assert chat.figure(FigureName.E2E_LATENCY, 2) is None
    assert chat.figure(FigureName.DECODE_RATE) is None
    assert chat.token_gaps is not None
    assert chat.token_gaps.gap_count == 15 + 15 + 6


def test_loads_from_a_cold_and_a_warm_page_cache_are_told_apart() -> None:
    loads = [
        ModelLoaded(run_id="r", variant=0, load_seconds=seconds, page_cache_ratio=ratio)
        for seconds, ratio in ((9.0, 0.0), (1.0, 1.0), (1.2, 0.99), (4.0, 0.5), (2.0, None))
    ]
    assert {figure.scope: (figure.n, figure.median) for figure in load_figures(loads)} == {
        "cold page cache": (1, 9.0),
        "warm page cache": (2, pytest.approx(1.1)),
        "partly cached": (1, 4.0),
        "page cache unknown": (1, 2.0),
    }


def together(gaps_ns: Sequence[Sequence[int]], starts_ns: Sequence[int], repetition: int = 0) -> tuple[Request, ...]:
    """A request for each sequence of a parallel step."""
    return tuple(
        Request(
            run_id="run",
            step=StepRef(step=0, variant=0, repetition=repetition),
            index=index,
            start_monotonic_ns=start_ns,
            token_gaps_ns=tuple(gaps),
            end_monotonic_ns=start_ns + sum(gaps),
        )
        for index, (gaps, start_ns) in enumerate(zip(gaps_ns, starts_ns, strict=True))
    )


def record_of(step: Step, requests: tuple[Request, ...]) -> RunRecord:
    record = sample_record()
    plan = replace(record.started.plan, steps=(step,))
    return replace(record, started=replace(record.started, plan=plan), requests=requests)


def test_sequences_have_a_rate_each_and_one_together() -> None:
    """Four tokens each, 10 ms apart: 3 tokens in 30 ms of each, 9 of all."""
    step = Step(kind=StepKind.PARALLEL, name="parallel", sequences=3, decode_tokens=4)
    [verdict] = verdicts(record_of(step, together([[10 * MS] * 4] * 3, [1000, 1000, 1000])))
    assert median(verdict, FigureName.DECODE_RATE) == pytest.approx(100)
    assert median(verdict, FigureName.AGGREGATE_RATE) == pytest.approx(300)
    assert median(verdict, FigureName.ITL) == pytest.approx(0.010)
    assert verdict.sequences == 3


def test_the_rate_of_all_spans_sequences_that_do_not_keep_step() -> None:
    """The second is 20 ms behind: 6 tokens between 10 ms and 60 ms."""
    step = Step(kind=StepKind.PARALLEL, name="parallel", sequences=2, decode_tokens=4)
    [verdict] = verdicts(record_of(step, together([[10 * MS] * 4] * 2, [1000, 1000 + 20 * MS])))
    assert median(verdict, FigureName.DECODE_RATE) == pytest.approx(100)
    assert median(verdict, FigureName.AGGREGATE_RATE) == pytest.approx(6 / 0.050)


def test_a_parallel_repetition_without_one_of_its_sequences_has_no_rate() -> None:
    step = Step(kind=StepKind.PARALLEL, name="parallel", sequences=3, decode_tokens=4)
    [verdict] = verdicts(record_of(step, together([[10 * MS] * 4] * 2, [1000, 1000])))
    assert verdict.figures == ()
    assert not verdict.repetitions[0].complete


def test_rows_have_the_time_of_a_call_and_their_share_of_it() -> None:
    """Three calls of 8 rows; the first, which took 50 ms, is left out."""
    step = Step(kind=StepKind.ROWS, name="rows", rows=8, decode_tokens=24)
    [request] = together([[50 * MS, 20 * MS, 24 * MS]], [1000])
    [verdict] = verdicts(record_of(step, (replace(request, token_counts=(8, 8, 8)),)))
    assert median(verdict, FigureName.CALL_TIME) == pytest.approx(0.022)
    assert median(verdict, FigureName.ROW_TIME) == pytest.approx(0.022 / 8)
    assert median(verdict, FigureName.DECODE_RATE) == pytest.approx(16 / 0.044)
    assert verdict.figure(FigureName.ITL) is None
    assert verdict.token_gaps is None
