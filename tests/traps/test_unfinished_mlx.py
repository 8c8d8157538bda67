"""MLX without `mx.eval`: a prompt is queued in no time, and the token after it pays."""

import importlib.util
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Variant
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import HASTY_ENGINE, Lab, chat, decode, plan_of, prefill

MODEL = "synth:tiny@hf-f16"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlx_lm") is None, reason="mlx-lm is not installed: pip install 'edgeprof[mlx]'"
)


def plan(*, waits: str) -> Plan:
    steps = (prefill(64), decode(6), chat(2, 64, 5))
    return replace(plan_of(*steps, repetitions=2), variants=(Variant(name="only", options={"waits": waits}),))


def test_queued_prompts_are_found_by_the_token_that_pays_for_them(lab: Lab) -> None:
    recorded = lab.run(plan(waits="false"), model=MODEL, engine=HASTY_ENGINE)
    prompt, conversation = recorded.found(FindingName.UNFINISHED_WORK)
    assert prompt.severity is Severity.INVALID
    assert "less than one decoded token" in prompt.evidence
    assert conversation.title.startswith("chat: ")
    assert "the prompt was still being processed when its clock stopped" in conversation.evidence


def test_prompts_that_are_waited_for_are_no_finding(lab: Lab) -> None:
    recorded = lab.run(plan(waits="true"), model=MODEL, engine=HASTY_ENGINE)
    assert recorded.found(FindingName.UNFINISHED_WORK) == ()
