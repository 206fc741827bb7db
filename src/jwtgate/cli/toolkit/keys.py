"""The commands for tokens and keys: `sign`, `verify`, `inspect` and `keys`.

What a command does is imported when it runs, so that the help costs nothing.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO

import click

from jwtgate.cli.answer import Answer
from jwtgate.cli.command import Command, json_option, read_argument

_file = click.Path(path_type=Path, dir_okay=False)
_folder = click.Path(path_type=Path, file_okay=False)
_audience = click.option("--audience", "audiences", multiple=True, metavar="AUD", help="The aud; may be repeated.")
_KEY = ("--key", "--key-set", "--jwks", "path")
_key_option = click.option(*_KEY, type=_file, required=True, help="The file with the key.")


@click.command(
    cls=Command,
    example="jwtgate sign --key key.json --claim sub=alice --claim 'roles=[\"admin\"]' --ttl 600\n"
    "jwtgate sign --key secret.txt --alg HS256 --claims claims.json\n"
    "jwtgate sign --config gate.yaml --profile partner --state ./state --claim sub=alice",
)
@click.option(*_KEY, type=_file, help="The file with the key.")
@click.option("--config", "document", type=_file, help="A document with signing profiles.")
@click.option("--profile", help="The profile to sign under, with --config.")
@click.option(
    "--state",
    type=_folder,
    envvar="JWTGATE_STATE",
    show_envvar=True,
    help="With --profile and without --key: the state folder of the gateway, which holds its keys.",
)
@click.option("--alg", help="The algorithm; needed where the key does not say its own.")
@click.option("--kid", help="Which key of a set, or the kid to write for a key without one.")
@click.option("--typ", help="The typ of the header. Default: JWT.")
@click.option(
    "--claim", "named", multiple=True, metavar="NAME=VALUE", help="A claim; JSON where it is JSON, else text."
)
@click.option("--claims", "file", type=click.File(), help="A file with a JSON object of claims; - reads it from stdin.")
@click.option("--issuer", help="The iss claim.")
@_audience
@click.option("--ttl", "ttl_seconds", type=click.IntRange(1), help="Seconds until exp. Default: 300, or the profile's.")
@json_option
def sign(
    path: Path | None,
    document: Path | None,
    profile: str | None,
    *,
    state: Path | None,
    alg: str | None,
    kid: str | None,
    typ: str | None,
    named: tuple[str, ...],
    file: IO[str] | None,
    issuer: str | None,
    audiences: tuple[str, ...],
    ttl_seconds: int | None,
) -> Answer:
    """Sign a token with a private key or a secret, or under a signing profile of a document.

    The file of --key holds a JWK, a JWK Set, a PEM text, or for HS256, HS384 and HS512 the secret itself. Unless given
    as claims, iat, exp and jti are added. A profile says all the rest, and its claims stand over those given.
    """
    from jwtgate.cli.toolkit import tokens

    claims = tokens.parse_claims(file.read() if file is not None else "", named)
    now = int(time.time())
    if document is not None and profile is not None:
        if any((alg, kid, typ, issuer, audiences)):
            raise click.UsageError("The profile says what --alg, --kid, --typ, --issuer and --audience would.")
        from jwtgate.cli.toolkit import profiles

        place = profiles.KeyPlace(path, state)
        return profiles.sign(document, profile, claims, place=place, ttl_seconds=ttl_seconds, now=now)
    if path is None or document is not None or profile is not None:
        raise click.UsageError("Name either a --key, or --config and --profile.")
    claims.update(tokens.registered(issuer, audiences))
    return tokens.sign(claims, path, alg=alg, kid=kid, typ=typ or "JWT", ttl_seconds=ttl_seconds or 300, now=now)


@click.command(
    cls=Command,
    example="jwtgate verify eyJhbGciOi... --key jwks.json --issuer https://id.example --audience https://api.example\n"
    "jwtgate verify - --key public.pem --alg RS256 < token.txt",
)
@click.argument("token")
@_key_option
@click.option("--alg", "algorithms", multiple=True, help="An algorithm to allow; needed where keys do not say theirs.")
@click.option("--issuer", help="The iss the token must have.")
@_audience
@click.option("--type", "types", multiple=True, help="A typ the token may have, such as at+jwt.")
@click.option("--leeway", type=click.IntRange(0, 300), default=30, show_default=True, help="Seconds clocks may differ.")
@json_option
def verify(
    token: str,
    path: Path,
    *,
    algorithms: tuple[str, ...],
    issuer: str | None,
    audiences: tuple[str, ...],
    types: tuple[str, ...],
    leeway: int,
) -> Answer:
    """Verify TOKEN (- reads it from stdin) and show its claims, or say why it is refused.

    The file of --key holds a JWK, a JWK Set, a PEM text, or for HS256, HS384 and HS512 the secret itself.
    """
    from jwtgate.cli.toolkit import tokens

    return tokens.verify(
        read_argument(token),
        path,
        algorithms=algorithms,
        issuer=issuer,
        audiences=audiences,
        types=types,
        leeway_seconds=leeway,
        now=int(time.time()),
    )


@click.command(cls=Command, example="jwtgate inspect eyJhbGciOi...\njwtgate inspect - < token.txt")
@click.argument("token")
@json_option
def inspect(token: str) -> Answer:
    """Show what TOKEN (- reads it from stdin) says, without verifying any of it."""
    from jwtgate.cli.toolkit import inspection

    return inspection.inspect(read_argument(token), int(time.time()))


@click.group()
def keys() -> None:
    """Make keys, show keys of files and of the gateway, and rotate those of the gateway."""


@keys.command(
    cls=Command,
    example="jwtgate keys new --alg ES256 --out key.json\njwtgate keys new --alg RS256 --pem --out key.pem",
)
@click.option("--alg", required=True, help="The algorithm the key is for, such as ES256, RS256, Ed25519 or HS256.")
@click.option("--kid", help="Its name. Default: its thumbprint (RFC 7638).")
@click.option("--out", type=_file, help="Write it to this new file, mode 0600, and show only its public half.")
@click.option("--pem", is_flag=True, help="As PEM (PKCS #8) instead of a JWK.")
@json_option
def new(alg: str, kid: str | None, *, out: Path | None, pem: bool) -> Answer:
    """Make a private key, or a secret."""
    from jwtgate.cli.toolkit import key_report

    return key_report.new(alg, kid=kid, out=out, pem=pem)


_source = click.argument("file", type=_file, required=False)
_state = click.option(
    "--state",
    type=_folder,
    help="Look into this state folder of a gateway instead of a file; JWTGATE_MASTER_KEY opens sealed keys.",
)


def _one_of(file: Path | None, state: Path | None) -> None:
    if (file is None) == (state is None):
        raise click.UsageError("Name either a FILE or a folder with --state.")


@keys.command("list", cls=Command, example="jwtgate keys list jwks.json\njwtgate keys list --state ./state")
@_source
@_state
@click.option("--name", help="Only the signing keys of this name, with --state.")
@json_option
def list_(file: Path | None, state: Path | None, *, name: str | None) -> Answer:
    """List the keys of a FILE or of a gateway: kid, alg, type, size, state, what comes next, thumbprint."""
    from jwtgate.cli.toolkit import key_report, state_keys

    _one_of(file, state)
    return key_report.listed(file) if file is not None else state_keys.listed(state or Path(), name)


@keys.command(
    cls=Command,
    example="jwtgate keys show key.json > public.json\njwtgate keys show --state ./state --as jwks",
)
@_source
@_state
@click.option("--name", default="default", show_default=True, help="The name of the signing keys, with --state.")
@click.option("--kid", help="Which key; not needed where there is only one.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["jwk", "jwks", "pem"]),
    default="jwk",
    show_default=True,
    help="How it is written.",
)
@click.option("--private", is_flag=True, help="Show the private half as well; only of keys in a FILE.")
@json_option
def show(file: Path | None, state: Path | None, *, name: str, kid: str | None, form: str, private: bool) -> Answer:
    """Show the public half of a key of a FILE or of a gateway."""
    from jwtgate.cli.toolkit import key_report, state_keys

    _one_of(file, state)
    if file is not None:
        return key_report.shown(file, kid, form=form, private=private)
    if private:
        raise click.UsageError("--private works with a FILE only: the gateway's own keys stay where they are.")
    return state_keys.shown(state or Path(), name, kid=kid, form=form)


@keys.command(
    cls=Command,
    example="jwtgate keys rotate default --state ./state --plan\njwtgate keys rotate default --state ./state",
)
@click.argument("name")
@click.option(
    "--state",
    type=_folder,
    required=True,
    help="The state folder of the gateway, which may be running; JWTGATE_MASTER_KEY opens sealed keys.",
)
@click.option("--plan", is_flag=True, help="Show the timetable, and change nothing.")
@click.option("--now", is_flag=True, help="Drop all former keys at once: for a key that others know.")
@json_option
def rotate(name: str, *, state: Path, plan: bool, now: bool) -> Answer:
    """Have a new key follow the one that signs under NAME.

    The new key is published as long as others may cache the key set before it signs. The former one is published
    until the last token it signed has ended. A gateway that runs follows within a second.
    """
    from jwtgate.cli.toolkit import state_keys

    if plan and now:
        raise click.UsageError("--now has no timetable: everything happens at once.")
    if plan:
        return state_keys.planned(state, name)
    return state_keys.replaced(state, name) if now else state_keys.rotated(state, name)
