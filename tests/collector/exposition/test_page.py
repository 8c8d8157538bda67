"""The page as scrapers read it."""

import asyncio
import gzip
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeprof.catalogue import METRICS, channel
from edgeprof.result_catalogue import RESULT_METRICS
from edgeprof.telemetry import dequantise
from edgeprof_collector.exposition.family import Family, series_text
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import FamilySource, Page
from edgeprof_collector.exposition.results import Results
from tests.collector.exposition.devices import frame, layout


class _Families:
    def __init__(self, *families: Family) -> None:
        self._families = families

    def families(self) -> Iterator[Family]:
        yield from self._families


def _read(chunks: AsyncIterator[bytes]) -> bytes:
    async def join() -> bytes:
        return b"".join([chunk async for chunk in chunks])

    return asyncio.run(join())


def _page(*sources: FamilySource) -> Page:
    return Page(sources, CollectorHealth())


def _full() -> LatestValues:
    """Two devices with every metric of the catalogue."""
    latest = LatestValues(CollectorHealth())
    channels = [
        channel(metric.name, "test", **{label: f"{label} 0" for label in metric.labels}) for metric in METRICS.values()
    ]
    layouts = {1: layout(1, channels)}
    for device in ("pi", "orin"):
        latest.on_connected(device)
        latest.on_frame(device, layouts, frame({1: [7] * len(channels)}))
    return latest


def test_prometheus_own_parser_reads_the_page() -> None:
    text = _read(_page(_full(), Results()).text()).decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}

    for metric in METRICS.values():
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind.value, metric.help)
        assert [sample.labels["device"] for sample in family.samples] == ["pi", "orin"]
        assert {sample.name for sample in family.samples} == {metric.name}
        assert {sample.value for sample in family.samples} == {dequantise(7, metric.resolution)}
    assert families["edgeprof_collector_messages"].samples[0].value == 0
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6


def test_promtool_has_no_objection() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; Debian's package prometheus has it")
    results = _Families(*(_one_value(metric.name, metric.help) for metric in RESULT_METRICS.values()))
    text = _read(_page(_full(), results).text())

    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def _one_value(name: str, help_text: str) -> Family:
    return Family(name, "gauge", help_text, {series_text(name, [("device", "pi")]): 1.5})


def test_the_compressed_page_is_the_same_page() -> None:
    latest = _full()

    plain = _read(_page(latest).text())
    compressed = _read(_page(latest).gzip())

    assert _without_process(gzip.decompress(compressed)) == _without_process(plain)


def _without_process(text: bytes) -> bytes:
    return b"\n".join(line for line in text.split(b"\n") if not line.startswith(b"process_"))


def test_lines_of_a_family_stand_together_over_many_slices() -> None:
    large = Family("edgeprof_a_ratio", "gauge", "A", {f'edgeprof_a_ratio{{device="{n}"}} ': n for n in range(30_000)})
    small = Family("edgeprof_b_ratio", "gauge", "B", {"edgeprof_b_ratio{} ": 0.5})

    async def chunks() -> list[bytes]:
        return [chunk async for chunk in _page(_Families(large, small)).text()]

    slices = asyncio.run(chunks())
    lines = b"".join(slices).decode().splitlines()

    assert len(slices) > 3
    assert lines[:2] == ["# HELP edgeprof_a_ratio A", "# TYPE edgeprof_a_ratio gauge"]
    assert lines[2:30_002] == [f'edgeprof_a_ratio{{device="{n}"}} {n}' for n in range(30_000)]
    assert lines[30_002:30_005] == [
        "# HELP edgeprof_b_ratio B",
        "# TYPE edgeprof_b_ratio gauge",
        "edgeprof_b_ratio{} 0.5",
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_other_work_goes_on_and_may_change_the_page_while_it_is_written(compressed: bool) -> None:
    values: dict[str, float] = {f'edgeprof_a_ratio{{device="{n}"}} ': n for n in range(40_000)}
    page = _page(_Families(Family("edgeprof_a_ratio", "gauge", "A", values)))

    async def write_while_devices_leave() -> int:
        turns = 0

        async def leave() -> None:
            nonlocal turns
            while values:
                values.popitem()
                turns += 1
                await asyncio.sleep(0)

        leaving = asyncio.create_task(leave())
        async for _ in page.gzip() if compressed else page.text():
            turns_before_end = turns
        values.clear()
        await leaving
        return turns_before_end

    assert asyncio.run(write_while_devices_leave()) > 0


def test_a_family_without_values_is_not_shown() -> None:
    text = _read(_page(_Families(Family("edgeprof_a_ratio", "gauge", "A"))).text())

    assert b"edgeprof_a_ratio" not in text


def test_labels_and_help_are_escaped() -> None:
    awkward = 'a"b\\c\nd{e}=,'
    family = Family(
        "edgeprof_a_ratio", "gauge", "One\\two\nthree", {series_text("edgeprof_a_ratio", [("x", awkward)]): 1}
    )

    text = _read(_page(_Families(family)).text()).decode()
    (read,) = [one for one in text_string_to_metric_families(text) if one.name == "edgeprof_a_ratio"]

    assert read.documentation == "One\\two\nthree"
    assert read.samples[0].labels == {"x": awkward}
