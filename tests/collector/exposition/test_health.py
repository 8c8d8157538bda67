"""The collector's own counters."""

from prometheus_client.parser import text_string_to_metric_families

from edgeprof_collector.exposition.health import CollectorHealth


def test_what_was_counted_is_shown_without_creation_times() -> None:
    health = CollectorHealth()
    health.messages.inc(3)
    health.gaps.inc()
    health.commit_seconds.observe(0.02)

    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(health.text())
        for sample in family.samples
    }

    assert samples["edgeprof_collector_messages_total", None] == 3
    assert samples["edgeprof_collector_gaps_total", None] == 1
    assert samples["edgeprof_collector_commit_seconds_bucket", "0.01"] == 0
    assert samples["edgeprof_collector_commit_seconds_bucket", "0.025"] == 1
    assert not [name for name, _ in samples if name.endswith("_created")]


def test_two_collectors_in_one_process_count_apart() -> None:
    first, second = CollectorHealth(), CollectorHealth()

    first.frames.inc()

    assert "edgeprof_collector_frames_total 1.0\n" in first.text()
    assert "edgeprof_collector_frames_total 0.0\n" in second.text()
