"""`edgeprof engines`, as a person runs it."""

import msgspec

from edgeprof.engine import EngineReport
from tests.end_to_end.conftest import Home


def test_the_engines_of_this_device(home: Home) -> None:
    ended = home.run("engines")
    assert ended.status == 0, ended.errors
    assert "llama-cpp-python" in ended.output
    assert "llama.cpp " in ended.output


def test_what_is_missing_names_its_remedy(home: Home) -> None:
    ended = home.run("engines", "--python", "/no/such/python")
    assert ended.status == 1
    assert "/no/such/python" in ended.output
    as_json = home.run("engines", "--json", "--python", "/no/such/python")
    reports = msgspec.json.decode(as_json.output, type=list[EngineReport])
    assert {report.missing for report in reports} == {
        "cannot start the engine: /no/such/python: No such file or directory"
    }
