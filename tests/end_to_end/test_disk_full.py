"""A disk without room: one line that says so, and nothing lost but what had no room."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.end_to_end.conftest import Ended, Home

TINY = "synth:tiny@q4_0"

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount the small disk that this test fills"),
]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Makes disks, each with so many bytes of room left."""
    mounted: list[Path] = []

    def make(name: str, room_bytes: int) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        (folder / "ballast").write_bytes(bytes(4 * 2**20 - room_bytes))
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def only_line(ended: Ended) -> str:
    assert ended.status == 2, ended.output + ended.errors
    (line,) = ended.errors.splitlines()
    assert line.startswith("edgeprof: ")
    assert "No space left" in line or "make room" in line or "full" in line
    return line


def test_report_without_room_leaves_the_run_and_nothing_half_written(
    home: Home, full_disk: Callable[[str, int], Path]
) -> None:
    reports = full_disk("reports", 20_000)
    line = only_line(home.run("profile", TINY, "--repetitions", "1", "--output", str(reports)))
    assert str(reports) in line
    assert [path.name for path in reports.iterdir()] == ["ballast"]
    (run,) = msgspec.json.decode(home.run("runs", "--json").output)
    assert run["state"] == "succeeded"
    assert f"edgeprof show {run['run_id']} --output" in line
    elsewhere = home.run("show", run["run_id"], "--output", str(home.folder / "elsewhere"))
    assert elsewhere.status == 0, elsewhere.errors
    assert list((home.folder / "elsewhere").glob("*.html"))


@pytest.mark.parametrize("kind", ["data", "state"])
def test_store_and_state_without_room(home: Home, full_disk: Callable[[str, int], Path], kind: str) -> None:
    disk = full_disk(f"{kind}-disk", 0)
    full = Home(home.environment | {f"XDG_{kind.upper()}_HOME": str(disk)}, home.folder)
    line = only_line(full.run("profile", TINY, "--repetitions", "1"))
    assert str(disk) in line


def test_model_without_room(home: Home, full_disk: Callable[[str, int], Path]) -> None:
    disk = full_disk("cache-disk", 200_000)
    full = Home(home.environment | {"XDG_CACHE_HOME": str(disk)}, home.folder)
    line = only_line(full.run("profile", TINY, "--repetitions", "1"))
    assert str(disk) in line
    assert not [path for path in (disk / "edgeprof" / "models").iterdir() if path.stat().st_size]  # a lock is empty
