import signal

import pytest

from edgeprof_agent.engines.ending import describe_status, last_words


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "the engine ended with exit status 0 during decode 48; it said: went away"),
        (3, "the engine ended with exit status 3 during decode 48; it said: went away"),
        (-signal.SIGSEGV, "the engine crashed with SIGSEGV (signal 11) during decode 48; it said: went away"),
        (-signal.SIGTERM, "the engine was ended by SIGTERM (signal 15) during decode 48; it said: went away"),
        (-99, "the engine was ended by signal 99 during decode 48; it said: went away"),
    ],
)
def test_an_end_is_named(status: int, text: str) -> None:
    assert describe_status(status, "decode 48", "went away\n") == text


def test_being_killed_points_to_memory() -> None:
    text = describe_status(-signal.SIGKILL, "the load", "")
    assert text.startswith("the engine was killed by SIGKILL (signal 9) during the load; ")
    assert "out of memory" in text


def test_the_last_line_that_speaks_of_an_error_is_quoted() -> None:
    assert last_words("one\nValueError: two\n  three  \n\n") == "ValueError: two"
    assert last_words("one\n  three  \n\n") == "three"
    assert last_words("\n \n") == ""
    assert len(last_words("x" * 1000)) == 300
