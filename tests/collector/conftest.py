"""What most tests of the collector begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import greeting


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store on the disk that knows one device."""
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    store.admit([greeting()])
    yield store
    store.close()
