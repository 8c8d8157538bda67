"""Programs that are run to their end, or not so far."""

import sys
from pathlib import Path
from time import monotonic_ns

import pytest

from edgeprof_agent.engines.program_run import run_program

SPEAK = "import sys, time; sys.stderr.write('one\\n'); sys.stderr.flush(); input_ = print('out'); sys.exit(3)"


def go_on() -> None:
    pass


def test_what_it_writes_is_kept_apart_with_the_times_of_its_lines() -> None:
    before_ns = monotonic_ns()
    ended = run_program([sys.executable, "-c", SPEAK], go_on)
    assert (ended.status, ended.output) == (3, "out\n")
    (line,) = ended.lines
    assert line.text == "one"
    assert before_ns < line.monotonic_ns < monotonic_ns()
    assert ended.ending() == "ended with exit status 3"


def test_a_line_without_an_end_is_a_line() -> None:
    ended = run_program([sys.executable, "-c", "import sys; sys.stderr.write('a\\nb')"], go_on)
    assert [line.text for line in ended.lines] == ["a", "b"]


def test_a_signal_is_named() -> None:
    ended = run_program([sys.executable, "-c", "import os; os.abort()"], go_on)
    assert ended.ending() == "was ended by SIGABRT (signal 6)"


def test_it_ends_at_once_when_it_is_no_longer_wanted(tmp_path: Path) -> None:
    """The program holds a file open that nobody else has: it is gone when the file can be locked."""
    import fcntl

    held = tmp_path / "held"
    program = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "sys.stderr.write('here\\n'); sys.stderr.flush(); time.sleep(1000)"
    )

    class NoLongerWantedError(Exception):
        pass

    def check() -> None:
        if held.exists():
            raise NoLongerWantedError

    with pytest.raises(NoLongerWantedError):
        run_program([sys.executable, "-c", program, str(held)], check)
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
