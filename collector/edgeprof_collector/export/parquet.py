"""Telemetry, tokens and results of a run as Parquet, for pandas, Polars, DuckDB and the like.

Wall times are the run's start by the collector's clock plus monotonic intervals.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from edgeprof.errors import EdgeprofError
from edgeprof.run import Request, RunRecord
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.exposition.results import result_values
from edgeprof_collector.store.records import RunSummary


class _Token(NamedTuple):
    step: int | None
    variant: int | None
    repetition: int | None
    window: str | None
    request: int
    event: int
    tokens: int
    wall_ns: int
    monotonic_ns: int


class ParquetFiles:
    """Writes the files of one run, whose summary says where its monotonic times lie on the wall.

    Raises:
        EdgeprofError: pyarrow is not installed.
    """

    def __init__(self, run: RunSummary, record: RunRecord) -> None:
        self._arrow, self._parquet = _arrow()
        self._run = run
        self._record = record
        self._offset_ns = run.started_wall_ns - record.started.monotonic_ns

    def write(self, stem: Path, series: Sequence[Series], verdict: Verdict) -> tuple[Path, ...]:
        """Write telemetry, tokens and results beside one another; return the files."""
        files = tuple(stem.with_name(f"{stem.name}.{kind}.parquet") for kind in ("telemetry", "tokens", "results"))
        self._write_telemetry(files[0], series)
        self._write_tokens(files[1])
        self._write_results(files[2], verdict)
        return files

    def _write_telemetry(self, path: Path, series: Sequence[Series]) -> None:
        """A row per sample. Channels are written one after another, so that memory holds one at a time."""
        pa = self._arrow
        schema = self._schema(
            metric=pa.string(), labels=pa.map_(pa.string(), pa.string()), value=pa.float64(), **_stands_for_types(pa)
        )
        with self._parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for one in series:
                count = one.values.size
                columns = [
                    pa.array(one.times_monotonic_ns + self._offset_ns).cast(schema.field("time").type),
                    pa.array(one.times_monotonic_ns),
                    pa.repeat(one.channel.metric, count),
                    pa.repeat(pa.scalar(one.channel.labels, schema.field("labels").type), count),
                    pa.array(one.values),
                    *_stands_for(pa, one),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))

    def _write_tokens(self, path: Path) -> None:
        """A row per token event."""
        pa = self._arrow
        rows = [token for request in self._record.requests for token in _tokens(request, self._offset_ns)]
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(_Token._fields)
        types = [pa.int32()] * 3 + [pa.string()] + [pa.int32()] * 3 + [pa.timestamp("ns", "UTC"), pa.int64()]
        names = [{"wall_ns": "time"}.get(name, name) for name in _Token._fields]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        self._parquet.write_table(pa.Table.from_arrays(arrays, names=names), path, compression="zstd")

    def _write_results(self, path: Path, verdict: Verdict) -> None:
        """A row per figure, by the names and labels of ``/metrics``."""
        pa = self._arrow
        figures = list(result_values(self._run, verdict))
        schema = pa.schema(
            [
                ("run", pa.string()),
                ("metric", pa.string()),
                ("labels", pa.map_(pa.string(), pa.string())),
                ("value", pa.float64()),
            ]
        )
        rows = [
            {"run": self._run.run_id, "metric": name, "labels": list(labels), "value": value}
            for name, labels, value in figures
        ]
        self._parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")

    def _schema(self, **columns: Any) -> Any:
        pa = self._arrow
        return pa.schema([("time", pa.timestamp("ns", "UTC")), ("monotonic_ns", pa.int64()), *columns.items()])


def _stands_for_types(pa: ModuleType) -> dict[str, Any]:
    return {"since_monotonic_ns": pa.int64(), "lowest": pa.float64(), "highest": pa.float64()}


def _stands_for(pa: ModuleType, one: Series) -> list[Any]:
    """Of what was thinned since when each value stands, the lowest and the highest since then; else nulls."""
    if one.thinned is None:
        return [pa.nulls(one.values.size, kind) for kind in _stands_for_types(pa).values()]
    return [pa.array(part) for part in (one.thinned.starts_monotonic_ns, one.thinned.lowest, one.thinned.highest)]


def _tokens(request: Request, offset_ns: int) -> Iterator[_Token]:
    step = request.step
    counts = request.token_counts or (1,) * len(request.token_gaps_ns)
    times_ns = accumulate(request.token_gaps_ns, initial=request.start_monotonic_ns)
    next(times_ns)  # the start
    for event, (time_ns, count) in enumerate(zip(times_ns, counts, strict=True)):
        yield _Token(
            step=step.step if step else None,
            variant=step.variant if step else None,
            repetition=step.repetition if step else None,
            window=request.window_id,
            request=request.index,
            event=event,
            tokens=count,
            wall_ns=time_ns + offset_ns,
            monotonic_ns=time_ns,
        )


def _arrow() -> tuple[ModuleType, ModuleType]:
    """pyarrow, which is large: an extra of its own."""
    try:
        import pyarrow as pa  # noqa: PLC0415  large, and not always there
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise EdgeprofError("Parquet needs pyarrow: pip install 'edgeprof[parquet]'") from error
    return pa, pq
