"""`edgeprof export`: everything that is stored of a run, as files for other tools."""

import csv
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, Thinned, collect_series
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.analysis.task_answers import TasksVerdict, tasks_verdicts
from edgeprof_collector.client import Client
from edgeprof_collector.commands.options import CollectorUrl, RunId, client_of
from edgeprof_collector.export.parquet import ParquetFiles


class _Format(str, Enum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    run: RunId = "latest",
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path(),
    table_format: Annotated[
        _Format, typer.Option("--format", help="Parquet has tokens and results too, and wall times.")
    ] = _Format.CSV,
    collector: CollectorUrl = "",
) -> None:
    """Write a run's events as JSON, all of its telemetry as CSV or Parquet, and what it was asked as CSV."""
    with client_of(collector) as client:
        record = client.run(run)
        series = collect_series(client.telemetry(record.started.run_id))
        parquet = _parquet_files(client, record) if table_format is _Format.PARQUET else None
    stem = output / record.started.run_id
    try:
        output.mkdir(parents=True, exist_ok=True)
        events = stem.with_suffix(".json")
        events.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        tables = parquet.write(stem, series, analyse(record, series)) if parquet else _write_csv(stem, series)
        if record.task_answers:
            tables = (*tables, _write_tasks(stem, tasks_verdicts(sound_part(record)[0])))
    except OSError as error:
        raise EdgeprofError(f"cannot write to {output}: {error.strerror}; choose another --output") from error
    for file in (events, *tables):
        typer.echo(file)


def _parquet_files(client: Client, record: RunRecord) -> ParquetFiles:
    (summary,) = (summary for summary in client.runs() if summary.run_id == record.started.run_id)
    return ParquetFiles(summary, record)


def _write_tasks(stem: Path, asked: Sequence[TasksVerdict]) -> Path:
    """One row per task and variant: what was asked, what was expected, the number that was read, and all the text."""
    path = stem.with_suffix(".tasks.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("step", "variant", "kind", "question", "expected", "answered", "right", "text"))
        for each in asked:
            for task in each.outcomes:
                right = "yes" if task.right else "no"
                found = (task.question, task.expected, task.answered, right, task.text)
                writer.writerow((each.step_name, each.variant_name, task.kind.value, *found))
    return path


def _write_csv(stem: Path, series: Sequence[Series]) -> tuple[Path, ...]:
    """One row per sample: the device's monotonic time in nanoseconds, the metric, its labels, the value.

    Of what was thinned also since when the value stands, and the lowest and highest sample since then.
    """
    path = stem.with_suffix(".csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("monotonic_ns", "metric", "labels", "value", "since_monotonic_ns", "lowest", "highest"))
        for one in series:
            labels = ",".join(f"{name}={value}" for name, value in one.channel.labels)
            for row, (time_ns, value) in enumerate(
                zip(one.times_monotonic_ns.tolist(), one.values.tolist(), strict=True)
            ):
                stands_for = _stands_for(one.thinned, row) if one.thinned else ("", "", "")
                writer.writerow((time_ns, one.channel.metric, labels, value, *stands_for))
    return (path,)


def _stands_for(thinned: Thinned, row: int) -> tuple[int, float, float]:
    return int(thinned.starts_monotonic_ns[row]), float(thinned.lowest[row]), float(thinned.highest[row])
