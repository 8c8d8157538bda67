"""The tasks of a set: the same for ever, all different, each with its one right answer; and how an answer is read."""

import re

import pytest

from edgeprof.plan import LEAST_TASKS, MOST_TASKS
from edgeprof.task_set import (
    MOST_PROMPT_BYTES,
    TASK_SET_VERSION,
    Task,
    TaskKind,
    answered_number,
    is_right,
    make_tasks,
    prompts_sha256,
)


def test_the_tasks_of_a_version_never_change() -> None:
    assert TASK_SET_VERSION == 1
    assert prompts_sha256(make_tasks(1, 100)) == "cb4365a4b74ecb3b3a9f8a498b4b93a86c1f077c1ca2990cb3514c5cd3d19d69"


def test_fewer_tasks_of_a_seed_are_the_first_of_more_and_another_seed_has_others() -> None:
    assert make_tasks(5, MOST_TASKS)[:LEAST_TASKS] == make_tasks(5, LEAST_TASKS)
    assert make_tasks(6, 50) != make_tasks(5, 50)


def test_of_each_five_two_count_and_three_calculate() -> None:
    kinds = [task.kind for task in make_tasks(1, 50)]
    assert (kinds.count(TaskKind.COUNTING), kinds.count(TaskKind.ARITHMETIC)) == (20, 30)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1, 987654321])
def test_all_are_different_short_and_not_answered_by_their_examples(seed: int) -> None:
    tasks = make_tasks(seed, MOST_TASKS)
    assert len({task.prompt for task in tasks}) == MOST_TASKS
    assert max(len(task.prompt.encode()) for task in tasks) <= MOST_PROMPT_BYTES
    for task in tasks:
        *examples, question = task.prompt.split("\n")
        assert question == task.question
        assert len(examples) == 2
        assert not any(f"{question} {task.expected}" in example for example in examples)


@pytest.mark.parametrize("seed", range(20))
def test_the_expected_answer_is_the_right_one(seed: int) -> None:
    for task in make_tasks(seed, MOST_TASKS):
        assert task.expected == _worked_out(task), task


def _worked_out(task: Task) -> int:
    """By another way than the set's own: from the question alone."""
    if task.kind is TaskKind.ARITHMETIC:
        a, sign, b = re.fullmatch(r"(\d+) ([-+*]) (\d+) =", task.question).groups()  # type: ignore[union-attr]
        return {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign]
    if letters := re.fullmatch(r"Letters in ([a-z]+):", task.question):
        return len(letters.group(1))
    if task.question.endswith(":"):
        return task.question.count(" ") + 1
    terms = [int(term) for term in task.question.rstrip(",").split(", ")]
    return 2 * terms[-1] - terms[-2]


_ANSWERS = {
    " 41": "41",
    " 41, 42, 43": "41",
    "41\n42": "41",
    " 41.": "41",
    " is 41, I think": "41",
    "-3": "-3",
    " 041": "041",
    " 41.0": "41.0",
    " forty-one": "",
    "": "",
    "\n41": "",
    " \u0664\u0661": "",
}


@pytest.mark.parametrize(("text", "number"), _ANSWERS.items(), ids=repr)
def test_the_first_number_of_the_first_line_counts(text: str, number: str) -> None:
    assert answered_number(text) == number
    assert is_right(text, 41) is (number == "41")
