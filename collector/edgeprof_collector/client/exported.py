"""Runs out of the files that `edgeprof export` writes."""

import csv
from collections import defaultdict
from pathlib import Path

import msgspec
import numpy as np

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.series import Series


def read_exported(path: Path) -> tuple[RunRecord, tuple[Series, ...]]:
    """Read a run's events from JSON, and its telemetry from the CSV beside it, if that is there.

    Raises:
        EdgeprofError: a file cannot be read, or is not one that was exported.
    """
    try:
        record = msgspec.json.decode(path.read_bytes(), type=RunRecord)
        telemetry = path.with_suffix(".csv")
        return record, _read_csv(telemetry) if telemetry.exists() else ()
    except OSError as error:
        raise EdgeprofError(f"{error.filename} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        raise EdgeprofError(f"{path} or the CSV beside it is not as edgeprof export writes it: {error}") from error


def _read_csv(path: Path) -> tuple[Series, ...]:
    """One series per metric and labels, in the order of time. A label's value may contain no comma."""
    samples: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            samples[row["metric"], row["labels"]].append((int(row["monotonic_ns"]), float(row["value"])))
    return tuple(
        Series(
            channel=Channel(metric, _labels(labels), path.name, 1.0),
            times_monotonic_ns=np.array([time_ns for time_ns, _ in sorted(found)], np.int64),
            values=np.array([value for _, value in sorted(found)], np.float64),
        )
        for (metric, labels), found in samples.items()
    )


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition("=") for each in text.split(",") if each]
    return tuple((name, value) for name, _, value in pairs)
