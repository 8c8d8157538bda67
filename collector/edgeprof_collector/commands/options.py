"""Options and arguments that several subcommands share."""

from typing import Annotated

import typer

from edgeprof_collector.client import Client, open_client

CollectorUrl = Annotated[
    str,
    typer.Option(
        "--collector",
        metavar="URL",
        envvar="EDGEPROF_COLLECTOR",
        help="A running collector.",
        show_default="this device's own store",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its first characters, or 'latest'.")]


def client_of(collector_url: str) -> Client:
    """Open the one way to the data: a collector's HTTP API, or this device's own store."""
    return open_client(collector_url)
