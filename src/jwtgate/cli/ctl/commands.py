"""The commands of `jwtgate ctl`, the client of the Admin API.

What a command does is imported when it runs, so that the help costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jwtgate.cli.answer import Answer
from jwtgate.cli.command import Command, json_option
from jwtgate.cli.ctl.asking import asks

if TYPE_CHECKING:
    from jwtgate.cli.ctl.client import AdminClient

KINDS = ("routes", "upstreams", "issuers", "consumers", "credentials", "signing-keys", "secret-stores")
_file = click.Path(path_type=Path, dir_okay=False)
_kind = click.argument("kind", type=click.Choice(KINDS))
_name = click.argument("name")
_from = click.option("-f", "--file", "file", required=True, metavar="FILE", help="YAML, JSON or TOML; - reads stdin.")
_over = click.option(
    "--over", "version", type=click.IntRange(0), help="Only over this version; 0: only when there is none."
)
_document = click.argument("document", metavar="FILE")
_most = click.option("--limit", "most", type=click.IntRange(1), help="How many to show. Default: all.")


@click.group()
@click.option(
    "--url", envvar="JWTGATE_ADMIN_URL", show_envvar=True, default="http://127.0.0.1:9901", show_default=True,
    help="Where the Admin API listens.",
)  # fmt: skip
@click.option("--token-file", type=_file, help="The file with the operator's token. Else: JWTGATE_ADMIN_TOKEN.")
@click.option("--ca-file", type=_file, help="Certificates to trust instead of the system's.")
@click.option("--certificate", type=_file, help="A client certificate, for operators known by one.")
@click.option("--key", type=_file, help="Its private key.")
@click.pass_context
def ctl(context: click.Context, /, **options: object) -> None:
    """Look at a running gateway, and change it, over its Admin API."""
    context.obj = options


@ctl.command(
    "list", cls=Command, example="jwtgate ctl list routes\njwtgate ctl list consumers --contains team-a --json"
)
@_kind
@click.option("--contains", help="Only names that hold this text.")
@_most
@asks
def list_(client: AdminClient, kind: str, *, contains: str | None, most: int | None) -> Answer:
    """List the resources of a KIND."""
    from jwtgate.cli.ctl import operations

    return operations.listed(client, kind, contains=contains, most=most)


@ctl.command(cls=Command, example="jwtgate ctl get routes orders > orders.json")
@_kind
@_name
@asks
def get(client: AdminClient, kind: str, name: str) -> Answer:
    """Show one resource; --json shows its version as well. Secrets are shown as ***."""
    from jwtgate.cli.ctl import operations

    return operations.shown(client, kind, name)


@ctl.command(
    cls=Command, example="jwtgate ctl put routes orders -f orders.yaml\njwtgate ctl put routes orders -f - --over 3"
)
@_kind
@_name
@_from
@_over
@asks
def put(client: AdminClient, kind: str, name: str, *, file: str, version: int | None) -> Answer:
    """Make a resource, or replace it. Secrets given as *** stay as they are."""
    from jwtgate.cli.ctl import operations
    from jwtgate.cli.ctl.values import read_value

    return operations.put(client, kind, name, content=read_value(file), version=version)


@ctl.command(cls=Command, example="echo '{\"connect_seconds\": 1}' | jwtgate ctl patch upstreams orders -f -")
@_kind
@_name
@_from
@_over
@asks
def patch(client: AdminClient, kind: str, name: str, *, file: str, version: int | None) -> Answer:
    """Change parts of a resource: FILE holds a JSON Merge Patch, or a list: a JSON Patch."""
    from jwtgate.cli.ctl import operations
    from jwtgate.cli.ctl.values import read_value

    return operations.patched(client, kind, name, patch=read_value(file), version=version)


@ctl.command(cls=Command, example="jwtgate ctl delete routes orders")
@_kind
@_name
@_over
@asks
def delete(client: AdminClient, kind: str, name: str, *, version: int | None) -> Answer:
    """Delete a resource."""
    from jwtgate.cli.ctl import operations

    return operations.deleted(client, kind, name, version=version)


@ctl.command(cls=Command, example="jwtgate ctl apply gate.yaml --over 12")
@_document
@_over
@asks
def apply(client: AdminClient, document: str, *, version: int | None) -> Answer:
    """Serve the document in FILE from now on, all of it or nothing."""
    from jwtgate.cli.ctl import operations
    from jwtgate.cli.ctl.values import read_value

    return operations.applied(client, read_value(document), version=version)


@ctl.command(cls=Command, example="jwtgate ctl check gate.yaml")
@_document
@asks
def check(client: AdminClient, document: str) -> Answer:
    """Ask the gateway whether it could serve the document in FILE."""
    from jwtgate.cli.ctl import operations
    from jwtgate.cli.ctl.values import read_value

    return operations.checked(client, read_value(document))


@ctl.command(cls=Command, example="jwtgate ctl diff gate.yaml")
@_document
@asks
def diff(client: AdminClient, document: str) -> Answer:
    """Show what the document in FILE would change."""
    from jwtgate.cli.ctl import operations
    from jwtgate.cli.ctl.values import read_value

    return operations.compared(client, read_value(document))


@ctl.command(cls=Command, example="jwtgate ctl history")
@_most
@asks
def history(client: AdminClient, *, most: int | None) -> Answer:
    """List the documents that were applied, oldest first."""
    from jwtgate.cli.ctl import showing

    found = client.every("document/history", most=most)
    return showing.rows(("version", "changed_at", "changed_by"), found, instants=("changed_at",))


@ctl.command("roll-back", cls=Command, example="jwtgate ctl roll-back 11")
@click.argument("back_to", metavar="VERSION", type=click.IntRange(1))
@_over
@asks
def roll_back(client: AdminClient, back_to: int, *, version: int | None) -> Answer:
    """Serve the document of an earlier VERSION again."""
    from jwtgate.cli.ctl import operations

    return operations.rolled_back(client, back_to, version=version)


@ctl.command(cls=Command, example="jwtgate ctl export > gate.json")
@asks
def export(client: AdminClient) -> Answer:
    """Print the document that is served; secrets are shown as ***, references as they were written."""
    from jwtgate.cli.ctl import showing

    held = client.ask("GET", "document").value
    return showing.value(held["value"], held)


@ctl.command(cls=Command, example="jwtgate ctl rotate default --plan")
@_name
@click.option("--plan", is_flag=True, help="Only say what would happen.")
@asks
def rotate(client: AdminClient, name: str, *, plan: bool) -> Answer:
    """Make the next signing key of this NAME; it signs once everybody has had time to fetch it."""
    from jwtgate.cli.ctl import operations

    return operations.rotated(client, name, plan=plan)


@ctl.command(cls=Command, example="jwtgate ctl keys default")
@_name
@asks
def keys(client: AdminClient, name: str) -> Answer:
    """List the signing keys of this NAME with their states, oldest first."""
    from jwtgate.cli.ctl import showing
    from jwtgate.cli.ctl.client import named

    return showing.keys(client.ask("GET", named("signing-keys", name, "keys")).value["items"])


@ctl.command(
    cls=Command,
    example="jwtgate ctl revoke --jti 8f14e45f --expires-in 86400\n"
    "jwtgate ctl revoke --subject alice --issuer main --issued-before now\n"
    "jwtgate ctl revoke --token - < token.txt",
)
@click.option("--jti", help="The token with this jti.")
@click.option("--token", metavar="FILE", help="The token in this file (- reads stdin); only its digest is sent.")
@click.option("--subject", help="The tokens of this sub.")
@click.option("--client", "client_id", help="The tokens of this client_id.")
@click.option("--session", help="The tokens of this sid.")
@click.option("--consumer", help="The tokens of this consumer.")
@click.option("--issuer", help="Only those of this issuer, by its name in the document.")
@click.option("--issued-before", metavar="WHEN", help="Only those issued earlier: now, or seconds since 1970.")
@click.option("--expires-in", type=click.IntRange(1), metavar="SECONDS", help="Until then. Default: for ever.")
@click.option("--note", help="Why.")
@asks
def revoke(client: AdminClient, **options: str | int | None) -> Answer:
    """Refuse tokens before their time, in every worker, within a second."""
    from jwtgate.cli.ctl import operations

    return operations.revoked(client, options)


@ctl.command(cls=Command, example="jwtgate ctl revocations")
@_most
@asks
def revocations(client: AdminClient, *, most: int | None) -> Answer:
    """List the revocations that have not ended."""
    from jwtgate.cli.ctl import showing

    heads = ("id", "by", "value", "issuer", "issued_before", "expires_at", "note")
    return showing.rows(heads, client.every("revocations", most=most), instants=("issued_before", "expires_at"))


@ctl.command(cls=Command, example="jwtgate ctl withdraw 1c2d3e4f5a6b7c8d")
@click.argument("identifier", metavar="ID")
@asks
def withdraw(client: AdminClient, identifier: str) -> Answer:
    """Take a revocation back."""
    from jwtgate.cli.ctl import showing
    from jwtgate.cli.ctl.client import named

    client.ask("DELETE", named("revocations", identifier))
    return showing.done(f"revocation {identifier} is withdrawn", {"good": True})


@ctl.command("import", cls=Command, example="jwtgate ctl import consumers consumers.jsonl")
@_kind
@click.argument("file", type=_file)
@asks
def import_(client: AdminClient, kind: str, file: Path) -> Answer:
    """Put every line of FILE, a JSON object with its `name`, as a resource of this KIND."""
    from jwtgate.cli.ctl import importing

    return importing.import_lines(client, kind, file, tell=lambda line: click.echo(line, err=True))


@ctl.command(cls=Command, example="jwtgate ctl audit --limit 20")
@_most
@asks
def audit(client: AdminClient, *, most: int | None) -> Answer:
    """List who changed what, oldest first."""
    from jwtgate.cli.ctl import showing

    heads = ("number", "at", "who", "action", "kind", "name", "over")
    return showing.rows(heads, client.every("audit", most=most), instants=("at",))


@ctl.command(cls=Command, example="jwtgate ctl status --json")
@asks
def status(client: AdminClient) -> Answer:
    """Show how the gateway is."""
    from jwtgate.cli.ctl import showing

    told = client.ask("GET", "status").value
    return showing.status(told)


@ctl.command("new-token", cls=Command, example="jwtgate ctl new-token alice")
@click.argument("name", required=False)
@json_option
def new_token(name: str | None) -> Answer:
    """Make a token for the operator NAME: shown once, with the line the document needs."""
    from jwtgate.cli.ctl import access

    if not name:
        raise click.UsageError("Say whose token it is, as in: jwtgate ctl new-token alice")
    return access.new_token(name)
