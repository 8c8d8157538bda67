"""What the agent keeps of the device's clocks."""

import sqlite3
from contextlib import closing
from pathlib import Path

from edgeprof_agent.uplink.clocks import ClockReading, Clocks, read_clocks
from edgeprof_agent.uplink.database import DamagedError, Database

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_800_000_000 * SECOND


class Board:
    """A board's clocks, which a test sets."""

    def __init__(self, wall_ns: int = NOW) -> None:
        self.now = ClockReading(0, 0, wall_ns)

    def read(self) -> ClockReading:
        return self.now

    def passes(self, seconds: int, *, asleep: int = 0, jump_ns: int = 0) -> None:
        wall_ns = self.now.wall_ns + (seconds + asleep) * SECOND + jump_ns
        self.now = ClockReading(self.now.monotonic_ns + seconds * SECOND, self.now.slept_ns + asleep * SECOND, wall_ns)


def shown(clocks: Clocks) -> list[tuple[bytes, int, int]]:
    return [(each.boot_id, each.elapsed_ns, each.wall_ns) for each in clocks.stretches]


def test_a_clock_that_goes_on_has_one_stretch_through_sleep_too(tmp_path: Path) -> None:
    board = Board()
    with closing(Database(tmp_path)) as database:
        clocks = Clocks(database, b"a", board.read)
        board.passes(5)
        clocks.look()
        board.passes(5, asleep=3600, jump_ns=SECOND // 2)  # and is slewed
        assert clocks.look().slept_ns == HOUR
        assert shown(clocks) == [(b"a", 0, NOW)]


def test_a_jump_begins_a_stretch_and_a_boot_does(tmp_path: Path) -> None:
    board = Board(wall_ns=7 * SECOND)
    with closing(Database(tmp_path)) as database:
        clocks = Clocks(database, b"a", board.read)
        board.passes(10, jump_ns=NOW)
        clocks.look()
    with closing(Database(tmp_path)) as database:
        clocks = Clocks(database, b"b", Board(NOW + HOUR).read)
        assert shown(clocks) == [(b"a", 0, 7 * SECOND), (b"a", 10 * SECOND, NOW + 17 * SECOND), (b"b", 0, NOW + HOUR)]


def test_a_clock_that_cannot_settle_stays_within_bounds(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        for boot in range(20):
            board = Board()
            clocks = Clocks(database, bytes([boot]), board.read)
            for _ in range(20):
                board.passes(1, jump_ns=HOUR)
                clocks.look()
        last = [each for each in clocks.stretches if each.boot_id == bytes([19])]
        assert (len(last), len(clocks.stretches)) == (4, 32)
        assert last[-1].elapsed_ns == 20 * SECOND


def test_a_damaged_file_is_replaced_and_told_again(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        clocks = Clocks(database, b"a", Board().read)
        clocks.look()
        database.replace(DamagedError("the test says so"))
    with closing(sqlite3.connect(tmp_path / "spool.db")) as connection:
        assert connection.execute("SELECT boot_id, wall_ns FROM clocks").fetchall() == [(b"a", NOW)]


def test_the_systems_clocks_can_be_read() -> None:
    before, after = read_clocks(), read_clocks()
    assert 0 < before.monotonic_ns <= after.monotonic_ns
    assert before.slept_ns == after.slept_ns
    assert before.slept_ns % 1_000_000 == 0
