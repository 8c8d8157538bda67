"""`edgeprof backup` and `edgeprof restore`: copies of the store, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.store import backup as copies

_Store = Annotated[
    Path | None, typer.Option("--store", metavar="FILE", help="The store.", show_default="this person's own")
]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")], store: _Store = None
) -> None:
    """Copy the store of runs, also while a collector runs on it."""
    copies.back_up(_path(store), file)
    typer.echo(file)


def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy.")], store: _Store = None) -> None:
    """Put a copy in the place of the store, which no collector may be using."""
    kept = copies.restore(file, _path(store))
    typer.echo(_path(store))
    if kept:
        typer.echo(f"what was there before is {kept}", err=True)


def _path(store: Path | None) -> Path:
    return store or CollectorConfig().store_path
