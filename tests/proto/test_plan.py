"""Plans: the built-in ones, and what a plan may not say."""

from pathlib import Path

import pytest

from edgeprof.errors import ConfigError, EdgeprofError
from edgeprof.plan import StepKind, Variant
from edgeprof.plan_file import built_in_plan, built_in_plan_names, check_plan, find_plan, read_plan, with_sweep


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


def test_only_plans_that_compare_begin_new_processes() -> None:
    assert [name for name in built_in_plan_names() if built_in_plan(name).fresh_processes] == ["compare"]


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
kind = "perplexity"
text = "/srv/text.txt"
prompt_tokens = 64

[[steps]]
kind = "tasks"

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
        "perplexity 16x64",
        "tasks 100",
        "my own",
    ]
    assert [step.context_tokens for step in plan.steps] == [8, 104, 36, 40, 64, 112, 4]
    assert plan.context_tokens == 112
    assert plan.steps[3].top_count == 16
    assert plan.variants == (Variant(name="default"),)
    assert plan.repetitions == 5


def test_parallel_and_rows_steps_are_named_by_what_they_do(tmp_path: Path) -> None:
    text = """
[[steps]]
kind = "parallel"
sequences = 4
decode_tokens = 32
depth_tokens = 100

[[steps]]
kind = "rows"
rows = 8
decode_tokens = 64
"""
    plan = read_plan(_write(tmp_path, text))

    assert [step.name for step in plan.steps] == ["parallel 4x32 @ 100", "rows 8"]
    assert [step.request_count for step in plan.steps] == [4, 1]
    assert plan.context_tokens == 132
    assert plan.cache_tokens == 132 + 4 * 132


def test_a_sweep_makes_a_variant_of_every_combination(tmp_path: Path) -> None:
    plan = read_plan(_write(tmp_path, f'{_STEP}[sweep]\nthreads = ["1", "2"]\nflash_attention = ["on", "off"]\n'))

    assert [variant.name for variant in plan.variants] == [
        "threads=1 flash_attention=on",
        "threads=1 flash_attention=off",
        "threads=2 flash_attention=on",
        "threads=2 flash_attention=off",
    ]
    assert plan.variants[1].options == {"threads": "1", "flash_attention": "off"}


def test_a_plan_without_variants_can_be_swept() -> None:
    plan = with_sweep(built_in_plan("compare"), {"threads": ("1", "2")})

    assert [variant.options for variant in plan.variants] == [{"threads": "1"}, {"threads": "2"}]
    with pytest.raises(EdgeprofError, match=r"there can be no \[\[variants\]\] beside it"):
        with_sweep(plan, {"batch": ("8",)})


