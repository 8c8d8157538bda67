"""`edgeprof import`: store what other benchmarks have measured."""

from pathlib import Path
from typing import Annotated

import typer

from edgeprof.errors import EdgeprofError
from edgeprof_collector.commands.options import CollectorUrl, client_of
from edgeprof_collector.imports.llama_bench import runs_of
from edgeprof_collector.imports.llama_bench_file import read_llama_bench

imports = typer.Typer(no_args_is_help=True, help="Store what another benchmark has measured, as a run.")


@imports.callback()
def _every_benchmark() -> None:
    """Store what another benchmark has measured, as a run."""


@imports.command("llama-bench")
def llama_bench(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What llama-bench --output jsonl (or json) wrote.")],
    device: Annotated[
        str, typer.Option(metavar="NAME", help="What to call the machine.", show_default="by its processor")
    ] = "",
    collector: CollectorUrl = "",
) -> None:
    """Store llama-bench's results: a run for each model, build and machine in them."""
    tests = read_llama_bench(file)
    records = runs_of(tests, device)
    if not records:
        raise EdgeprofError(
            f"{file} has only combined tests (-pg), whose rate is neither of prompts nor of generation: "
            "run llama-bench with -p and -n"
        )
    with client_of(collector) as client:
        client.import_runs(records)
    for record in records:
        started = record.started
        typer.echo(f"{started.run_id}  {started.device.device_id}  {started.model.name}")
    if combined := sum(test.is_combined for test in tests):
        tests_text = "1 combined test" if combined == 1 else f"{combined} combined tests"
        typer.echo(f"left out: {tests_text} (-pg), whose rate is neither of prompts nor of generation")
    typer.echo(f"Next: edgeprof show {records[0].started.run_id}")
