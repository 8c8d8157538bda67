"""Telemetry of the SQLite store, thinned, and what reads it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof.telemetry import Placement
from edgeprof_collector.analysis.notes import data_notes
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.telemetry_window import counter_increase, highest_during, lowest_during, mean_during
from edgeprof_collector.store.outgoing import Cursor
from edgeprof_collector.store.retention import Retention, Retired
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.dense_telemetry import DAY_NS, SECONDS, THIN, fill, message, numbered, placed, thin_all
from tests.collector.store.samples import SECOND_NS, WALL_NS, greeting


def of_run(store: SqliteStore) -> tuple[Series, Series]:
    memory, received = sorted(collect_series(store.telemetry("run-1")), key=lambda each: each.channel.metric)[::-1]
    return memory, received


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    yield store
    store.close()


def test_a_thinned_run_is_smaller_and_keeps_peaks_and_counters(store: SqliteStore) -> None:
    fill(store)
    start_ns, end_ns = 20 * SECOND_NS, (20 + SECONDS) * SECOND_NS - SECOND_NS // 10
    whole = of_run(store)[1]
    before_bytes = store.telemetry("run-1").ByteSize()
    for retention, values in ((THIN, SECONDS), (Retention(idle_days=0, run_10s_days=2), SECONDS // 10)):
        assert thin_all(store, retention).thinned_frames
        memory, received = of_run(store)
        assert memory.values.size < values * 1.2
        assert mean_during(memory, start_ns, end_ns) == pytest.approx(14.5 * 4096, abs=4096)
        assert highest_during(memory, start_ns, end_ns) == 19 * 4096
        assert lowest_during(memory, start_ns, end_ns) == 10 * 4096
        assert counter_increase(received, start_ns, end_ns) == counter_increase(whole, start_ns, end_ns)
    assert store.telemetry("run-1").ByteSize() < before_bytes / 10


def test_a_window_shorter_than_a_bucket_has_no_figure(store: SqliteStore) -> None:
    fill(store)
    thin_all(store)
    memory, received = of_run(store)
    start_ns = 50 * SECOND_NS + SECOND_NS // 2
    assert mean_during(memory, start_ns, start_ns + SECOND_NS // 5) is None
    assert highest_during(memory, start_ns, start_ns + SECOND_NS // 5) is None
    assert counter_increase(received, start_ns, start_ns + SECOND_NS) is None
    assert counter_increase(received, start_ns, start_ns + 3 * SECOND_NS) == pytest.approx(7 * 30)


def test_the_notes_of_a_run_say_that_it_was_thinned(store: SqliteStore) -> None:
    fill(store)
    assert not any("thinned" in note for note in data_notes(store.run("run-1"), of_run(store), (), 0))
    thin_all(store)
    (note,) = (note for note in data_notes(store.run("run-1"), of_run(store), (), 0) if "thinned" in note)
    assert "every 1 s" in note


def test_a_baseline_is_not_thinned(store: SqliteStore) -> None:
    fill(store)
    store.set_baseline("run-1", is_baseline=True)
    before = store.telemetry("run-1")
    thin_all(store)
    assert store.telemetry("run-1") == before


def test_runs_are_not_thinned_unless_told(store: SqliteStore) -> None:
    fill(store)
    before = store.telemetry("run-1")
    assert thin_all(store, Retention(), 1000) == Retired()
    assert store.telemetry("run-1") == before


def test_idle_telemetry_is_thinned(store: SqliteStore) -> None:
    fill(store, run_id="")
    assert thin_all(store) == Retired(thinned_frames=SECONDS)
    frames = store.outgoing.frames_after(0, 10**9)
    assert len(frames) < SECONDS / 20
    assert sum(block.tick_count for each in frames for block in each.frame.blocks) < SECONDS * 1.2
    assert thin_all(store) == Retired(), "once is enough"


def test_telemetry_of_no_more_than_a_value_a_second_is_not_touched_until_later(store: SqliteStore) -> None:
    store.admit([greeting()])
    idle = [message(sequence, "", hertz=1) for sequence in range(1, SECONDS + 1)]
    store.commit([placed(*idle, message(SECONDS + 1, ""))])
    before = store.outgoing.frames_after(0, 10**9)
    assert thin_all(store) == Retired(thinned_frames=SECONDS)
    assert store.outgoing.frames_after(0, 10**9) == before
    assert thin_all(store, Retention(idle_days=0, idle_10s_days=2)) == Retired(thinned_frames=SECONDS)
    *thinned, _ = store.outgoing.frames_after(0, 10**9)
    assert sum(block.tick_count for each in thinned for block in each.frame.blocks) < SECONDS / 10 * 1.5


def test_what_slept_or_was_placed_in_another_way_stays_where_it_was(store: SqliteStore) -> None:
    """Four stretches of 20 s; each begins later by the wall clock than the one before tells, or is less surely so."""
    slept_ns = 3600 * SECOND_NS
    stretches = [(0, 0, Placement.EXACT), (slept_ns, 0, Placement.EXACT), (slept_ns, 0, Placement.ESTIMATED)]
    stretches.append((slept_ns, SECOND_NS, Placement.ESTIMATED))
    store.admit([greeting()])
    for number, (slept, late_ns, placement) in enumerate(stretches):
        frames = [message(sequence, "") for sequence in range(number * 20 + 1, number * 20 + 21)]
        for each in frames:
            each.frame.slept_ns = slept
        store.commit([placed(*frames, late_ns=late_ns, placement=placement)])
    store.commit([placed(message(81, ""))])
    thin_all(store)
    *thinned, _ = store.outgoing.frames_after(0, 10**9)
    assert [
        (each.start_wall_ns - WALL_NS, each.frame.start_monotonic_ns, each.frame.end_monotonic_ns, each.frame.slept_ns)
        for each in thinned
    ] == [
        (start * SECOND_NS + slept + late_ns, start * SECOND_NS, (start + 20) * SECOND_NS, slept)
        for start, (slept, late_ns, _) in zip((1, 21, 41, 61), stretches, strict=True)
    ]
    with store._database.reading() as connection:
        rows = connection.execute("SELECT placement FROM frames ORDER BY frame_id").fetchall()
    assert [Placement(name) for (name,) in rows][:4] == [placement for _, _, placement in stretches]


def test_a_thinned_run_says_how_it_was_placed(store: SqliteStore) -> None:
    fill(store)
    late = numbered(message(31 + SECONDS, "run-1"), SECONDS + 4)
    store.commit([placed(late, placement=Placement.BY_ARRIVAL)])
    assert store.run("run-1").placement is Placement.BY_ARRIVAL
    thin_all(store)
    assert store.run("run-1").placement is Placement.BY_ARRIVAL


def make_room(store: SqliteStore, hours: float) -> list[str]:
    """What is done about a store that is far too large, one kind of step after another."""
    steps: list[str] = []
    while (retired := store.retire(Retention(max_bytes=1), WALL_NS + round(hours * 3600 * SECOND_NS))) != Retired():
        kind = "thin" if retired.thinned_frames else "drop frames" if retired.frames else "drop run"
        if steps[-1:] != [kind]:
            steps.append(kind)
    return steps


def test_what_makes_room_is_thinned_before_it_goes(store: SqliteStore) -> None:
    fill(store)
    assert make_room(store, 48) == ["thin", "drop frames", "drop run"]


def test_idle_telemetry_makes_room_before_runs(store: SqliteStore) -> None:
    fill(store)
    store.commit([placed(*(numbered(message(200 + each, ""), SECONDS + 4 + each) for each in range(60)))])
    assert make_room(store, 48) == ["thin", "drop frames", "thin", "drop frames", "drop run"]


def test_what_is_new_is_not_thinned_to_make_room(store: SqliteStore) -> None:
    fill(store)
    assert make_room(store, 0.5) == ["drop frames", "drop run"]


def test_what_a_destination_has_not_had_waits_for_it_within_a_bound(store: SqliteStore) -> None:
    fill(store, run_id="")
    store.outgoing.cursor("prometheus", send_stored=True)
    assert thin_all(store, to=["prometheus"]) == Retired()
    half = store.outgoing.frames_after(0, 10**9)[SECONDS // 2 - 1].position
    store.outgoing.move_cursor("prometheus", Cursor(half, 0))
    unsent = store.outgoing.frames_after(half, 10**9)
    assert thin_all(store, to=["prometheus"]) == Retired(thinned_frames=SECONDS // 2)
    assert store.outgoing.frames_after(half, 10**9) == unsent
    late = thin_all(store, days=8.5, to=["prometheus"])
    assert late == Retired(thinned_frames=SECONDS // 2, unsent_frames=SECONDS // 2)
    assert store.outgoing.frames_after(half, 10**9), "it still gets them, thinned"


def test_a_run_whose_results_a_destination_has_not_had_waits_for_it(store: SqliteStore) -> None:
    """They are computed from what would be thinned."""
    fill(store)
    store.outgoing.cursor("prometheus", send_stored=True)
    store.outgoing.move_cursor("prometheus", Cursor(10**6, 0))
    gone = Retention(idle_days=0, run_days=1)
    assert thin_all(store, to=["prometheus"]) == Retired()
    assert store.retire(gone, WALL_NS + 5 * DAY_NS, ["prometheus"]) == Retired()
    store.outgoing.move_cursor("prometheus", Cursor(10**6, 1))
    assert thin_all(store, to=["prometheus"]) == Retired(thinned_frames=SECONDS)
    assert store.retire(gone, WALL_NS + 5 * DAY_NS, ["prometheus"]).frames


def test_a_destination_that_has_not_begun_has_had_nothing(store: SqliteStore) -> None:
    fill(store, run_id="")
    assert thin_all(store, to=["new"]) == Retired()
    assert store.retire(Retention(idle_days=1), WALL_NS + 5 * DAY_NS, ["new"]) == Retired()
    assert store.retire(Retention(idle_days=1), WALL_NS + 9 * DAY_NS, ["new"]).unsent_frames == SECONDS


@pytest.mark.parametrize("passes", [1, 2])
def test_a_kill_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, passes: int) -> None:
    """The child dies with its last pass done, and not committed."""
    path = tmp_path / "edgeprof.sqlite"
    store = SqliteStore(path)
    fill(store)
    store.close()
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from edgeprof_collector.store.retention import retire\n"
        "from edgeprof_collector.store.sqlite import SqliteStore\n"
        "from tests.collector.store.dense_telemetry import DAY_NS, THIN, WALL_NS\n"
        "store = SqliteStore(Path(sys.argv[1]))\n"
        "for _ in range(int(sys.argv[2]) - 1):\n"
        "    assert store.retire(THIN, WALL_NS + 5 * DAY_NS).thinned_frames\n"
        "with store._database.writing() as connection:\n"
        "    assert retire(connection, THIN, WALL_NS + 5 * DAY_NS).thinned_frames\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[3]
    child = subprocess.run([sys.executable, "-c", script, str(path), str(passes)], cwd=root, check=False)
    assert child.returncode == -9
    store = SqliteStore(path)
    _, received = of_run(store)
    assert (received.thinned is None) == (passes == 1)
    assert len(set(received.times_monotonic_ns.tolist())) == received.values.size
    thin_all(store)
    memory, received = of_run(store)
    assert SECONDS <= memory.values.size < SECONDS * 1.2
    assert received.values[-1] - received.values[0] == 7 * (SECONDS * 10 - 1)
    store.close()
