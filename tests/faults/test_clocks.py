"""Wall clocks that jump, at either end: nothing is lost, and frames keep their order and distance."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from tests.collector.intake.device import running_intake
from tests.faults.agent import agent
from tests.faults.traffic import check_store

HOUR_NS = 3600 * 10**9
YEAR_NS = 8766 * HOUR_NS
JUMPS = (10 * YEAR_NS, -10 * YEAR_NS, HOUR_NS, -HOUR_NS)


def placements(path: Path) -> Sequence[int]:
    """When the stored frames began by the collector's clock, in the order of their device's."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT start_wall_ns FROM frames ORDER BY start_monotonic_ns").fetchall()
    connection.close()
    return [wall_ns for (wall_ns,) in rows]


@pytest.mark.parametrize("jump_ns", JUMPS, ids=["+10 years", "-10 years", "+1 hour", "-1 hour"])
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
                await one.sample(range(1, 31))
                await one.all_acknowledged()
                shift_ns = jump_ns
                if reconnects:
                    running.intake._parties.connections.end_all(grpc.StatusCode.UNAVAILABLE, "the test ends it")
                await one.sample(range(31, 61))
                await one.all_acknowledged()
            check_store(tmp_path / "edgeprof.sqlite", range(1, 61))
            walls = placements(tmp_path / "edgeprof.sqlite")
            before, after = walls[:30], walls[30:]
            assert before == sorted(before)
            assert after == sorted(after)
            assert max(before) <= real(), "what was placed stays where it was placed"
            assert max(after) <= time.time_ns(), "nothing is placed in the future"

    asyncio.run(scenario())
