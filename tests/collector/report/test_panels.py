"""Which panels a device's telemetry gives, and the lines in them."""

from dataclasses import replace

import numpy as np
import pytest

from edgeprof.catalogue import METRICS, channel
from edgeprof.run import RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.report.panels import PANELS, Panel, Source, Treatment
from edgeprof_collector.report.plot import Plot, Range
from edgeprof_collector.report.step_tables import step_tables
from edgeprof_collector.report.telemetry_lines import TimeSpan, panel_lines, time_span
from edgeprof_collector.report.telemetry_plots import telemetry_plots
from edgeprof_collector.report.telemetry_table import telemetry_rows
from edgeprof_collector.report.traffic_lines import measured_peaks
from tests.collector.analysis.device_families import family_run
from tests.collector.analysis.sample_run import sample_run

SPAN = TimeSpan(0, Range(0.0, 10.0))
FAULTS = channel("edgeprof_major_page_faults_total", "/proc/vmstat")


def series(key: Channel, values: list[float]) -> Series:
    """A value a second."""
    times = np.arange(len(values), dtype=np.int64) * 1_000_000_000
    return Series(channel=key, times_monotonic_ns=times, values=np.array(values))


def plots_of(name: str) -> dict[str, Plot]:
    record, found = family_run(name)
    verdict = analyse(record, found)
    return {plot.title.partition(" (")[0]: plot for plot in telemetry_plots(found, verdict, time_span(record))}


def legend(plot: Plot) -> set[str]:
    return {entry.label for entry in plot.legend}