_KINDS = ", ".join(kind.value for kind in StepKind)
_STEP = '[[steps]]\nkind = "prefill"\nprompt_tokens = 8\n'
_REFUSED = {
    "no steps": ("steps = []\n", ":1: a plan needs at least one [[steps]]"),
    "no variants": (
        f"variants = []\n{_STEP}",
        ":2: 'variants' must not be empty; leave it out to run the engine's defaults",
    ),
    "a prefill of nothing": (
        '[[steps]]\nkind = "prefill"\n',
        ":2: 'steps[0].prompt_tokens': a prefill step needs it, 1 or more",
    ),
    "a decode of nothing": (
        f'{_STEP}[[steps]]\nkind = "decode"\n',
        ":5: 'steps[1].decode_tokens': a decode step needs it, 1 or more",
    ),
    "a chat without prompts": (
        '[[steps]]\nkind = "chat"\ndecode_tokens = 4\n',
        ":2: 'steps[0].prompt_tokens': a chat step needs it, 1 or more",
    ),
    "a chat without answers": (
        '[[steps]]\nkind = "chat"\nprompt_tokens = 4\n',
        ":2: 'steps[0].decode_tokens': a chat step needs it, 1 or more",
    ),
    "fidelity on nothing": (
        '[[steps]]\nkind = "fidelity"\n',
        ":2: 'steps[0]': a fidelity step needs 'prompt_tokens' or 'decode_tokens', 1 or more",
    ),
    "more next tokens than are kept": (
        '[[steps]]\nkind = "fidelity"\nprompt_tokens = 1000\ntop_count = 20\n',
        ":2: 'steps[0]': 1000 tokens with 20 next tokens each are more than 16384: take fewer of either",
    ),
    "next tokens of a prefill": (f"{_STEP}top_count = 4\n", ":5: 'steps[0].top_count': a prefill step has none"),
    "a perplexity of no text": (
        '[[steps]]\nkind = "perplexity"\nprompt_tokens = 64\n',
        ":2: 'steps[0].text': a perplexity step needs it, the whole path of a text on the device",
    ),
    "a text whose folder is not told": (
        '[[steps]]\nkind = "perplexity"\nprompt_tokens = 64\ntext = "text.txt"\n',
        ":5: 'steps[0].text': a perplexity step needs it, the whole path of a text on the device",
    ),
    "a window of which nothing would be scored": (
        '[[steps]]\nkind = "perplexity"\ntext = "/t"\nprompt_tokens = 2\n',
        ":5: 'steps[0].prompt_tokens': a window needs 3 tokens or more",
    ),
    "a window after other tokens": (
        '[[steps]]\nkind = "perplexity"\ntext = "/t"\nprompt_tokens = 8\ndepth_tokens = 8\n',
        ":6: 'steps[0].depth_tokens': a perplexity step has none: each window begins with an empty context",
    ),
    "a text of a prefill": (f'{_STEP}text = "/t"\n', ":5: 'steps[0].text': a prefill step has none"),
    "too few tasks": (
        '[[steps]]\nkind = "tasks"\ntasks = 9\n',
        ":4: 'steps[0].tasks': must be 10 or more: of fewer tasks no loss could be shown",
    ),
    "too many tasks": ('[[steps]]\nkind = "tasks"\ntasks = 201\n', ":4: 'steps[0].tasks': expected `int` <= 200"),
    "tasks after other tokens": (
        '[[steps]]\nkind = "tasks"\ndepth_tokens = 8\n',
        ":4: 'steps[0].depth_tokens': a tasks step has none: each task begins with an empty context",
    ),
    "answers of another length": (
        '[[steps]]\nkind = "tasks"\ndecode_tokens = 8\n',
        ":4: 'steps[0].decode_tokens': a tasks step has none",
    ),
    "tasks of a prefill": (f"{_STEP}tasks = 20\n", ":5: 'steps[0].tasks': a prefill step has none"),
    "windows of a prefill": (f"{_STEP}windows = 2\n", ":5: 'steps[0].windows': a prefill step has none"),
    "turns outside a chat": (f"{_STEP}turns = 2\n", ":5: 'steps[0].turns': only a chat step has turns"),
    "tokens that a prefill does not decode": (
        f"{_STEP}decode_tokens = 2\n",
        ":5: 'steps[0].decode_tokens': a prefill step has none",
    ),
    "a prompt that a decode does not read": (
        '[[steps]]\nkind = "decode"\ndecode_tokens = 4\nprompt_tokens = 4\n',
        ":5: 'steps[0].prompt_tokens': a decode step has none",
    ),
    "sequences outside a parallel step": (
        f"{_STEP}sequences = 2\n",
        ":5: 'steps[0].sequences': a prefill step has none",
    ),
    "a parallel step without sequences": (
        '[[steps]]\nkind = "parallel"\ndecode_tokens = 4\n',
        ":2: 'steps[0].sequences': a parallel step needs it, 1 or more",
    ),
    "rows that do not fill their calls": (
        '[[steps]]\nkind = "rows"\nrows = 8\ndecode_tokens = 20\n',
        ":5: 'steps[0].decode_tokens': must fill 2 calls of 8 or more: 16, 24, ...",
    ),
    "nothing but optional steps": (
        f"{_STEP}optional = true\n",
        ":2: a plan needs at least one step that is not 'optional'",
    ),
    "two steps of one name": (_STEP + _STEP, ":5: two steps are called 'prefill 8'; give one another name"),
    "two variants of one name": (
        f'{_STEP}[[variants]]\nname = "a"\n[[variants]]\nname = "a"\n',
        ":7: two variants are called 'a'; give one another name",
    ),
    "a sweep beside variants": (
        f'{_STEP}[[variants]]\nname = "a"\n[sweep]\nthreads = ["1"]\n',
        ":7: 'sweep' makes the variants, so there can be no [[variants]] beside it",
    ),
    "a sweep of too many": (
        f'{_STEP}[sweep]\nthreads = ["1", "2", "3", "4", "5", "6", "7", "8"]\nbatch = {list("123456789")}\n',
        ":5: 'sweep' makes 72 variants; 64 at most",
    ),
    "a sweep of nothing": (
        f"{_STEP}[sweep]\nthreads = []\n",
        ":6: 'sweep.threads': expected `array` of length >= 1",
    ),
    "a sweep of a number": (
        f'{_STEP}[sweep]\nthreads = ["1", 2]\n',
        ":6: 'sweep.threads[1]': expected `str`, got `int`",
    ),
    "fewer repetitions at most than at least": (
        f"{_STEP}[until]\ninterval_ratio = 0.02\nmost_repetitions = 3\n",
        ":7: 'until.most_repetitions': must be 5, the plan's 'repetitions', or more",
    ),
    "an until of nothing": (
        f"{_STEP}[until]\nmost_repetitions = 30\n",
        ":5: 'until': needs 'interval_ratio' or 'settled_seconds', else nothing is waited for",
    ),
    "a kind that does not exist": (
        '[[steps]]\nkind = "prefil"\nprompt_tokens = 8\n',
        f":3: 'steps[0].kind': invalid enum value 'prefil'; expected one of {_KINDS}",
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


def test_every_wrong_key_is_told_from_top_to_bottom(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """repetition = 3
rest_seconds = -1.0

[[steps]]
kind = "decod"
decode_tokens = 4

[[steps]]
decode_tokens = "many"

[limits]
time_seconds = 0.0
""",
    )

    assert check_plan(path) == (
        f"{path}:2: unknown key 'repetition'; did you mean 'repetitions'?",
        f"{path}:3: 'rest_seconds': expected `float` >= 0.0",
        f"{path}:6: 'steps[0].kind': invalid enum value 'decod'; expected one of {_KINDS}",
        f"{path}:9: 'steps[1]': key 'kind' is missing",
        f"{path}:10: 'steps[1].decode_tokens': expected `int`, got `str`",
        f"{path}:13: 'limits.time_seconds': expected `float` > 0.0",
    )


def test_a_plan_without_fault_has_nothing_to_tell(tmp_path: Path) -> None:
    assert check_plan(_write(tmp_path, _STEP)) == ()


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
