"""`edgeprof token`: what lets devices enrol, and people and scripts in."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.requests import TokenRequest
from edgeprof_collector.commands.administration import ConfigFile, StoreFile, administration
from edgeprof_collector.commands.durations import parse_duration, time_text
from edgeprof_collector.commands.options import AsJson, CollectorUrl
from edgeprof_collector.printable import printable
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.terminal import Terminal

token = typer.Typer(no_args_is_help=True, help="Tokens: for devices to enrol, for people and scripts to come in.")

_Wanted = Annotated[Role | None, typer.Option("--role", help="For a person or script.", show_default="for a device")]


@token.command()
def create(
    role: _Wanted = None,
    name: Annotated[str, typer.Option(help="Whose it is; with --role.", show_default="the role")] = "",
    device: Annotated[str, typer.Option(help="The only device that may enrol, even again.")] = "",
    uses: Annotated[int, typer.Option(min=1, help="How many devices may enrol.")] = 1,
    ttl: Annotated[str, typer.Option(metavar="TIME", help="90d, 1h.", show_default="1h; with --role, no end")] = "",
    collector: CollectorUrl = "",
    config: ConfigFile = None,
    store: StoreFile = None,
) -> None:
    """Make a token and print it, once. Without --role it lets a device enrol."""
    if role and (device or uses != 1):
        raise EdgeprofError("--role makes a token for people, --device and --uses one for devices: give one of them")
    wanted = TokenRequest(
        role=role,
        name=name or (role.value if role else ""),
        device=device,
        uses=uses,
        ttl_seconds=parse_duration(ttl, "--ttl") if ttl else None,
    )
    with administration(collector, config, store) as admin:
        created = admin.create_token(wanted)
    sys.stdout.write(f"{created.token}\n")


@token.command("list")
def list_tokens(
    collector: CollectorUrl = "", config: ConfigFile = None, store: StoreFile = None, as_json: AsJson = False
) -> None:
    """List all tokens, the latest first. Their secrets are kept nowhere."""
    with administration(collector, config, store) as admin:
        tokens = admin.tokens()
    if as_json:
        sys.stdout.write(msgspec.json.encode(tokens).decode() + "\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("token", "for", "name", "ends", "uses left", "state", "made by"):
        table.add_column(heading, no_wrap=heading == "token", overflow="fold")
    for each in tokens:
        table.add_row(
            each.token_id,
            each.role.value if each.role else "enrolling",
            printable(each.name),
            time_text(each.expires_wall_ns),
            "" if each.uses_left is None else str(each.uses_left),
            "good" if each.is_good else "ended",
            printable(each.created_by),
        )
    Terminal().print(table)


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id: the second part of its text.")],
    collector: CollectorUrl = "",
    config: ConfigFile = None,
    store: StoreFile = None,
) -> None:
    """End a token at once."""
    with administration(collector, config, store) as admin:
        admin.revoke_token(token_id)
    typer.echo(f"{token_id} lets nobody in any more")
