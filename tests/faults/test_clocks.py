"""Clocks that jump, sleep or woke in 1970: nothing is lost, and every sample is placed, with how that is known."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
import pytest

from edgeprof.telemetry import Placement
from edgeprof_agent.uplink.clocks import ClockReading
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import running_intake
from tests.faults.agent import agent
from tests.faults.traffic import check_store

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
YEAR_NS = 8766 * HOUR_NS
JUMPS = (10 * YEAR_NS, -10 * YEAR_NS, HOUR_NS, -HOUR_NS)
JUMP_NAMES = ("+10 years", "-10 years", "+1 hour", "-1 hour")
NOBODY = 9  # the port of "discard": no collector is there
BEFORE, AFTER = range(1, 31), range(31, 61)

Placements = Mapping[int, tuple[int, Placement]]


def placements(path: Path) -> Placements:
    """When each stored frame began by the collector's clock, and how it was placed, by its tag."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT start_monotonic_ns, start_wall_ns, placement FROM frames").fetchall()
    connection.close()
    return {start_ns // SECOND_NS: (wall_ns, Placement(placement)) for start_ns, wall_ns, placement in rows}


def check_placed(found: Placements, tags: range, began_ns: int, placement: Placement) -> None:
    """Compare every frame with the truth: a tag was sampled so many seconds after ``began_ns``.

    A hello may have been under way for some seconds: the machine that tests this has other work, too.
    """
    for tag in tags:
        wall_ns, how = found[tag]
        assert how is placement, tag
        assert abs(wall_ns - (began_ns + tag * SECOND_NS)) < 20 * SECOND_NS, tag


class Board:
    """A device's clocks: it began at a true wall time, and shows one that is off by ``error_ns``.

    What it does now counts as done ``ago_ns`` ago.
    """

    def __init__(self, began_ns: int, error_ns: int = 0, ago_ns: int = 0) -> None:
        self.began_ns = began_ns
        self.ago_ns = ago_ns
        self.error_ns = error_ns
        self.slept_ns = 0

    def read(self) -> ClockReading:
        """What its clocks show now."""
        now_ns = time.time_ns() - self.ago_ns
        return ClockReading(now_ns - self.began_ns - self.slept_ns, self.slept_ns, now_ns + self.error_ns)


def sampled_then_rebooted(tmp_path: Path, spoil: Callable[[Board], None], repair: Callable[[Board], None]) -> Board:
    """Sample BEFORE in one boot, without a collector, and AFTER in the next, with one that has never met the device.

    Args:
        tmp_path: for the test.
        spoil: what the device's clock does as it wakes.
        repair: what it does later in the first boot.

    Returns:
        The first boot.
    """
    first = Board(time.time_ns() - 2 * HOUR_NS, ago_ns=HOUR_NS)

    async def scenario() -> None:
        spoil(first)
        async with agent(tmp_path / "agent", NOBODY, boot_id=b"first boot", read_clocks=first.read) as one:
            one.begin_run()
            await one.sample(BEFORE)
            repair(first)
            one.outbox.clocks.look()
        second = Board(time.time_ns() - 100 * SECOND_NS)
        async with running_intake(tmp_path) as running:
            port = running.port
            async with agent(tmp_path / "agent", port, boot_id=b"second boot", read_clocks=second.read) as one:
                await one.sample(AFTER)
                await one.all_acknowledged()
        check_placed(placements(tmp_path / "edgeprof.sqlite"), AFTER, second.began_ns, Placement.EXACT)

    asyncio.run(scenario())
    check_store(tmp_path / "edgeprof.sqlite", (*BEFORE, *AFTER))
    return first


def off_by(error_ns: int) -> Callable[[Board], None]:
    """What a device's clock does."""

    def jump(board: Board) -> None:
        board.error_ns = error_ns

    return jump


def to_1970(board: Board) -> None:
    """As boards without a battery wake."""
    board.error_ns = -board.began_ns


def check_by_arrival(found: Placements) -> None:
    """Not known, so as late as they came, and in their order."""
    walls = [found[tag][0] for tag in BEFORE]
    assert {found[tag][1] for tag in BEFORE} == {Placement.BY_ARRIVAL}
    assert walls == sorted(walls)
    assert walls[-1] <= time.time_ns() - SECOND_NS


def test_a_boot_that_no_collector_met_is_dated_by_its_own_clock(tmp_path: Path) -> None:
    boot = sampled_then_rebooted(tmp_path, off_by(0), off_by(0))
    check_placed(placements(tmp_path / "edgeprof.sqlite"), BEFORE, boot.began_ns, Placement.ESTIMATED)
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    assert store.run("run-1").placement is Placement.BY_ARRIVAL  # its start is of a boot that nobody has heard of
    store.close()


def test_a_board_that_woke_in_1970_and_was_put_right(tmp_path: Path) -> None:
    boot = sampled_then_rebooted(tmp_path, to_1970, off_by(0))
    check_placed(placements(tmp_path / "edgeprof.sqlite"), BEFORE, boot.began_ns, Placement.ESTIMATED)


def test_a_board_that_stayed_in_1970(tmp_path: Path) -> None:
    sampled_then_rebooted(tmp_path, to_1970, to_1970)
    check_by_arrival(placements(tmp_path / "edgeprof.sqlite"))


@pytest.mark.parametrize("error_ns", JUMPS, ids=JUMP_NAMES)
def test_a_clock_that_was_wrong_and_was_put_right(tmp_path: Path, error_ns: int) -> None:
    boot = sampled_then_rebooted(tmp_path, off_by(error_ns), off_by(0))
    check_placed(placements(tmp_path / "edgeprof.sqlite"), BEFORE, boot.began_ns, Placement.ESTIMATED)


@pytest.mark.parametrize("error_ns", JUMPS[:3], ids=JUMP_NAMES[:3])
def test_a_clock_that_went_wrong(tmp_path: Path, error_ns: int) -> None:
    """What it showed before is gone by, since what it shows now cannot be."""
    boot = sampled_then_rebooted(tmp_path, off_by(0), off_by(error_ns))
    check_placed(placements(tmp_path / "edgeprof.sqlite"), BEFORE, boot.began_ns, Placement.ESTIMATED)


def test_a_clock_that_is_wrong_by_what_could_be_is_believed_and_marked(tmp_path: Path) -> None:
    boot = sampled_then_rebooted(tmp_path, off_by(-HOUR_NS), off_by(-HOUR_NS))
    check_placed(placements(tmp_path / "edgeprof.sqlite"), BEFORE, boot.began_ns - HOUR_NS, Placement.ESTIMATED)


@pytest.mark.parametrize("error_ns", JUMPS, ids=JUMP_NAMES)
def test_a_device_that_slept(tmp_path: Path, error_ns: int) -> None:
    """Its own wall clock does not count, whatever it shows: the boot goes on, and its sleep is known."""
    board = Board(time.time_ns() - 2 * HOUR_NS, error_ns)

    async def scenario() -> None:
        async with agent(tmp_path / "agent", NOBODY, read_clocks=board.read) as one:
            one.begin_run()
            await one.sample(BEFORE)
            board.slept_ns = HOUR_NS
            await one.sample(AFTER)
        async with (
            running_intake(tmp_path) as running,
            agent(tmp_path / "agent", running.port, read_clocks=board.read) as one,
        ):
            await one.all_acknowledged()

    asyncio.run(scenario())
    check_store(tmp_path / "edgeprof.sqlite", (*BEFORE, *AFTER))
    found = placements(tmp_path / "edgeprof.sqlite")
    check_placed(found, BEFORE, board.began_ns, Placement.EXACT)
    check_placed(found, AFTER, board.began_ns + HOUR_NS, Placement.EXACT)


@pytest.mark.parametrize("jump_ns", JUMPS, ids=JUMP_NAMES)
@pytest.mark.parametrize("reconnects", [False, True])
def test_a_wall_clock_that_jumps_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_ns: int, *, reconnects: bool
) -> None:
    """Of both ends together, which here share a process: the agent's hello and the collector's placements."""
    real, shift_ns = time.time_ns, 0
    monkeypatch.setattr(time, "time_ns", lambda: real() + shift_ns)

    async def scenario() -> None:
        nonlocal shift_ns
        async with running_intake(tmp_path) as running:
            async with agent(tmp_path / "agent", running.port) as one:
                one.begin_run()
                await one.sample(BEFORE)
                await one.all_acknowledged()
                shift_ns = jump_ns
                if reconnects:
                    running.intake._parties.connections.end_all(grpc.StatusCode.UNAVAILABLE, "the test ends it")
                await one.sample(AFTER)
                await one.all_acknowledged()
            check_store(tmp_path / "edgeprof.sqlite", (*BEFORE, *AFTER))
            found = placements(tmp_path / "edgeprof.sqlite")
            before, after = [found[tag][0] for tag in BEFORE], [found[tag][0] for tag in AFTER]
            assert before == sorted(before)
            assert after == sorted(after)
            assert max(before) <= real(), "what was placed stays where it was placed"
            assert max(after) <= time.time_ns(), "nothing is placed in the future"

    asyncio.run(scenario())
