"""What a person reads when a TOML file is wrong: the file, the line, the key, and what was expected."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from edgeprof.errors import ConfigError
from edgeprof.toml_reader import read_toml


class _Colour(str, Enum):
    RED = "red"
    DEEP_BLUE = "deep_blue"


@dataclass(frozen=True, kw_only=True)
class _Wheel:
    spokes: Annotated[int, Meta(ge=1)]
    colour: _Colour = _Colour.RED


@dataclass(frozen=True, kw_only=True)
class _Engine:
    watts: float = 250.0
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Bicycle:
    name: str
    wheels: tuple[_Wheel, ...] = ()
    engine: _Engine | None = None
    gears: Annotated[int, Meta(ge=1, le=30)] = 7


def _write(folder: Path, text: str) -> Path:
    path = folder / "bicycle.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_becomes_the_value(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """
name = "roadster"
gears = 3

[[wheels]]
spokes = 32
colour = "deep_blue"

[[wheels]]
spokes = 36

[engine]
watts = 100
options = { boost = "on" }
""",
    )

    assert read_toml(path, _Bicycle) == _Bicycle(
        name="roadster",
        gears=3,
        wheels=(_Wheel(spokes=32, colour=_Colour.DEEP_BLUE), _Wheel(spokes=36)),
        engine=_Engine(watts=100.0, options={"boost": "on"}),
    )


_WRONG = {
    "unknown key, with its likely meaning": (
        'name = "x"\ngaers = 3\n',
        "2: unknown key 'gaers'; did you mean 'gears'?",
    ),
    "unknown key, like none": (
        'name = "x"\n\nbell = true\n',
        "3: unknown key 'bell'; expected one of name, wheels, engine, gears",
    ),
    "unknown key in a table": (
        'name = "x"\n[engine]\nwatts = 1.0\nwats = 2.0\n',
        "4: unknown key 'engine.wats'; did you mean 'watts'?",
    ),
    "unknown key in the second of an array of tables": (
        'name = "x"\n[[wheels]]\nspokes = 1\n[[wheels]]\nspokes = 2\nspoke = 3\n',
        "6: unknown key 'wheels[1].spoke'; did you mean 'spokes'?",
    ),
    "unknown key in an inline table": (
        'name = "x"\nengine = { wats = 2.0 }\n',
        "2: unknown key 'engine.wats'; did you mean 'watts'?",
    ),
    "wrong type": (
        'name = "x"\ngears = "many"\n',
        "2: 'gears': expected `int`, got `str`",
    ),
    "wrong type of a table": (
        'name = "x"\nengine = 3\n',
        "2: 'engine': expected `table`, got `int`",
    ),
    "an array of tables for a table": (
        'name = "x"\n[[engine]]\nwatts = 1.0\n',
        "2: 'engine': expected `table`, got `array`",
    ),
    "a table for an array of tables": (
        'name = "x"\n[wheels]\nspokes = 1\n',
        "2: 'wheels': expected `array`, got `table`",
    ),
    "wrong type of a table's value": (
        'name = "x"\n[engine.options]\nboost = 3\n',
        "3: 'engine.options.boost': expected `str`, got `int`",
    ),
    "a word that is none of the choices": (
        'name = "x"\n[[wheels]]\nspokes = 1\ncolour = "green"\n',
        "4: 'wheels[0].colour': invalid enum value 'green'; expected one of red, deep_blue",
    ),
    "below the range": (
        'name = "x"\ngears = 0\n',
        "2: 'gears': expected `int` >= 1",
    ),
    "above the range": (
        'name = "x"\ngears = 31\n',
        "2: 'gears': expected `int` <= 30",
    ),
    "a key missing": (
        "gears = 3\n",
        "1: key 'name' is missing",
    ),
    "a key missing in an array of tables": (
        'name = "x"\n[[wheels]]\nspokes = 1\n[[wheels]]\ncolour = "red"\n',
        "4: 'wheels[1]': key 'spokes' is missing",
    ),
}


@pytest.mark.parametrize(("text", "expected"), _WRONG.values(), ids=_WRONG.keys())
def test_a_wrong_file_is_refused_with_one_clear_line(tmp_path: Path, text: str, expected: str) -> None:
    path = _write(tmp_path, text)

    with pytest.raises(ConfigError) as refused:
        read_toml(path, _Bicycle)

    assert str(refused.value) == f"{path}:{expected}"


def test_what_is_no_toml_is_refused_with_its_position(tmp_path: Path) -> None:
    path = _write(tmp_path, 'name = "x"\ngears = = 3\n')

    with pytest.raises(ConfigError, match=r"bicycle\.toml: not valid TOML: .*line 2"):
        read_toml(path, _Bicycle)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"

    with pytest.raises(ConfigError) as refused:
        read_toml(path, _Bicycle)

    assert str(refused.value) == f"{path}: cannot be read: No such file or directory"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError) as refused:
        read_toml(path, _Bicycle)

    assert str(refused.value) == f"{path}: cannot be read: it is not UTF-8 text"
