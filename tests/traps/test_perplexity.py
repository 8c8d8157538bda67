"""Weights and caches that make a model foresee a text otherwise, from the plan to the comparison."""

from dataclasses import replace
from pathlib import Path

from edgeprof.plan import Step, StepKind

from .lab import SPOILT_ENGINE, Lab, decode, plan_of

TEXT = "A device in the field answers slowly, and nobody knows why it does so. \n" * 40


def perplexity(folder: Path) -> Step:
    text = folder / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    return Step(kind=StepKind.PERPLEXITY, name="text", prompt_tokens=64, windows=6, text=str(text))


def test_damaged_weights_change_it_and_the_same_weights_do_not(lab: Lab, tmp_path: Path) -> None:
    variants = {"sound": {}, "same": {}, "damaged": {"spoilt": "damages its weights"}}
    plan = plan_of(perplexity(tmp_path), decode(4), repetitions=2, variants=variants)
    recorded = lab.run(plan, engine=SPOILT_ENGINE)
    sound, same, damaged = recorded.verdict.perplexity
    assert (sound.change_ratio, same.change_ratio) == (None, 0.0)
    assert (sound.window_count, sound.token_count) == (6, 6 * 31)
    assert sound.lowest <= sound.perplexity <= sound.highest
    assert damaged.change_ratio is not None
    assert damaged.change_ratio > 0.01


def test_a_run_may_score_a_text_alone(lab: Lab, tmp_path: Path) -> None:
    step = replace(perplexity(tmp_path), windows=2)
    recorded = lab.run(plan_of(step, repetitions=3))
    [found] = recorded.verdict.perplexity
    assert found.window_count == 2
    assert recorded.verdict.steps == ()
