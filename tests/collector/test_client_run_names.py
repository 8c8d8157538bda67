"""What people call a run."""

import pytest

from edgeprof_collector.client.run_names import find_run_id
from edgeprof_collector.store.errors import NotFoundError
from tests.collector.exposition.verdicts import summary

_RUNS = [summary(run_id) for run_id in ("9c41a0", "9c77e2", "04bb31", "04bb")]


@pytest.mark.parametrize(
    ("name", "run_id"),
    [("9c77e2", "9c77e2"), ("9c7", "9c77e2"), ("04bb", "04bb"), ("latest", "9c41a0"), ("last", "9c41a0")],
    ids=["whole", "beginning", "whole, though it begins another", "latest", "last"],
)
def test_a_name_that_means_one_run(name: str, run_id: str) -> None:
    assert find_run_id(name, _RUNS) == run_id


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("9c", "'9c' begins several runs: 9c41a0, 9c77e2; give more of the id"),
        ("9c41b0", "no run is called '9c41b0'; did you mean 9c41a0?"),
        ("jetson", "no run is called 'jetson'; edgeprof runs lists them"),
        ("", "'' begins several runs: 9c41a0, 9c77e2, 04bb31 and others; give more of the id"),
    ],
    ids=["ambiguous", "near", "unknown", "empty"],
)
def test_a_name_that_means_none_or_several(name: str, text: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        find_run_id(name, _RUNS)

    assert str(refused.value) == text


@pytest.mark.parametrize("name", ["latest", "9c"])
def test_without_runs_no_name_means_one(name: str) -> None:
    with pytest.raises(NotFoundError, match="no runs are stored yet"):
        find_run_id(name, [])
