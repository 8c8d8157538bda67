"""A run beside the runs of its model in other quantisations, out of a real store."""

from dataclasses import replace

import pytest

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Finding
from edgeprof_collector.client import LocalClient
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.analysis.sample_run import MODEL, Scenario
from tests.collector.stored_samples import store_sample

WIDE = replace(MODEL, name="synth:llama-3.2-1b@q8_0", quantisation="Q8_0", weight_bytes_read_per_token=1_320_000_000)


def found_in(store: SqliteStore, run_id: str) -> tuple[Finding, ...]:
    client = LocalClient(store)
    findings = judge_run(client, client.run(run_id)).verdict.findings
    return tuple(each for each in findings if each.name is FindingName.QUANTISATION_OFF_LINE)


@pytest.mark.parametrize(("decode_rate", "is_found"), [(12.5, False), (8.0, False), (4.0, True)])
def test_a_wider_one_may_be_slower_by_its_bytes(store: SqliteStore, decode_rate: float, *, is_found: bool) -> None:
    """The narrow one decodes at 24 tokens/s; 1.32 GB instead of 0.7 explain 12.7."""
    then = store_sample(store, "narrow", 1, Scenario())
    store_sample(store, "wide", then, Scenario(model=WIDE, decode_rate=decode_rate))
    found = found_in(store, "wide")
    assert bool(found) is is_found
    for finding in found:
        assert "writes Q8_0 " in finding.evidence
        assert "by Q4_0 it takes 3.2 times as long as its bytes explain" in finding.evidence
    assert found_in(store, "narrow") == ()


def test_a_narrower_one_is_no_slower_than_a_wider_one(store: SqliteStore) -> None:
    then = store_sample(store, "wide", 1, Scenario(model=WIDE, decode_rate=24.0))
    store_sample(store, "narrow", then, Scenario(decode_rate=10.0))
    [finding] = found_in(store, "narrow")
    assert finding.title == "Q4_0 is slower than its bytes explain"


@pytest.mark.parametrize(
    "other",
    [
        Scenario(decode_rate=100.0, model=replace(MODEL, layer_count=4)),
        Scenario(decode_rate=100.0, options={"threads": "1", "gpu_layers": "0"}),
    ],
    ids=["another model", "other options"],
)
def test_what_is_not_alike_is_not_held_against_it(store: SqliteStore, other: Scenario) -> None:
    then = store_sample(store, "narrow", 1, other)
    store_sample(store, "wide", then, Scenario(model=WIDE, decode_rate=4.0))
    assert found_in(store, "wide") == ()
