"""The one way to tokens and enrolments for commands: a running collector, or its store on this machine."""

import getpass
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeprof_collector.client.administering import HttpAdministration
from edgeprof_collector.client.trusting import TOKEN_VARIABLE
from edgeprof_collector.config import CollectorConfig, read_config
from edgeprof_collector.enrolment.administration import Administration
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.trust.opening import Trust

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The configuration of the collector on this machine.")
]
StoreFile = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE", help="Its store, if not there.", show_default="this person's own"),
]


@contextmanager
def administration(
    collector_url: str, config: Path | None, store: Path | None
) -> Iterator[HttpAdministration | Administration]:
    """Open the collector at a URL with the token of the environment; or without a URL the store on this machine.

    Raises:
        EdgeprofError: neither can be had.
    """
    if collector_url:
        with HttpAdministration(collector_url, os.environ.get(TOKEN_VARIABLE, "")) as remote:
            yield remote
        return
    told = read_config(config) if config else CollectorConfig()
    told = replace(told, store=str(store)) if store else told
    trust = Trust(told.tls, told.store_path)
    with closing(SqliteStore(told.store_path)) as opened:
        yield Administration(opened, trust.anchor.fingerprint, by=f"{getpass.getuser()} (local)")
