"""Whatever a device sends, its run can be judged and shown."""

import io
import random
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

import pytest
from rich.console import Console

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.report.html import render
from edgeprof_collector.report.text import print_verdict
from tests.collector.analysis.sample_run import DEVICE, GPU, Scenario, sample_run

WHOLE_NUMBERS = (0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
NUMBERS = (0.0, -1.0, float("inf"), float("nan"), 1e308, 1e-320)


@cache
def healthy() -> tuple[RunRecord, tuple[Series, ...]]:
    record, telemetry = sample_run(Scenario(device=replace(DEVICE, accelerators=(GPU,))))
    return record, collect_series(telemetry)


def damage(value: Any, chance: random.Random) -> Any:
    """The value with one number somewhere in it replaced by an extreme one, or one collection emptied."""
    if is_dataclass(value) and not isinstance(value, type):
        field = chance.choice(fields(value))
        return replace(value, **{field.name: damage(getattr(value, field.name), chance)})
    if isinstance(value, tuple) and value:
        place = chance.randrange(len(value))
        return (*value[:place], damage(value[place], chance), *value[place + 1 :]) if chance.random() < 0.9 else ()
    if isinstance(value, dict):
        return {} if chance.random() < 0.5 else {key: damage(content, chance) for key, content in value.items()}
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice(WHOLE_NUMBERS)
    return chance.choice(NUMBERS) if isinstance(value, float) else value


@pytest.mark.prove(short=20, whole=3000)
def test_a_damaged_run_is_judged_and_shown(proof_seed: int) -> None:
    chance = random.Random(proof_seed)
    record, series = healthy()
    for _ in range(chance.choice((1, 1, 2, 5))):
        record = damage(record, chance)
    verdict = analyse(record, series)
    assert render(record, series, verdict).endswith("</html>")
    print_verdict(verdict, Console(file=io.StringIO(), width=80))
