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
_key_option = click.option(
    "--key", "--key-set", "--jwks", "path", type=_file, required=True, help="The file with the key."
)


@click.command(
    cls=Command,
    example="jwtgate sign --key key.json --claim sub=alice --claim 'roles=[\"admin\"]' --ttl 600\n"
    "jwtgate sign --key secret.txt --alg HS256 --claims claims.json",
)
@_key_option
@click.option("--alg", help="The algorithm; needed where the key does not say its own.")
@click.option("--kid", help="Which key of a set, or the kid to write for a key without one.")
@click.option("--typ", default="JWT", show_default=True, help="The typ of the header.")
@click.option(
    "--claim", "named", multiple=True, metavar="NAME=VALUE", help="A claim; JSON where it is JSON, else text."
)
@click.option("--claims", "file", type=click.File(), help="A file with a JSON object of claims; - reads it from stdin.")
@click.option("--issuer", help="The iss claim.")
@_audience
@click.option("--ttl", "ttl_seconds", type=click.IntRange(1), default=300, show_default=True, help="Seconds until exp.")
@json_option
def sign(
    path: Path,
    alg: str | None,
    kid: str | None,
    *,
    typ: str,
    named: tuple[str, ...],
    file: IO[str] | None,
    issuer: str | None,
    audiences: tuple[str, ...],
    ttl_seconds: int,
) -> Answer:
    """Sign a token with a private key or a secret.

    The file of --key holds a JWK, a JWK Set, a PEM text, or for HS256, HS384 and HS512 the secret itself. Unless given
    as claims, iat, exp and jti are added.
    """
    from jwtgate.cli.toolkit import tokens

    claims = tokens.parse_claims(file.read() if file is not None else "", named)
    if issuer is not None:
        claims["iss"] = issuer
    if audiences:
        claims["aud"] = audiences[0] if len(audiences) == 1 else list(audiences)
    return tokens.sign(claims, path, alg=alg, kid=kid, typ=typ, ttl_seconds=ttl_seconds, now=int(time.time()))


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
    """Make keys, and show keys of files and of the gateway."""


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
_name = click.option("--name", default="default", show_default=True, help="The name of the signing keys, with --state.")


def _one_of(file: Path | None, state: Path | None) -> None:
    if (file is None) == (state is None):
        raise click.UsageError("Name either a FILE or a folder with --state.")


@keys.command("list", cls=Command, example="jwtgate keys list jwks.json\njwtgate keys list --state ./state")
@_source
@_state
@_name
@json_option
def list_(file: Path | None, state: Path | None, *, name: str) -> Answer:
    """List the keys of a FILE or of a gateway: kid, alg, type, size, state, thumbprint."""
    from jwtgate.cli.toolkit import key_report

    _one_of(file, state)
    return key_report.listed(file) if file is not None else key_report.listed_state(state or Path(), name)


@keys.command(
    cls=Command,
    example="jwtgate keys show key.json > public.json\njwtgate keys show --state ./state --as jwks",
)
@_source
@_state
@_name
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
    from jwtgate.cli.toolkit import key_report

    _one_of(file, state)
    if file is not None:
        return key_report.shown(file, kid, form=form, private=private)
    if private:
        raise click.UsageError("--private works with a FILE only: the gateway's own keys stay where they are.")
    return key_report.shown_state(state or Path(), name, kid=kid, form=form)
