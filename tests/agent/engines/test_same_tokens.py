"""The same tokens for the same seed, and others for another, in what each engine makes of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof_agent.workload.engine_launch import find_launch
from tests.agent.engines.conformance import EACH_ENGINE, Subject, model_of, put_programs_on_the_path
from tests.agent.runners.conftest import built

ROOT = Path(__file__).parents[3]
SEED, OTHER_SEED = "7", "8"
UNTOLD = {
    "llama-bench": "llama-bench chooses its tokens itself, and does not tell which",
    "kalosm": "Kalosm is sent the same words whatever the seed, and its answers are fixed",
}


def said(subject: Subject, model: Path) -> list[list[int] | list[str]]:
    """What the engine says for a seed, for it again, and for another, each after a load of its own."""
    if subject.name == "candle":
        return [said_by_candle(model, seed) for seed in (SEED, SEED, OTHER_SEED)]
    launch = find_launch(subject.name, "", subject.servers)
    command = [sys.executable, "-m", "tests.agent.engines.what_it_said", launch.arguments[-1], str(model)]
    answer = subprocess.run(
        [*command, SEED, SEED, OTHER_SEED],
        env={**launch.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[list[int] | list[str]] = json.loads(answer.stdout.splitlines()[-1])
    return found


def said_by_candle(model: Path, seed: str) -> list[int]:
    command = [built("edgeprof-candle", "runners"), "--next-tokens", str(model), seed, "16", "16"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(word) for word in answer.stdout.split()]


@EACH_ENGINE
def test_a_seed_decides_the_tokens(
    subject: Subject, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_programs_on_the_path(tmp_path, monkeypatch)
    model = model_of(subject, model_folder)
    if subject.name in UNTOLD:
        pytest.skip(UNTOLD[subject.name])
    first, again, other = said(subject, model)
    assert len(first) > 1
    assert first == again
    assert first != other
