"""`edgeprof audit`: who did what."""

import sys
from typing import Annotated

import msgspec
import typer

from edgeprof_collector.commands.administration import ConfigFile, StoreFile, administration
from edgeprof_collector.commands.durations import time_text
from edgeprof_collector.commands.options import AsJson, CollectorUrl
from edgeprof_collector.printable import printable


def audit(
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries.")] = 50,
    collector: CollectorUrl = "",
    config: ConfigFile = None,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Show who enrolled, triggered, revoked and changed what, the latest first."""
    with administration(collector, config, store) as admin:
        entries = admin.audit(most)
    if as_json:
        sys.stdout.write(msgspec.json.encode(entries).decode() + "\n")
        return
    for entry in entries:
        words = (time_text(entry.wall_ns), entry.address or "-", entry.actor, entry.action, entry.subject, entry.detail)
        typer.echo("  ".join(printable(word) for word in words if word))
