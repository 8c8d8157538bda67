"""Small tasks of counting and arithmetic that a model either does or does not: made by rule, the same for a seed.

A prompt shows two examples and the beginning of a third line, so that models which only continue a text can answer.
Each has one right answer, a whole number. What is asked and how an answer is read belong to `TASK_SET_VERSION`: whoever
changes either raises it, for answers of other versions do not compare.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

TASK_SET_VERSION = 1

# A space, three digits and the end of the line, with a token for each of them, are five.
ANSWER_TOKENS = 8
MOST_ANSWER_CHARACTERS = 64

MOST_PROMPT_BYTES = 96
# A token for each byte at worst, and those that a vocabulary wants around a text.
TASK_CONTEXT_TOKENS = MOST_PROMPT_BYTES + 8 + ANSWER_TOKENS

_COUNTING_TURNS = (0, 2)  # of each five tasks
_TURNS = 5
_SHOWN_TERMS = 4
_MASK = (1 << 64) - 1
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_WORDS = (
    *("ant", "bed", "cup", "oak", "bird", "door", "fish", "lamp", "moon", "rain", "apple", "bread", "chair", "glass"),
    *(
        "horse",
        "paper",
        "river",
        "stone",
        "bottle",
        "bridge",
        "button",
        "candle",
        "flower",
        "garden",
        "market",
        "needle",
    ),
    *("pencil", "window", "balloon", "blanket", "chicken", "evening", "kitchen", "library", "morning", "village"),
    *("building", "children", "elephant", "hospital", "mountain", "notebook", "sandwich", "umbrella"),
)
_THINGS = ("ball", "boat", "book", "coin", "duck", "frog", "goat", "kite", "leaf", "nail", "rope", "shoe")


class TaskKind(str, Enum):
    """What a task asks for."""

    COUNTING = "counting"
    ARITHMETIC = "arithmetic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A prompt, whose last line is the ``question``, and the only right answer to it."""

    kind: TaskKind
    prompt: str
    expected: int

    @property
    def question(self) -> str:
        """The line that the answer ends."""
        return self.prompt.rsplit("\n", 1)[-1]


def make_tasks(seed: int, count: int) -> tuple[Task, ...]:
    """The first ``count`` tasks of a seed, no two of them alike: of each five two count and three calculate."""
    draws = _Draws(seed)
    tasks: dict[str, Task] = {}
    made = dict.fromkeys(TaskKind, 0)
    for place in range(count):
        kind = TaskKind.COUNTING if place % _TURNS in _COUNTING_TURNS else TaskKind.ARITHMETIC
        family = _FAMILIES[kind][made[kind] % len(_FAMILIES[kind])]
        made[kind] += 1
        task = next(each for each in _drawn(kind, family, draws) if each.prompt not in tasks)
        tasks[task.prompt] = task
    return tuple(tasks.values())


def prompts_sha256(tasks: Sequence[Task]) -> str:
    """By which two sides are known to have been asked the same: of the prompts, with a zero byte after each."""
    return hashlib.sha256(b"".join(task.prompt.encode() + b"\0" for task in tasks)).hexdigest()


def answered_number(text: str) -> str:
    """The first number of the first line of what a model wrote, as it wrote it; empty if there is none."""
    found = _NUMBER.search(text.partition("\n")[0])
    return found.group() if found else ""


def is_right(text: str, expected: int) -> bool:
    """Whether the first number of the first line is the one expected: 7, and neither 07 nor 7.0."""
    return answered_number(text) == str(expected)


class _Draws:
    """The SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014), so that no version of Python changes the tasks."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def between(self, lowest: int, highest: int) -> int:
        """The next number from ``lowest`` to ``highest``."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return lowest + (mixed ^ (mixed >> 31)) % (highest - lowest + 1)

    def one_of(self, choices: Sequence[str]) -> str:
        return choices[self.between(0, len(choices) - 1)]


@dataclass(frozen=True, slots=True)
class _Family:
    """Two lines that show what is asked, and what draws a third one with its answer."""

    examples: str
    draw: Callable[[_Draws], tuple[str, int]]


def _drawn(kind: TaskKind, family: _Family, draws: _Draws) -> Iterator[Task]:
    """Tasks of a family, but for those that its examples have answered."""
    while True:
        question, expected = family.draw(draws)
        if f"{question} {expected}" not in family.examples:
            yield Task(kind=kind, prompt=f"{family.examples}{question}", expected=expected)


def _terms(first: int, step: int) -> tuple[str, int]:
    shown = [first + place * step for place in range(_SHOWN_TERMS)]
    return "".join(f"{term}, " for term in shown).rstrip(), first + _SHOWN_TERMS * step


def _up(draws: _Draws) -> tuple[str, int]:
    return _terms(draws.between(1, 95), 1)


def _down(draws: _Draws) -> tuple[str, int]:
    return _terms(draws.between(5, 99), -1)


def _in_steps(draws: _Draws) -> tuple[str, int]:
    step = (2, 3, 4, 5, 10)[draws.between(0, 4)]
    return _terms(draws.between(1, 40), step)


def _letters(draws: _Draws) -> tuple[str, int]:
    word = draws.one_of(_WORDS)
    return f"Letters in {word}:", len(word)


def _things(draws: _Draws) -> tuple[str, int]:
    count = draws.between(2, 9)
    return " ".join([draws.one_of(_THINGS)] * count) + ":", count


def _sum(lowest: int, highest: int) -> Callable[[_Draws], tuple[str, int]]:
    def draw(draws: _Draws) -> tuple[str, int]:
        a, b = draws.between(lowest, highest), draws.between(lowest, highest)
        return f"{a} + {b} =", a + b

    return draw


def _difference(lowest: int, highest: int) -> Callable[[_Draws], tuple[str, int]]:
    def draw(draws: _Draws) -> tuple[str, int]:
        a = draws.between(lowest + 1, highest)
        b = draws.between(lowest, a - 1)
        return f"{a} - {b} =", a - b

    return draw


def _product(lowest: int, highest: int) -> Callable[[_Draws], tuple[str, int]]:
    def draw(draws: _Draws) -> tuple[str, int]:
        a, b = draws.between(lowest, highest), draws.between(2, 9)
        return f"{a} * {b} =", a * b

    return draw


_FAMILIES = {
    TaskKind.COUNTING: (
        _Family("1, 2, 3, 4, 5, 6\n20, 21, 22, 23, 24, 25\n", _up),
        _Family("9, 8, 7, 6, 5, 4\n40, 39, 38, 37, 36, 35\n", _down),
        _Family("2, 4, 6, 8, 10, 12\n15, 20, 25, 30, 35, 40\n", _in_steps),
        _Family("Letters in cat: 3\nLetters in house: 5\n", _letters),
        _Family("hat hat: 2\npen pen pen pen: 4\n", _things),
    ),
    TaskKind.ARITHMETIC: (
        _Family("2 + 3 = 5\n8 + 6 = 14\n", _sum(1, 9)),
        _Family("9 - 4 = 5\n7 - 6 = 1\n", _difference(1, 9)),
        _Family("3 * 4 = 12\n7 * 5 = 35\n", _product(2, 9)),
        _Family("23 + 45 = 68\n57 + 16 = 73\n", _sum(10, 99)),
        _Family("68 - 23 = 45\n73 - 16 = 57\n", _difference(10, 99)),
        _Family("12 * 4 = 48\n35 * 3 = 105\n", _product(11, 99)),
    ),
}
