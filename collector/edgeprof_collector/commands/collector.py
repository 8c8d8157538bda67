"""`edgeprof collector`: the service that devices stream to."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeprof_collector.config import CollectorConfig, read_config
from edgeprof_collector.printable import PrintableFormatter
from edgeprof_collector.server import serve


def collector(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Configuration, as TOML.")] = None,
    store: Annotated[Path | None, typer.Option(metavar="FILE", help="The store of runs.")] = None,
    grpc_port: Annotated[int | None, typer.Option(min=0, max=65535, help="For devices; 0 takes a free one.")] = None,
    http_port: Annotated[int | None, typer.Option(min=0, max=65535, help="For people; 0 takes a free one.")] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where both listen; 0.0.0.0: everywhere.", show_default="127.0.0.1"),
    ] = "",
    tls: Annotated[bool | None, typer.Option("--tls/--no-tls", help="Ask for certificates and tokens.")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written once it serves: its addresses, as JSON.")
    ] = None,
    exit_with_parent: Annotated[bool, typer.Option(help="Stop when standard input ends.")] = False,
) -> None:
    """Run the collector until it is told to stop (SIGTERM or Ctrl-C)."""
    told = read_config(config) if config else CollectorConfig()
    told = replace(
        told,
        store=str(store) if store else told.store,
        grpc_port=told.grpc_port if grpc_port is None else grpc_port,
        http_port=told.http_port if http_port is None else http_port,
        grpc_host=host or told.grpc_host,
        http_host=host or told.http_host,
        tls=told.tls if tls is None else replace(told.tls, enabled=tls),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("edgeprof: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    asyncio.run(serve(told, ready_file, exit_with_parent=exit_with_parent))
