"""Disks without space, at either end: nothing that was promised is lost, and work goes on when there is room again."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof_collector.store.sqlite import SqliteStore
from tests.agent.uplink.spooling import fill
from tests.collector.intake.device import running_intake
from tests.collector.service import CollectorProcess
from tests.faults.agent import agent
from tests.faults.traffic import check_store

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts file systems, which needs root"),
]


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own with a size."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_agents_disk_is_full_while_a_run_streams(tmp_path: Path) -> None:
    async def scenario(disk: Path, port: int) -> None:
        async with agent(disk, port) as one:
            one.begin_run()
            await one.sample(range(1, 101))
            fill(disk)
            await one.sample(range(101, 301))  # from memory to the collector, though nothing can be written
            await one.all_acknowledged()
            assert not one.spool.status().drops.disk_full
            (disk / "filler").unlink()
            await one.sample(range(301, 401))
            await one.all_acknowledged()
            assert one.spool.flush(force=True)

    with small_disk(tmp_path / "disk", "4m") as disk, CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(disk, collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", range(1, 401))


def test_the_collectors_disk_is_full_for_a_while(tmp_path: Path) -> None:
    """The collector refuses; the agent keeps everything and delivers it when there is room."""

    async def scenario(disk: Path) -> None:
        async with running_intake(disk, store=SqliteStore(disk / "edgeprof.sqlite")) as running:
            async with agent(tmp_path / "agent", running.port) as one:
                one.begin_run()
                await one.sample(range(1, 101))
                await one.all_acknowledged()
                fill(disk)
                await one.sample(range(101, 2501))
                assert not one.spool.empty
                (disk / "filler").unlink()
                await one.all_acknowledged()
            check_store(disk / "edgeprof.sqlite", range(1, 2501))

    with small_disk(tmp_path / "disk", "8m") as disk:
        asyncio.run(scenario(disk))
