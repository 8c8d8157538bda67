"""When a list of all processes is worth its price."""

import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof_agent.sensors.birth_watch import BirthWatch


def tell(proc: Path, newest: int) -> None:
    (proc / "loadavg").write_text(f"0.20 0.18 0.12 1/80 {newest}\n")


def test_a_number_at_rest_is_looked_at_once_more_and_then_no_longer(tmp_path: Path) -> None:
    watch = BirthWatch(tmp_path)
    tell(tmp_path, 4001)
    assert [watch.is_worth_a_look() for _ in range(4)] == [True, True, False, False]
    tell(tmp_path, 4002)
    assert [watch.is_worth_a_look() for _ in range(4)] == [True, True, False, False]
    watch.close()


def test_forgetting_makes_it_look_again(tmp_path: Path) -> None:
    watch = BirthWatch(tmp_path)
    tell(tmp_path, 4001)
    assert [watch.is_worth_a_look() for _ in range(3)] == [True, True, False]
    watch.close()
    assert watch.is_worth_a_look()
    watch.close()


def test_without_the_file_each_look_is_worth_it(tmp_path: Path) -> None:
    watch = BirthWatch(tmp_path)
    assert [watch.is_worth_a_look() for _ in range(3)] == [True, True, True]
    (tmp_path / "loadavg").write_text("")
    assert [watch.is_worth_a_look() for _ in range(3)] == [True, True, True]
    watch.close()


@pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="there is no /proc")
def test_a_process_that_is_born_here_is_worth_a_look() -> None:
    watch = BirthWatch(Path("/proc"))
    for _ in range(5):
        watch.is_worth_a_look()
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)
        assert watch.is_worth_a_look()
    watch.close()
