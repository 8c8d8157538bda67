"""Baselines: which run another is held against, and what the comparison finds."""

from collections.abc import Sequence
from pathlib import PurePath

from edgeprof.device import DeviceFacts
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.comparison.difference import device_class
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.store.records import DeviceRecord, RunSummary


def baseline_of(client: Client, record: RunRecord) -> RunSummary | None:
    """The latest baseline with the run's plan and model, of its device or else of a device of its class."""
    summaries = client.runs()
    run = next((each for each in summaries if each.run_id == record.started.run_id), None)
    if run is None or not any(each.is_baseline for each in summaries):
        return None
    return choose_baseline(run, record.started.device, summaries, client.devices())


def choose_baseline(
    run: RunSummary, device: DeviceFacts, runs: Sequence[RunSummary], devices: Sequence[DeviceRecord]
) -> RunSummary | None:
    """Choose among ``runs``, of which the first is the latest. A baseline made after the run is none of it."""
    classes = {each.facts.device_id: device_class(each.facts) for each in devices}
    fitting = [
        each
        for each in runs
        if each.is_baseline
        and each.run_id != run.run_id
        and each.started_wall_ns <= run.started_wall_ns
        and _work(each) == _work(run)
    ]
    same_device = (each for each in fitting if each.device_id == run.device_id)
    same_class = (each for each in fitting if classes.get(each.device_id) == device_class(device))
    return next(same_device, None) or next(same_class, None)


def _work(run: RunSummary) -> tuple[str, str, str]:
    """Of a model's path only the file's name: it may lie elsewhere on another device."""
    return run.plan, PurePath(run.model).name, run.quantisation
