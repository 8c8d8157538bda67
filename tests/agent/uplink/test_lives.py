"""Which processes have used a spool."""

from pathlib import Path

from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.lives import Lives
from tests.agent.uplink.spooling import append_frames, opened, overwrite_middle


def lives_of_the_next_start(folder: Path, *, welcomed: bool = False) -> tuple[bytes, ...]:
    database = Database(folder)
    lives = Lives(database)
    if welcomed:
        lives.welcomed()
    database.close()
    return lives.names


def test_every_start_is_a_life_and_descends_from_those_before(tmp_path: Path) -> None:
    (first,) = lives_of_the_next_start(tmp_path)
    second, *before = lives_of_the_next_start(tmp_path)
    assert (second != first, before) == (True, [first])
    assert lives_of_the_next_start(tmp_path)[1:] == (second, first)


def test_what_the_collector_has_met_need_not_be_told_again(tmp_path: Path) -> None:
    lives_of_the_next_start(tmp_path)
    (met,) = lives_of_the_next_start(tmp_path, welcomed=True)
    assert lives_of_the_next_start(tmp_path)[1:] == (met,)


def test_of_many_starts_without_a_collector_the_first_and_the_latest_are_told(tmp_path: Path) -> None:
    (met,) = lives_of_the_next_start(tmp_path, welcomed=True)
    for _ in range(40):
        last = lives_of_the_next_start(tmp_path)
    assert len(last) == 32
    assert last[-1] == met
    assert lives_of_the_next_start(tmp_path)[1] == last[0]


def test_on_a_full_disk_the_process_goes_on_in_the_name_of_the_one_before(tmp_path: Path) -> None:
    before = lives_of_the_next_start(tmp_path)
    database = Database(tmp_path)
    database._connection.execute("PRAGMA query_only = ON")
    assert Lives(database).names == before
    database.close()


def test_a_damaged_file_costs_no_life(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(100), padding=1000)
        spool.flush()
        names = spool.lives.names
        overwrite_middle(tmp_path / "spool.db")
        spool.read_after(0, 100)
    assert lives_of_the_next_start(tmp_path)[1:] == names
