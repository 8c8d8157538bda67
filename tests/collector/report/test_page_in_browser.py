"""The page in headless Chromium: no complaint, no request, nothing that overlaps or sticks out."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.report.html import render
from tests.collector.analysis.device_families import family_run
from tests.collector.analysis.sample_run import DEVICE, GPU, TWO_VARIANTS, Scenario, sample_run
from tests.collector.report.hostile import hostile_scenario

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or CHROMEDRIVER is None,
    reason="needs Chromium and its driver: apt install chromium chromium-driver",
)

SIZES = [(1280, "light"), (1280, "dark"), (400, "light")]
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


EVERYTHING = Scenario(
    plan=TWO_VARIANTS,
    device=replace(DEVICE, accelerators=(GPU,)),
    prefix_reused=False,
    background_cpu_ratio=0.13,
    factors=(1.0, 0.97, 0.95, 0.92, 0.90),
)
FAMILIES = ("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root", "amd-rx-7900-xtx__fedora-41__load")


@pytest.fixture(scope="module", params=["everything", *FAMILIES])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with variants, a GPU, findings and flags; and pages with the longest names of rails, and two GPUs."""
    if request.param in FAMILIES:
        run = family_run(request.param)
    else:
        record, telemetry = sample_run(EVERYTHING)
        run = record, collect_series(telemetry)
    return write_page(*run, tmp_path_factory.mktemp("page"))


def write_page(record: RunRecord, series: Sequence[Series], folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(render(record, series, analyse(record, series)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = CHROMIUM or ""
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]} px, {size[1]}")
def opened(request: pytest.FixtureRequest, browser: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """The browser with the page open, at a width and in a colour scheme."""
    width, scheme = request.param
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    log(browser, "performance")
    log(browser, "browser")
    browser.get(page.as_uri())
    return browser


def script(browser: webdriver.Chrome, text: str) -> Any:
    """Run a function's body in the page (the driver may, whatever the page's policy) and return its result."""
    return browser.execute_script(text)


def log(browser: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    """What was logged since the last time it was asked for."""
    entries: list[dict[str, Any]] = browser.get_log(kind)  # type: ignore[no-untyped-call]  # selenium leaves it so
    return entries


def test_the_console_is_empty_and_nothing_is_requested(opened: webdriver.Chrome, page: Path) -> None:
    assert log(opened, "browser") == []
    events = [json.loads(entry["message"])["message"] for entry in log(opened, "performance")]
    requested = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    assert requested == [page.as_uri()]


def test_every_plot_is_there_and_has_a_size(opened: webdriver.Chrome) -> None:
    sizes = script(
        opened,
        """return [...document.querySelectorAll("figure.plot svg")].map(svg => {
             const box = svg.getBoundingClientRect();
             return [svg.getAttribute("aria-label"), box.width, box.height, svg.querySelectorAll("path").length];
           })""",
    )
    assert len(sizes) >= 20
    assert [label for label, width, height, shapes in sizes if width < 150 or height < 20 or shapes < 2] == []


def test_shapes_stay_inside_their_plots(opened: webdriver.Chrome) -> None:
    outside = script(
        opened,
        """return [...document.querySelectorAll("figure.plot svg path")].filter(path => {
             const box = path.getBBox();
             return box.x < -1 || box.y < -1 || box.x + box.width > 1001 || box.y + box.height > 1001;
           }).map(path => path.outerHTML)""",
    )
    assert outside == []


def test_no_tick_label_overlaps_its_neighbour(opened: webdriver.Chrome) -> None:
    overlapping = script(
        opened,
        """const found = [];
           for (const axis of document.querySelectorAll(".x-ticks, .y-ticks")) {
             const boxes = [...axis.children].map(tick => tick.getBoundingClientRect());
             for (let i = 1; i < boxes.length; i++) {
               const a = boxes[i - 1], b = boxes[i];
               if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) {
                 found.push(axis.textContent);
               }
             }
           }
           return found;""",
    )
    assert overlapping == []


def test_the_page_is_no_wider_than_the_window(opened: webdriver.Chrome) -> None:
    width, window = script(opened, "return [document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


def test_text_can_be_read_on_its_ground(opened: webdriver.Chrome) -> None:
    """The colours of text and page differ as the scheme says: dark on light, or light on dark."""
    ink, ground, dark = script(
        opened,
        """const style = getComputedStyle(document.body);
           return [style.color, style.backgroundColor, matchMedia("(prefers-color-scheme: dark)").matches];""",
    )
    brightness = [sum(int(part) for part in colour[4:-1].split(",")) / 3 for colour in (ink, ground)]
    assert (brightness[0] > brightness[1]) is dark
    assert abs(brightness[0] - brightness[1]) > 150


def test_the_data_can_be_read_out_of_the_page(opened: webdriver.Chrome) -> None:
    plan, count = script(
        opened,
        """const data = id => JSON.parse(document.getElementById(id).textContent);
           return [data("verdict").plan_name, data("requests").length];""",
    )
    assert (plan, count) in {("kv-types", 60), ("quick", 30)}


def test_nothing_that_a_device_says_even_tries_to_run(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """The policy would stop it, and the console would say so."""
    log(browser, "browser")
    record, telemetry = sample_run(hostile_scenario())
    browser.get(write_page(record, collect_series(telemetry), tmp_path).as_uri())
    assert "alert(1)" in script(browser, "return document.body.innerText")
    assert log(browser, "browser") == []
