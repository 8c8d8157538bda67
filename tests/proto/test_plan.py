"""Plans: the built-in ones, and what a plan may not say."""

from pathlib import Path

import pytest

from edgeprof.errors import ConfigError, EdgeprofError
from edgeprof.plan import StepKind, Variant, built_in_plan, built_in_plan_names, find_plan, read_plan


def _write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(f'name = "mine"\n{text}', encoding="utf-8")
    return path


@pytest.mark.parametrize("name", built_in_plan_names())
def test_a_built_in_plan_can_be_read(name: str) -> None:
    plan = built_in_plan(name)

    assert plan.name == name
    assert plan.description
    assert all(step.name for step in plan.steps)


def test_quick_is_built_in() -> None:
    assert [step.kind for step in built_in_plan("quick").steps] == [
        StepKind.PREFILL,
        StepKind.DECODE,
        StepKind.DECODE,
        StepKind.CHAT,
    ]


def test_an_unknown_plan_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EdgeprofError, match=r"no plan is called 'quikc': use one of .*quick.*, or the path of a TOML"):
        built_in_plan("quikc")


def test_a_plan_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    path = _write(tmp_path, '[[steps]]\nkind = "prefill"\nprompt_tokens = 8\n')

    assert find_plan("quick") == built_in_plan("quick")
    assert find_plan(str(path)).name == "mine"


def test_a_plan_has_defaults_and_named_steps(tmp_path: Path) -> None:
    text = """
[[steps]]
kind = "prefill"
prompt_tokens = 8

[[steps]]
kind = "decode"
decode_tokens = 4
depth_tokens = 100

[[steps]]
kind = "chat"
turns = 3
prompt_tokens = 8
decode_tokens = 4

[[steps]]
kind = "fidelity"
prompt_tokens = 32
decode_tokens = 8

[[steps]]
kind = "decode"
name = "my own"
decode_tokens = 4
"""
    plan = read_plan(_write(tmp_path, text))

    assert [step.name for step in plan.steps] == [
        "prefill 8",
        "decode 4 @ 100",
        "chat 3x(8+4)",
        "fidelity 32+8",
        "my own",
    ]
    assert [step.context_tokens for step in plan.steps] == [8, 104, 36, 40, 4]
    assert plan.context_tokens == 104
    assert plan.steps[3].top_count == 16
    assert plan.variants == (Variant(name="default"),)
    assert plan.repetitions == 5


_STEP = '[[steps]]\nkind = "prefill"\nprompt_tokens = 8\n'
_REFUSED = {
    "no steps": ("steps = []\n", ": a plan needs at least one [[steps]]"),
    "no variants": (
        f"variants = []\n{_STEP}",
        ": 'variants' must not be empty; leave it out to run the engine's defaults",
    ),
    "a prefill of nothing": (
        '[[steps]]\nkind = "prefill"\n',
        ": step 1: a prefill step needs 'prompt_tokens', 1 or more",
    ),
    "a decode of nothing": (
        f'{_STEP}[[steps]]\nkind = "decode"\n',
        ": step 2: a decode step needs 'decode_tokens', 1 or more",
    ),
    "a chat without prompts": (
        '[[steps]]\nkind = "chat"\ndecode_tokens = 4\n',
        ": step 1: a chat step needs 'prompt_tokens', 1 or more",
    ),
    "a chat without answers": (
        '[[steps]]\nkind = "chat"\nprompt_tokens = 4\n',
        ": step 1: a chat step needs 'decode_tokens', 1 or more",
    ),
    "fidelity on nothing": (
        '[[steps]]\nkind = "fidelity"\n',
        ": step 1: a fidelity step needs 'prompt_tokens' or 'decode_tokens', 1 or more",
    ),
    "more next tokens than are kept": (
        '[[steps]]\nkind = "fidelity"\nprompt_tokens = 1000\ntop_count = 20\n',
        ": step 1: 1000 tokens with 20 next tokens each are more than 16384: take fewer of either",
    ),
    "next tokens of a prefill": (f"{_STEP}top_count = 4\n", ": step 1: only a fidelity step has 'top_count'"),
    "turns outside a chat": (f"{_STEP}turns = 2\n", ": step 1: only a chat step has 'turns'"),
    "tokens that a prefill does not decode": (
        f"{_STEP}decode_tokens = 2\n",
        ": step 1: a prefill step has no 'decode_tokens'",
    ),
    "a prompt that a decode does not read": (
        '[[steps]]\nkind = "decode"\ndecode_tokens = 4\nprompt_tokens = 4\n',
        ": step 1: a decode step has no 'prompt_tokens'",
    ),
    "two steps of one name": (_STEP + _STEP, ": two steps are called 'prefill 8'; give one another name"),
    "two variants of one name": (
        f'{_STEP}[[variants]]\nname = "a"\n[[variants]]\nname = "a"\n',
        ": two variants are called 'a'; give one another name",
    ),
    "a kind that does not exist": (
        '[[steps]]\nkind = "prefil"\nprompt_tokens = 8\n',
        ":3: 'steps[0].kind': invalid enum value 'prefil'; expected one of prefill, decode, chat, fidelity",
    ),
    "a negative count": (
        '[[steps]]\nkind = "prefill"\nprompt_tokens = -8\n',
        ":4: 'steps[0].prompt_tokens': expected `int` >= 0",
    ),
    "an option that is no text": (
        f'{_STEP}[[variants]]\nname = "a"\n[variants.options]\nflash = "on"\nthreads = 2\n',
        ":9: 'variants[0].options.threads': expected `str`, got `int`",
    ),
    "no repetitions": (f"repetitions = 0\n{_STEP}", ":2: 'repetitions': expected `int` >= 1"),
    "a misspelt limit": (
        f"{_STEP}[limits]\ntime_second = 5\n",
        ":6: unknown key 'limits.time_second'; did you mean 'time_seconds'?",
    ),
}


@pytest.mark.parametrize(("text", "expected"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_plan_that_cannot_be_run_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = _write(tmp_path, text)

    with pytest.raises(ConfigError) as refused:
        read_plan(path)

    assert str(refused.value) == f"{path}{expected}"


def test_a_plan_without_steps_at_all_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, "")

    with pytest.raises(ConfigError) as refused:
        read_plan(path)

    assert str(refused.value) == f"{path}:1: key 'steps' is missing"
