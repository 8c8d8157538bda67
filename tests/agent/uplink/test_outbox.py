"""What is added to the spool, in which order, and when it is written."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeprof.run import RunFinished, RunState
from edgeprof.telemetry import SampledFrame
from edgeprof_agent.uplink.clocks import Clocks
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.outbox import Outbox
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.spooling import ROOMY, everything

FINISHED = RunFinished(run_id="run-1", state=RunState.SUCCEEDED, monotonic_ns=9)


def frame(run_id: str = "") -> SampledFrame:
    return SampledFrame(run_id=run_id, start_monotonic_ns=1, end_monotonic_ns=2, blocks=())


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Outbox]:
    database = Database(folder)
    outbox = Outbox(Spool(database, ROOMY), Clocks(database, bytes(16)))
    try:
        yield outbox
    finally:
        outbox.write_now()
        database.close()


def seconds_to_write(outbox: Outbox) -> float:
    assert outbox._timer
    return outbox._timer.when() - asyncio.get_running_loop().time()


def test_a_frame_comes_from_any_thread_and_wakes_the_sender(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            threading.Thread(target=outbox.hand_over, args=(frame(),)).start()
            await asyncio.wait_for(outbox.wake.wait(), 30)
            assert len(everything(outbox.spool)) == 1

    asyncio.run(main())


def test_an_event_follows_the_frames_that_were_handed_over_before_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            outbox.hand_over(frame("run-1"))
            outbox.put_event(FINISHED)
            kinds = [message.WhichOneof("body") for message in everything(outbox.spool)]
            assert kinds == ["frame", "run_event"]

    asyncio.run(main())


def test_run_data_is_written_soon_and_idle_telemetry_late(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            outbox.hand_over(frame())
            outbox._take_frames()
            assert 50 < seconds_to_write(outbox) <= 60
            outbox.put_event(FINISHED)
            assert seconds_to_write(outbox) <= 1
            outbox.hand_over(frame())
            outbox._take_frames()
            assert seconds_to_write(outbox) <= 1, "what is late does not delay what is soon"

    asyncio.run(main())


def test_nothing_wakes_the_agent_for_what_was_acknowledged_before_it_was_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            outbox.put_event(FINISHED)
            outbox.put_event(FINISHED)
            outbox.acknowledge(1)
            assert seconds_to_write(outbox) <= 1, "one of them waits"
            outbox.acknowledge(2)
            assert outbox._timer is None

    asyncio.run(main())


def test_what_was_added_is_there_after_a_close_and_written_in_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            outbox.put_event(FINISHED)
            outbox._write()
            assert not outbox.spool.dirty
            outbox.hand_over(frame())
        async with opened(tmp_path) as outbox:
            assert len(everything(outbox.spool)) == 2

    asyncio.run(main())


def test_a_disk_that_is_full_is_told_once_and_its_recovery_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with opened(tmp_path) as outbox:
            connection = outbox.spool._database._connection
            connection.execute("PRAGMA max_page_count = 1")
            for _ in range(3):
                for _ in range(100):
                    outbox.put_event(RunFinished(run_id="x" * 100, state=RunState.FAILED, monotonic_ns=1))
                outbox._write()
            assert seconds_to_write(outbox) <= 60, "it is tried again"
            connection.execute("PRAGMA max_page_count = 100000")
            outbox._write()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    assert caplog.messages == [
        "the spool cannot be written: database or disk is full; free space on its disk",
        "the spool can be written again",
    ]
