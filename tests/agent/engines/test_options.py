import pytest

from edgeprof_agent.engines.engine import EngineError
from edgeprof_agent.engines.options import Option, read_options, write_value

OPTIONS = (
    Option("threads", "integer", "4", "", minimum=1, maximum=64),
    Option("layers", "integer", "-1", "", minimum=-1),
    Option("seed", "integer", "0", ""),
    Option("mlock", "boolean", "false", ""),
    Option("cache", "choice", "f16", "", choices=("f16", "q8_0")),
    Option("base", "number", "0", "", minimum=0),
    Option("shares", "text", "", ""),
)


def test_what_is_not_given_has_its_default() -> None:
    defaults = {"threads": 4, "layers": -1, "seed": 0, "mlock": False, "cache": "f16", "base": 0.0, "shares": ""}
    assert read_options("e", OPTIONS, {}) == defaults


def test_what_is_given_is_read_by_its_kind() -> None:
    given = {
        "threads": "64",
        "layers": "12",
        "seed": "-5",
        "mlock": "true",
        "cache": "q8_0",
        "base": "1.5",
        "shares": "3,1",
    }
    values = read_options("e", OPTIONS, given)
    assert list(values.values()) == [64, 12, -5, True, "q8_0", 1.5, "3,1"]
    assert {name: write_value(value) for name, value in values.items()} == given


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (
            {"thread": "1"},
            "no option 'thread'; did you mean 'threads'? It has threads, layers, seed, mlock, cache, base, shares",
        ),
        ({"zzz": "1"}, "no option 'zzz'; it has threads, layers, seed, mlock, cache, base, shares"),
        ({"threads": "0"}, "'threads' cannot be '0': expected a whole number from 1 to 64"),
        ({"threads": "65"}, "'threads' cannot be '65': expected a whole number from 1 to 64"),
        ({"threads": "two"}, "'threads' cannot be 'two': expected a whole number from 1 to 64"),
        ({"layers": "-2"}, "'layers' cannot be '-2': expected a whole number, -1 or more"),
        ({"seed": ""}, "'seed' cannot be '': expected a whole number"),
        ({"mlock": "1"}, "'mlock' cannot be '1': expected true or false"),
        ({"base": "-0.5"}, "'base' cannot be '-0.5': expected a number, 0 or more"),
        ({"base": "nan"}, "'base' cannot be 'nan': expected a number, 0 or more"),
        ({"base": "inf"}, "'base' cannot be 'inf': expected a number, 0 or more"),
        ({"cache": "q4"}, "'cache' cannot be 'q4': expected one of f16, q8_0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, str], cause: str) -> None:
    with pytest.raises(EngineError) as refused:
        read_options("e", OPTIONS, given)
    assert str(refused.value).endswith(cause)
