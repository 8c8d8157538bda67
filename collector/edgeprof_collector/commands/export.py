"""`edgeprof export`: everything that is stored of a run, as files for other tools."""

import csv
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.commands.options import CollectorUrl, RunId, client_of


def export(
    run: RunId = "latest",
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path(),
    collector: CollectorUrl = "",
) -> None:
    """Write a run's events as JSON and all of its telemetry as CSV."""
    with client_of(collector) as client:
        record = client.run(run)
        series = collect_series(client.telemetry(record.started.run_id))
    stem = output / record.started.run_id
    try:
        output.mkdir(parents=True, exist_ok=True)
        events, telemetry = stem.with_suffix(".json"), stem.with_suffix(".csv")
        events.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        _write_csv(telemetry, series)
    except OSError as error:
        raise EdgeprofError(f"cannot write to {output}: {error.strerror}; choose another --output") from error
    typer.echo(f"{events}\n{telemetry}")


def _write_csv(path: Path, series: tuple[Series, ...]) -> None:
    """One row per sample: the device's monotonic time in nanoseconds, the metric, its labels, the value."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("monotonic_ns", "metric", "labels", "value"))
        for one in series:
            labels = ",".join(f"{name}={value}" for name, value in one.channel.labels)
            for time_ns, value in zip(one.times_monotonic_ns.tolist(), one.values.tolist(), strict=True):
                writer.writerow((time_ns, one.channel.metric, labels, value))
