import pytest

pytest.register_assert_rewrite(
    "tests.collector.store.conformance",
    "tests.collector.store.outgoing_conformance",
    "tests.collector.store.retention_conformance",
)
