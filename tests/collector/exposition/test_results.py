"""Results of runs: which are shown, under which labels, and what replaces them."""

from dataclasses import replace

from edgeprof.result_catalogue import RESULT_METRICS
from edgeprof.run import RunState
from edgeprof_collector.analysis.verdict import FigureName, Severity, VariantVerdict
from edgeprof_collector.exposition.results import Results
from tests.collector.exposition.verdicts import one_figure, step, summary, verdict

_WORK = (
    'device="pi",engine="llama-cpp-python",engine_version="0.3",model="synth:m@q4_0",quantisation="q4_0",plan="quick"'
)


def _lines(results: Results) -> dict[str, float]:
    return {
        series.strip(): value
        for family in results.families()
        for series, value in family.values.items()
        if family.name not in ("edgeprof_run_info", "edgeprof_run_finding")
    }


def _run_info(results: Results) -> list[str]:
    return _series(results, "edgeprof_run_info")


def _series(results: Results, name: str) -> list[str]:
    return [series for family in results.families() if family.name == name for series in family.values]


def test_every_figure_of_the_analysis_is_in_the_catalogue() -> None:
    assert {f"edgeprof_result_{name.value}" for name in FigureName} <= RESULT_METRICS.keys()


def test_a_run_shows_its_medians_under_the_labels_of_its_work() -> None:
    results = Results()

    results.publish(
        summary(),
        verdict(
            step("decode 8", one_figure(FigureName.DECODE_RATE, 31.5), one_figure(FigureName.ITL, 0.03)),
            loads=[one_figure(FigureName.LOAD_TIME, 1.25)],
            peak_resident_bytes=10**9,
            headroom_ratio=0.5,
        ),
    )

    assert _lines(results) == {
        f'edgeprof_result_decode_tokens_per_second{{{_WORK},step="decode 8",variant="default"}}': 31.5,
        f'edgeprof_result_itl_seconds{{{_WORK},step="decode 8",variant="default"}}': 0.03,
        f'edgeprof_result_load_seconds{{{_WORK},step="",variant="default"}}': 1.25,
        f'edgeprof_result_peak_resident_bytes{{{_WORK},step="",variant=""}}': 1e9,
        f'edgeprof_result_headroom_ratio{{{_WORK},step="",variant=""}}': 0.5,
    }


def test_each_of_several_variants_has_its_own_peak() -> None:
    results = Results()
    both = tuple(
        VariantVerdict(variant=index, name=name, loads=(), peak_resident_bytes=peak)
        for index, (name, peak) in enumerate([("f16", 2 * 10**9), ("q8", None)])
    )
    results.publish(summary(), replace(verdict(peak_resident_bytes=10**9), variants=both))

    assert _lines(results) == {
        f'edgeprof_result_peak_resident_bytes{{{_WORK},step="",variant=""}}': 1e9,
        f'edgeprof_result_peak_resident_bytes{{{_WORK},step="",variant="f16"}}': 2e9,
    }


def test_turns_of_a_chat_are_told_apart_and_only_the_first_scope_is_shown() -> None:
    results = Results()

    results.publish(
        summary(),
        verdict(
            step(
                "chat 2x(8+4)",
                one_figure(FigureName.TTFT, 0.1, turn=0),
                one_figure(FigureName.TTFT, 0.2, turn=1),
                one_figure(FigureName.DECODE_ENERGY, 3.0, scope="package"),
                one_figure(FigureName.DECODE_ENERGY, 1.0, scope="dram"),
            )
        ),
    )

    assert _lines(results) == {
        f'edgeprof_result_ttft_seconds{{{_WORK},step="chat 2x(8+4), turn 1",variant="default"}}': 0.1,
        f'edgeprof_result_ttft_seconds{{{_WORK},step="chat 2x(8+4), turn 2",variant="default"}}': 0.2,
        f'edgeprof_result_decode_energy_joules_per_token{{{_WORK},step="chat 2x(8+4)",variant="default"}}': 3.0,
    }


def test_a_newer_run_replaces_an_older_one_whole() -> None:
    results = Results()
    results.publish(
        summary("old", started_wall_ns=1),
        verdict(
            step("decode 8", one_figure(FigureName.DECODE_RATE, 30.0)),
            step("prefill 8", one_figure(FigureName.PREFILL_RATE, 300.0)),
        ),
    )

    results.publish(
        summary("new", started_wall_ns=2), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 31.0)))
    )

    assert list(_lines(results).values()) == [31.0]


def test_an_older_run_that_comes_later_replaces_nothing() -> None:
    results = Results()
    results.publish(
        summary("new", started_wall_ns=2), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 31.0)))
    )

    assert not results.wants(summary("old", started_wall_ns=1))
    results.publish(
        summary("old", started_wall_ns=1), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 30.0)))
    )

    assert list(_lines(results).values()) == [31.0]


def test_runs_of_other_work_stand_beside_each_other() -> None:
    results = Results()

    for model in ("/models/a.gguf", "/models/b.gguf"):
        results.publish(summary(model=model), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 31.0))))

    assert [line.split('model="')[1].split('"')[0] for line in _lines(results)] == ["a.gguf", "b.gguf"]


def test_figures_that_must_not_be_believed_are_not_shown() -> None:
    results = Results()
    results.publish(summary("old"), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 30.0))))

    results.publish(
        summary("new", started_wall_ns=2),
        verdict(
            step("decode 8", one_figure(FigureName.DECODE_RATE, 15_000.0)),
            severities=[Severity.NOTE, Severity.INVALID],
        ),
    )

    assert _lines(results) == {}


def test_findings_are_shown_until_a_newer_run_of_the_same_work_has_none() -> None:
    results = Results()

    results.publish(summary("old"), verdict(severities=[Severity.INVALID]))
    assert _series(results, "edgeprof_run_finding") == [
        f'edgeprof_run_finding{{{_WORK},finding="impossible-rate",severity="invalid"}} '
    ]

    results.publish(summary("new", started_wall_ns=2), verdict())
    assert _series(results, "edgeprof_run_finding") == []


def test_figures_of_a_run_that_failed_are_not_shown() -> None:
    results = Results()

    results.publish(summary(state=RunState.FAILED), verdict(step("decode 8", one_figure(FigureName.DECODE_RATE, 30.0))))

    assert _lines(results) == {}


def test_run_info_is_of_each_devices_latest_run() -> None:
    results = Results()

    results.announce(summary("second", started_wall_ns=2, state=RunState.RUNNING))
    results.announce(summary("first", started_wall_ns=1))
    results.announce(summary("other", device_id="orin"))
    results.announce(summary("second", started_wall_ns=2, state=RunState.FAILED))

    assert _run_info(results) == [
        f'edgeprof_run_info{{{_WORK.replace("pi", "orin", 1)},run="other",state="succeeded"}} ',
        f'edgeprof_run_info{{{_WORK},run="second",state="failed"}} ',
    ]
