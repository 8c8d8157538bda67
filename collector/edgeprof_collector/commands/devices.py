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
    # An id is 32 digits, and is copied: in 80 columns it has room beside a host and two times.
    for heading in ("device", "host", "certificate", "last seen"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "device")
    for each in enrolled:
        ends = time_text(each.expires_wall_ns)
        certificate = ends if each.revoked_wall_ns is None else f"revoked {time_text(each.revoked_wall_ns)}"
        seen = time_text(each.last_seen_wall_ns)
        table.add_row(printable(each.device_id), printable(each.hostname), certificate, seen)
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
