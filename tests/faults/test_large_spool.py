"""A spool of a gigabyte opens by reading a few pages, and is read page by page."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from edgeprof_agent.uplink.bounds import Bounds
from tests.agent.uplink.spooling import append_frames, opened

MB = 1_000_000
ROOMY = Bounds(max_bytes=10**10, max_age_seconds=1e9)
MESSAGE_BYTES = 4000

_READER = """
import json, sys
from pathlib import Path
import psutil
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.spool import Spool
from tests.faults.test_large_spool import ROOMY

this = psutil.Process()
before_bytes, before_resident = this.io_counters().read_chars, this.memory_info().rss
database = Database(Path(sys.argv[1]))
spool = Spool(database, ROOMY)
opened_bytes = this.io_counters().read_chars - before_bytes
oldest, newest = spool.oldest_sequence, spool.newest_sequence
tags, sequence = 0, 0
for _ in range(50):
    page = spool.read_after(sequence, 64)
    tags += len(page)
    sequence = page[-1].sequence
print(json.dumps({
    "opened_bytes": opened_bytes,
    "read_bytes": this.io_counters().read_chars - before_bytes,
    "resident_bytes": this.memory_info().rss - before_resident,
    "oldest": oldest, "newest": newest, "messages": tags,
}))
database.close()
"""


class Opening(NamedTuple):
    """What it took a new process to open a spool and to read fifty pages of messages."""

    opened_bytes: int
    read_bytes: int
    resident_bytes: int
    oldest: int
    newest: int
    messages: int


def opening(folder: Path) -> Opening:
    """Open the spool in a process of its own."""
    reader = subprocess.run(
        [sys.executable, "-c", _READER, str(folder)], stdout=subprocess.PIPE, check=True, text=True, timeout=120
    )
    return Opening(**json.loads(reader.stdout))


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux tells how much a process has read")
@pytest.mark.timeout(600)
@pytest.mark.prove(short=1, whole=1)
def test_a_large_spool_opens_by_a_few_pages(tmp_path: Path, proof_seed: int, pytestconfig: pytest.Config) -> None:
    """A gigabyte, 50 MB in short. It costs the same as a spool of 5 MB."""
    size_bytes = (1000 if pytestconfig.getoption("--prove") else 50) * MB
    count = size_bytes // MESSAGE_BYTES
    with opened(tmp_path / "large", ROOMY) as spool:
        append_frames(spool, range(1, count + 1), padding=MESSAGE_BYTES)
    assert (tmp_path / "large" / "spool.db").stat().st_size > size_bytes
    found = opening(tmp_path / "large")
    assert (found.oldest, found.newest, found.messages) == (1, count, 50 * 64)
    assert found.opened_bytes < MB / 2
    assert found.read_bytes < found.opened_bytes + 3 * 50 * 64 * MESSAGE_BYTES
    assert found.resident_bytes < 12 * MB
