"""The options an engine declares, and the reading of those it is given."""

from __future__ import annotations

import difflib
import math
import re
from typing import Callable, Mapping, NamedTuple, Sequence, Union

from .engine import EngineError

OptionValue = Union[int, float, bool, str]

KINDS = ("integer", "number", "boolean", "choice", "text", "word")
_NUMBERS: Mapping[str, Callable[[str], Union[int, float]]] = {"integer": int, "number": float}
# A word becomes a part of a server's command. It must not look like another option there, nor name a file.
_WORD = re.compile(r"[A-Za-z0-9_.:,=+][A-Za-z0-9_.:,=+-]*")


class Option(NamedTuple):
    """An option: ``kind`` is one of `KINDS`; ``default`` as a person would write it; the bounds are of numbers.

    The default is empty if it is left to a server, whose own is not known.
    """

    name: str
    kind: str
    default: str
    help: str
    minimum: int | None = None
    maximum: int | None = None
    choices: Sequence[str] = ()


def read_options(engine: str, declared: Sequence[Option], given: Mapping[str, str]) -> dict[str, OptionValue]:
    """Return a value for every declared option: what was given, or else its default.

    Raises:
        EngineError: an option is unknown, or its value is none that it can have.
    """
    refuse_unknown(engine, [option.name for option in declared], given)
    return {option.name: read_value(option, given.get(option.name, option.default)) for option in declared}


def refuse_unknown(engine: str, names: Sequence[str], given: Mapping[str, str]) -> None:
    """Refuse options that the engine does not have.

    Raises:
        EngineError: there is one; the text names the nearest that it has.
    """
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean '{near[0]}'? It has " if near else "it has "
            raise EngineError(f"the engine {engine} has no option '{name}'; {hint}{', '.join(names)}")


def read_value(option: Option, text: str) -> OptionValue:
    """Read one option's value.

    Raises:
        EngineError: ``text`` is no value of this option.
    """
    if text == option.default and (not text or option.kind == "word"):
        return text
    if option.kind == "word" and _WORD.fullmatch(text):
        return text
    if option.kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if option.kind == "text" or (option.kind == "choice" and text in option.choices):
        return text
    if option.kind in _NUMBERS:
        try:
            number = _NUMBERS[option.kind](text)
        except ValueError:
            raise _wrong_value(option, text) from None
        too_small = option.minimum is not None and number < option.minimum
        too_large = option.maximum is not None and number > option.maximum
        if math.isfinite(number) and not too_small and not too_large:
            return number
    raise _wrong_value(option, text)


def write_value(value: OptionValue) -> str:
    """The text that `read_value` reads as ``value``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong_value(option: Option, text: str) -> EngineError:
    if option.kind == "boolean":
        expected = "true or false"
    elif option.kind == "choice":
        expected = "one of " + ", ".join(option.choices)
    elif option.kind == "word":
        expected = "letters, digits and _.:,=+-, not beginning with -"
    else:
        expected = "a whole number" if option.kind == "integer" else "a number"
        if option.maximum is not None:
            expected += f" from {option.minimum} to {option.maximum}"
        elif option.minimum is not None:
            expected += f", {option.minimum} or more"
    return EngineError(f"the option '{option.name}' cannot be '{text}': expected {expected}")
