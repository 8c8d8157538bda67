"""`edgeprof devices`: which are enrolled, and out with those that do not belong."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edgeprof_collector.commands.administration import ConfigFile, StoreFile, administration
from edgeprof_collector.commands.durations import time_text
from edgeprof_collector.commands.options import AsJson, CollectorUrl
from edgeprof_collector.printable import printable
from edgeprof_collector.terminal import Terminal

devices = typer.Typer(no_args_is_help=True, help="Enrolled devices: which there are, and out with one.")


@devices.command("list")
def list_devices(
    collector: CollectorUrl = "", config: ConfigFile = None, store: StoreFile = None, as_json: AsJson = False
) -> None:
    """List the devices that have a certificate."""
    with administration(collector, config, store) as admin:
        enrolled = admin.enrolled_devices()
    if as_json:
        sys.stdout.write(msgspec.json.encode(enrolled).decode() + "\n")
        return
    if not enrolled:
        typer.echo("no device is enrolled: edgeprof token create makes what edgeprof-agent enroll needs")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("device", "host", "certificate ends", "revoked", "last seen"):
        table.add_column(heading, overflow="fold")
    for each in enrolled:
        times = (each.expires_wall_ns, each.revoked_wall_ns, each.last_seen_wall_ns)
        table.add_row(printable(each.device_id), printable(each.hostname), *map(time_text, times))
    Terminal().print(table)


@devices.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A device's id, or its hostname if no other has it.")],
    collector: CollectorUrl = "",
    config: ConfigFile = None,
    store: StoreFile = None,
) -> None:
    """Revoke a device: a running collector ends its stream within a second, and refuses it from then on."""
    with administration(collector, config, store) as admin:
        revoked = admin.revoke_device(name)
    typer.echo(f"{printable(revoked.device_id)} is out")
