import io
from dataclasses import replace

import pytest
from rich.console import Console

from edgeprof.run import PeakBandwidth, PeakMethod, RunState
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.report.text import print_verdict
from tests.collector.analysis.sample_run import (
    DEVICE,
    MODEL,
    QUICK,
    TWO_VARIANTS,
    Scenario,
    sample_run,
    with_repetitions,
)


def printed(scenario: Scenario, *, width: int = 80, terminal: bool = False) -> str:
    record, telemetry = sample_run(scenario)
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    print_verdict(analyse(record, collect_series(telemetry)), console)
    return output.getvalue()


def row(text: str, step: str, figure: str) -> list[str]:
    """The words of a figure's row under a step's title."""
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith(f" {step}  at ") or line.strip() == step)
    return next(line for line in lines[first + 1 :] if line.strip().startswith(figure)).split()


def test_every_step_has_its_figures_with_interval_and_n() -> None:
    text = printed(Scenario())
    prefill = row(text, "prefill 256", "prefill rate")
    assert prefill[2:5] == ["180.0", "tokens/s", "177.3"]
    assert prefill[-1] == "5"
    assert row(text, "decode 48", "decode rate")[2:4] == ["24.00", "tokens/s"]
    assert row(text, "decode 48 @ 512", "MBU")[1:3] == ["54.7", "%"]
    assert row(text, "chat 3x(64+16)", "ttft, turn 3")[3:5] == ["356", "ms"]
    assert row(text, "decode 48", "decode energy")[2:4] == ["0.990", "J/token"]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("plan", [QUICK, TWO_VARIANTS])
def test_it_fits_the_terminal(width: int, plan: object) -> None:
    assert plan in (QUICK, TWO_VARIANTS)
    text = printed(Scenario(plan=TWO_VARIANTS if plan is TWO_VARIANTS else QUICK, decode_rate=50.0), width=width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text


def test_plain_text_has_no_escape_sequences_and_a_terminal_has_colour() -> None:
    assert "\x1b" not in printed(Scenario())
    assert "\x1b[" in printed(Scenario(), terminal=True)


def test_a_synthetic_model_is_named_so_and_a_real_one_not() -> None:
    assert printed(Scenario()).count("synthetic") >= 3
    assert "synthetic" not in printed(Scenario(model=replace(MODEL, synthetic=False, name="llama.gguf"))).lower()


def test_a_failed_run_begins_with_its_cause() -> None:
    text = printed(
        Scenario(state=RunState.FAILED, cause="the engine was killed by SIGKILL (signal 9)", requests_kept=8)
    )
    assert text.split("\n", 2)[1].strip() == "FAILED  the engine was killed by SIGKILL (signal 9)"


def test_too_few_repetitions_have_no_interval_and_say_so() -> None:
    text = printed(Scenario(plan=with_repetitions(QUICK, 3)))
    assert "n < 5" in text
    assert "Too few repetitions for an interval" in text


def test_flags_are_marked_and_explained() -> None:
    text = printed(Scenario(background_cpu_ratio=0.15, hertz=20))
    assert row(text, "decode 48", "decode rate")[-1] == "5*"
    assert "contended: 20 of 20 repetitions, in every step; such as prefill 256" in " ".join(text.split())


def test_findings_have_evidence_and_advice() -> None:
    text = " ".join(printed(Scenario(prefix_reused=False)).split())
    assert "! chat 3x(64+16): the conversation is processed again on every turn turn 3 took 1.24 s" in text
    assert "→ keep the session" in text


def test_peaks_stand_below_the_measured_ceiling_with_what_they_come_from() -> None:
    record, telemetry = sample_run(Scenario())
    how = {
        PeakMethod.COMPUTED: (51.2e9, "3200 MT/s x 128 bits"),
        PeakMethod.SPECIFIED: (102.4e9, "\x1b[31mOrin NX GPU"),
    }
    peaks = tuple(
        PeakBandwidth(run_id="r", processor="cpu", method=method, bytes_per_second=rate, source=source)
        for method, (rate, source) in how.items()
    )
    output = io.StringIO()
    print_verdict(analyse(replace(record, peaks=peaks), collect_series(telemetry)), Console(file=output, width=120))
    lines = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    first = next(index for index, line in enumerate(lines) if line.startswith("Ceiling"))
    assert lines[first].startswith("Ceiling cpu, measured: 28.0 GB/s read by memchr")
    assert lines[first + 1] == "cpu, computed: 51.2 GB/s (3200 MT/s x 128 bits)"
    assert lines[first + 2].startswith("cpu, specified: 102 GB/s (")
    assert "\x1b" not in output.getvalue()


def test_absent_energy_is_one_quiet_line() -> None:
    text = printed(Scenario(energy=False))
    assert text.count("energy") == 1
    assert "neither an energy counter nor a power gauge could be read" in text


def test_what_could_not_be_had_says_why() -> None:
    device = replace(DEVICE, last_level_cache_bytes=2**30)
    text = " ".join(printed(Scenario(device=device)).split())
    assert (
        "MBU: not defined: a token's weights (668 MiB) fit the last-level cache (1.00 GiB) [decode 48, decode 48 @ 512]"
        in text
    )


def test_a_device_cannot_steer_the_terminal_or_use_markup() -> None:
    hostile = "\x1b]0;owned\x07\x1b[31m[bold red]evil[/]\r\nfake line"
    model = replace(MODEL, name=hostile, architecture=hostile)
    text = printed(
        Scenario(model=model, device=replace(DEVICE, hostname=hostile), cause=hostile, state=RunState.FAILED), width=300
    )
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "?[31m[bold red]evil[/]??fake line" in text
