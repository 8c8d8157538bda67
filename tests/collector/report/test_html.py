import html.parser
import json
from dataclasses import replace

import msgspec
import pytest

from edgeprof.run import Request, RunState
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.report import html as report_html
from edgeprof_collector.report.html import render
from tests.collector.analysis.sample_run import DEVICE, GPU, MODEL, QUICK, TWO_VARIANTS, Scenario, sample_run
from tests.collector.report.hostile import HOSTILE, hostile_scenario

# Elements that an HTML parser does not expect an end tag for.
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """What is in a page: elements by name with their attributes, the texts of scripts, unbalanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text = ""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        name, _ = self._open.pop()
        assert name == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "script":
            self.scripts[self._open[-1][1]["id"] or ""] = data
        elif self._open and self._open[-1][0] != "style":
            self.text += " ".join(data.split()) + " "

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(scenario: Scenario) -> str:
    record, telemetry = sample_run(scenario)
    series = collect_series(telemetry)
    return render(record, series, analyse(record, series))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(Scenario(), id="quick"),
        pytest.param(Scenario(plan=TWO_VARIANTS, device=replace(DEVICE, accelerators=(GPU,))), id="variants and a GPU"),
        pytest.param(Scenario(state=RunState.FAILED, cause="killed", requests_kept=1), id="cut at once"),
        pytest.param(hostile_scenario(), id="hostile"),
    ],
)
def test_the_page_is_well_formed_and_asks_nobody_for_anything(scenario: Scenario) -> None:
    text = page_of(scenario)
    page = Page(text)
    assert {tag for tag, _ in page.elements}.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form"})
    assert all(each.get("type") == "application/json" for each in page.of("script"))
    addresses = [
        value for _, each in page.elements for name, value in each.items() if name in ("src", "href", "action")
    ]
    assert set(addresses) <= {"#phases"}
    assert not [name for _, each in page.elements for name in each if name.startswith("on")]
    assert len(text) < 5_000_000
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_what_a_device_says_is_text_and_nothing_else() -> None:
    page = Page(page_of(hostile_scenario()))
    assert "alert(1)" in page.text
    requests = json.loads(page.scripts["requests"])
    assert json.loads(page.scripts["verdict"])["model"]["name"] == HOSTILE
    assert len(requests) == 35


def test_no_byte_of_the_data_can_end_its_script_element() -> None:
    page = Page(page_of(hostile_scenario()))
    assert not {"<", ">", "&", "\u2028"} & set(page.scripts["verdict"] + page.scripts["requests"])


def test_the_policy_forbids_scripts_and_requests() -> None:
    policies = [each["content"] for each in Page(page_of(Scenario())).of("meta") if "http-equiv" in each]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_the_data_inside_is_the_whole_data() -> None:
    record, telemetry = sample_run()
    series = collect_series(telemetry)
    verdict = analyse(record, series)
    page = Page(render(record, series, verdict))
    assert msgspec.json.decode(page.scripts["verdict"], type=Verdict) == verdict
    assert tuple(msgspec.json.decode(page.scripts["requests"], type=tuple[Request, ...])) == record.requests


def test_token_data_too_large_for_a_page_is_left_out_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_html, "_MOST_TOKEN_DATA_BYTES", 1000)
    page = Page(page_of(Scenario()))
    assert list(page.scripts) == ["verdict"]
    assert "are too many for a page: edgeprof export gives them" in page.text


def test_every_step_has_its_plots_and_its_figures() -> None:
    text = page_of(Scenario())
    page = Page(text)
    labels = [each["aria-label"] or "" for each in page.of("svg")]
    for step in QUICK.steps:
        assert any(label.startswith(f"{step.name}: ") and "median" in label for label in labels)
    assert any(label.startswith("Decode rate over depth: depth 0: median 24.00 tokens/s") for label in labels)
    assert any(label.startswith("chat 3x(64+16): time to first token: turn 1 356 ms") for label in labels)
    assert "177.3 – 182.7" in page.text  # noqa: RUF001 - an en dash is meant


def test_phases_are_marked_in_every_panel_of_telemetry() -> None:
    text = page_of(Scenario())
    panels = text.count('<use href="#phases"/>')
    assert panels >= 7
    assert text.count('class="phase decode"') >= 10


def test_a_synthetic_model_is_labelled_at_every_figure_and_a_real_one_nowhere() -> None:
    synthetic = page_of(Scenario())
    assert synthetic.count("synthetic") > synthetic.count('class="card"') + len(QUICK.steps)
    real = page_of(Scenario(model=replace(MODEL, synthetic=False, name="llama.gguf")))
    assert "synthetic" not in Page(real).text


def test_flagged_repetitions_are_ringed_and_kept() -> None:
    text = page_of(Scenario(background_cpu_ratio=0.15, hertz=20))
    assert text.count('class="flagged"') == 20
    assert "repetition 5: " in text


def test_a_run_without_anything_still_has_a_page() -> None:
    record, _ = sample_run()
    record = replace(record, ceilings=(), phases=(), loaded=(), requests=(), finished=None)
    page = Page(render(record, (), analyse(record, ())))
    assert "Nothing was measured." in page.text
    assert "not finished" in page.text
