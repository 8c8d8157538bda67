import re

from edgeprof.catalogue import METRICS, channel
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame
from edgeprof_agent.commands.board_view import screen, subject_of
from edgeprof_agent.commands.channel_table import ChannelTable

SECOND = 1_000_000_000
BUSY = [channel("edgeprof_cpu_core_busy_ratio", "/proc/stat", core=str(core)) for core in range(4)]
READ = channel("edgeprof_disk_read_bytes_total", "/proc/diskstats", disk="vda")
PLAIN = re.compile(r"\x1b\[[0-9]*m")


def frame(seconds: int, values: dict[Channel, int | None]) -> SampledFrame:
    """One tick at this time; values are in steps of the channel's resolution."""
    block = SampledBlock(
        channels=tuple(values),
        times_monotonic_ns=(seconds * SECOND,),
        columns=tuple((steps,) for steps in values.values()),
    )
    return SampledFrame(run_id="", start_monotonic_ns=0, end_monotonic_ns=seconds * SECOND, blocks=(block,))


def shown(table: ChannelTable, seconds: int, columns: int = 80, lines: int = 24) -> list[str]:
    drawn = screen(table.rows(seconds * SECOND), "title", columns=columns, lines=lines)
    return [PLAIN.sub("", line).rstrip() for line in drawn]


def test_gauges_show_their_value_and_counters_what_they_gain() -> None:
    table = ChannelTable(slow_hertz=1)
    table.add(frame(1, {BUSY[0]: 417, READ: 1000}))
    assert "cpu_core_busy_ratio              0 41.7 %" in shown(table, 1)[2]
    assert "vda ..." in shown(table, 1)[4]
    table.add(frame(2, {BUSY[0]: 500, READ: 3000}))
    assert "0 50.0 %" in shown(table, 2)[2]
    assert "vda 1.02 MB/s" in shown(table, 2)[4]


def test_a_rate_is_that_of_the_last_seconds() -> None:
    table = ChannelTable(slow_hertz=1)
    for second in range(10):
        table.add(frame(second, {READ: 0 if second < 7 else (second - 7) * 1000}))
    assert "vda 512 kB/s" in shown(table, 9)[2]


def test_values_that_are_old_say_so_and_stay() -> None:
    table = ChannelTable(slow_hertz=1)
    table.add(frame(1, {BUSY[0]: 1000, BUSY[1]: 1000}))
    table.add(frame(9, {BUSY[0]: 1000, BUSY[1]: None}))
    (first, second) = table.rows(9 * SECOND)
    assert not first.is_stale
    assert second.is_stale
    assert "1 100.0 % (8 s old)" in shown(table, 9)[2]


def test_a_narrow_window_has_more_lines_and_none_too_long() -> None:
    table = ChannelTable(slow_hertz=1)
    table.add(frame(1, dict.fromkeys(BUSY, 1000)))
    assert len(shown(table, 1, columns=100)) == 3
    narrow = shown(table, 1, columns=55)
    assert len(narrow) == 6
    assert all(len(line) <= 55 for line in narrow)


def test_what_does_not_fit_is_counted() -> None:
    table = ChannelTable(slow_hertz=1)
    table.add(frame(1, {BUSY[0]: 1, READ: 1}))
    assert shown(table, 1, lines=4) == ["title", "CPU", shown(table, 1)[2], "2 lines more: make the window larger"]


def test_every_metric_has_a_subject() -> None:
    assert {subject_of(metric) for metric in METRICS} == {
        "CPU", "Memory", "GPU", "Workload", "Disks and networks", "Agent", "Board",
    }  # fmt: skip