def test_panels_show_metrics_of_the_catalogue_by_labels_that_they_have() -> None:
    sources = [source for panel in PANELS for source in (*panel.sources, *panel.beside)]
    for source in sources:
        assert set(source.labels) <= set(METRICS[source.metric].labels)
    assert len({panel.title for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize(
    ("name", "there", "absent"),
    [
        (
            "nvidia",
            {"Held back, share of time by limiter", "PCIe", "GPU memory", "Memory traffic", "Pressure"},
            {"Power of rails", "Swap traffic", "Memory clock"},
        ),
        (
            "nvidia-jetson-orin-nano__jetpack-6.2__15w-root",
            {"Power", "Power of rails", "Memory traffic", "Memory clock", "Swap in use"}
            | {"Throttle events and supply alarms since the run began", "Held back, 1 while it is"},
            {"PCIe", "GPU memory", "Pressure"},
        ),
        (
            "asrock-b660m__ubuntu-24.04__load",
            {"Pressure", "Swap traffic", "Page faults that waited for a disk", "Power"}
            | {"Throttle events and supply alarms since the run began", "Held back, share of time by limiter"},
            {"GPU memory", "GPU clock", "PCIe", "Held back, 1 while it is"},
        ),
        ("raspberrypi-5__debian-12__idle", {"Temperature", "CPU clock"}, {"Power", "Held back, 1 while it is", "PCIe"}),
    ],
)
def test_a_device_has_the_panels_that_it_has_data_for(name: str, there: set[str], absent: set[str]) -> None:
    titles = {title.partition(":")[0] for title in plots_of(name)}
    assert there <= titles
    assert absent & titles == set()


def test_memory_traffic_stands_beside_what_the_model_needs_and_what_the_memory_can() -> None:
    plot = plots_of("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root")["Memory traffic"]
    assert legend(plot) == {
        "system read and written (activity clock)",
        "needed by weights and KV cache, derived",
        "peak of system (computed)",
    }
    assert sum("limit" in shape.style for shape in plot.shapes) == 1
    [needed] = [shape for shape in plot.shapes if "stretch" in shape.style]
    assert needed.path.count("M") == 10  # five repetitions at two depths, not joined


def test_a_peak_alone_is_no_traffic() -> None:
    record, found = family_run("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root")
    peak = [each for each in found if each.channel.metric == "edgeprof_memory_bandwidth_peak_bytes_per_second"]
    assert peak
    cut = RunRecord(started=record.started, phases=record.phases)
    span = time_span(record)
    # What the model needs is traffic, but of a run without a step nothing is known.
    assert [plot.title for plot in telemetry_plots(peak, analyse(record, ()), span)] == ["Memory traffic"]
    assert list(telemetry_plots(peak, analyse(cut, ()), span)) == []


def test_rails_keep_their_names_and_an_idle_reason_holds_nothing_back() -> None:
    rails = legend(plots_of("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root")["Power of rails"])
    assert "ina3221 VDD_CPU_CV" in rails
    assert legend(plots_of("nvidia")["Held back, 1 while it is"]) == {"gpu0 power"}


def test_a_quiet_panel_is_there_when_something_happens() -> None:
    panel = Panel("Faults", "per second", (Source(FAULTS.metric, "all", Treatment.RATE),), quiet=True)
    assert panel_lines(panel, panel.sources, [series(FAULTS, [5, 5, 5, 5])], SPAN) == []
    [line] = panel_lines(panel, panel.sources, [series(FAULTS, [5, 5, 9, 9])], SPAN)
    assert line.values.max() == 4
    assert line.total == 4


def test_growth_goes_on_over_a_reset() -> None:
    panel = Panel("Faults", "", (Source(FAULTS.metric, "all", Treatment.GROWTH),))
    [line] = panel_lines(panel, panel.sources, [series(FAULTS, [5, 7, 0, 3])], SPAN)
    assert line.values.tolist() == [0, 2, 2, 5]
    assert line.total == 5


def test_a_line_that_stays_at_zero_gives_way_to_others() -> None:
    busy = [channel("edgeprof_gpu_busy_ratio", "nvml", gpu=gpu) for gpu in ("gpu0", "gpu1")]
    panel = Panel("GPU", "ratio", (Source("edgeprof_gpu_busy_ratio"),))
    both = [series(busy[0], [0.5, 0.9, 0.4]), series(busy[1], [0.0, 0.0, 0.0])]
    assert [line.label for line in panel_lines(panel, panel.sources, both, SPAN)] == ["gpu0"]
    assert [line.label for line in panel_lines(panel, panel.sources, both[1:], SPAN)] == ["gpu1"]


def test_a_mean_counts_each_value_for_its_time() -> None:
    key = channel("edgeprof_power_watts", "in", chip="c", rail="r")
    times = np.array([0, 1, 9], np.int64) * 1_000_000_000
    uneven = Series(channel=key, times_monotonic_ns=times, values=np.array([90.0, 10.0, 10.0]))
    panel = Panel("Power", "W", (Source(key.metric),))
    [line] = panel_lines(panel, panel.sources, [uneven], SPAN)
    assert line.mean == pytest.approx((90 + 8 * 10) / 9)


def test_the_table_has_every_channel_in_numbers() -> None:
    record, found = family_run("nvidia")
    rows = {row[:2]: row[2:] for row in telemetry_rows(found, time_span(record))}
    assert rows["Memory traffic", "peak of gpu0 (computed)"] == ("720 GB/s", "720 GB/s", "")
    mean, highest, total = rows["Held back, share of time by limiter", "gpu0 power (software power cap)"]
    assert highest == "24.8 %"  # 0.25 s a second under full load, of which 1 % is left to others
    assert total.endswith(" s")
    assert mean.endswith(" %")
    assert rows["PCIe", "received by gpu0"][2].endswith(" GiB")


def test_the_table_of_repetitions_names_rail_and_source_and_leaves_out_what_nobody_tells() -> None:
    record, found = family_run("nvidia-jetson-orin-nano__jetpack-6.2__15w-root")
    table = step_tables(analyse(record, found), record.started.monotonic_ns)[2]
    assert "Power: VDD_IN" in table.columns
    assert "Memory traffic: system, activity clock" in table.columns
    assert "Disk page faults" not in table.columns
    first = dict(zip(table.columns, table.repetitions[0], strict=True))
    assert first["Power: VDD_IN"].endswith(" W")
    assert "igpu held back by heat for 2.2" in first["Flags"]


def test_a_peak_that_was_measured_twice_is_one_line() -> None:
    record, telemetry = sample_run()
    [ceiling] = record.ceilings
    again = replace(ceiling, read_bytes_per_second=30e9)
    verdict = analyse(replace(record, ceilings=(ceiling, again)), collect_series(telemetry))
    [line] = measured_peaks(verdict, time_span(record))
    assert (line.label, line.values.tolist()) == ("read peak measured on cpu", [30e9, 30e9])
