"""The command line: serve, import, check, explain, and the commands for tokens and keys.

What a command does is imported when it runs, so that the help costs nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import click

from jwtgate.cli.answer import Answer
from jwtgate.cli.command import Command, colour, json_option
from jwtgate.cli.ctl.commands import ctl
from jwtgate.cli.toolkit.keys import inspect, keys, sign, verify

_file = click.Path(path_type=Path, dir_okay=False)


def _tell_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        context.exit(version.main([], standalone_mode=False))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version, help="As `version`."
)
def main() -> None:
    """A JWT gateway and toolkit: verify the tokens of a request, check them, sign a new one, forward.

    \b
    Start here:
      jwtgate demo                 see a gateway at work, in ten seconds
      jwtgate check gate.yaml      find every mistake of a document
      jwtgate serve gate.yaml      run the gateway

    \b
    Exit status: 0 done or allowed, 1 refused, 2 a mistake in the command, the document or a file.
    """


_dialect = click.Choice(("apisix", "couper", "kong", "wso2"))
_path = click.Path(path_type=Path)
_environment = click.option(
    "--environment", metavar="NAME", help="Which environment is meant, where the files speak of several (Couper)."
)
_address = partial(click.option, multiple=True, metavar="HOST:PORT", callback=lambda _, __, value: addresses(value))


@main.command(
    cls=Command,
    example="jwtgate serve gate.yaml\njwtgate serve gate.yaml --workers 4 --state ./state\n"
    "jwtgate serve --dialect kong kong.yml\njwtgate serve couper.hcl --environment prod",
)
@click.argument("documents", nargs=-1, type=_path)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that serve. Default: one for each CPU.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="JWTGATE_STATE",
    show_envvar=True,
    help="Where keys and what else is kept lies. Default: ~/.local/state/jwtgate/NAME of the document or dialect.",
)
@click.option("--no-last-good", is_flag=True, help="Do not start with the last good copy when the document is broken.")
@click.option("--dialect", type=_dialect, help="DOCUMENTS are those of another gateway, whose Admin API is served too.")
@_environment
@_address("--listen", help="With a dialect: where the proxy listens, instead of its usual address.")
@_address("--tls-listen", help="With a dialect: where the proxy speaks TLS.")
@_address("--admin-listen", help="With a dialect: where its Admin API listens.")
@_address("--admin-tls-listen", help="With a dialect: where its Admin API speaks TLS.")
@click.option("--certificate", type=_file, help="With a dialect: a PEM file with the certificate for TLS.")
@click.option("--private-key", type=_file, help="With a dialect: a PEM file with the key of that certificate.")
def serve(
    documents: tuple[Path, ...], *, workers: int | None, state: Path | None, no_last_good: bool, **how: Any
) -> None:
    """Run the gateway that DOCUMENTS describe, until SIGTERM or Ctrl-C.

    Without a dialect there is exactly one; files that end with .hcl are Couper's. A change of a file takes effect at
    once, or not at all when the new text has a mistake. The access log goes to stdout, everything else to stderr, one
    JSON object a line.
    """
    from jwtgate.cli import serving, translating

    size = workers or len(os.sched_getaffinity(0))
    dialect = how.pop("dialect") or translating.dialect_told_by(documents)
    how["chosen_environment"] = how.pop("environment")
    if (how["certificate"] is None) != (how["private_key"] is None):
        raise click.UsageError("--certificate and --private-key belong together.")
    if dialect is not None:
        folder = state or state_folder(dialect)
        sys.exit(
            serving.serve_dialect(
                dialect, documents, how, workers=size, state_folder=folder, last_good=not no_last_good
            )
        )
    if len(documents) != 1:
        raise click.UsageError("Exactly one document is needed, or a --dialect.")
    if any(how.values()):
        raise click.UsageError("Addresses and certificates stand in the document; options for them need a --dialect.")
    folder = state or state_folder(documents[0].stem)
    sys.exit(serving.serve_document(documents[0], workers=size, state_folder=folder, last_good=not no_last_good))


def addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """The same, if each is an address to listen on."""
    from jwtgate.config.sections.section import parse_address

    for value in values:
        try:
            parse_address(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} {error}") from None
    return values


def state_folder(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the state of this document, after the XDG base directory specification."""
    home = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return Path(home) / "jwtgate" / name


@main.command(
    name="import",
    cls=Command,
    example="jwtgate import apisix apisix.yaml > gate.yaml\njwtgate import kong kong.yml --output gate.yaml --report",
)
@click.argument("dialect", type=_dialect)
@click.argument("documents", nargs=-1, required=True, type=_path)
@_environment
@click.option("--report", is_flag=True, help="Tell what became of every setting, not only of those that changed.")
@click.option("--output", "-o", type=_file, help="Write the document there, not to the standard output.")
@json_option
def import_(
    dialect: str, documents: tuple[Path, ...], *, environment: str | None, report: bool, output: Path | None
) -> Answer:
    """Translate the DOCUMENTS of another gateway into one of ours.

    The report goes to the standard error. Whatever could not be taken over is told there, and so is what is dangerous.
    The exit status is 1 where the document lacks something that was asked for.
    """
    from jwtgate.cli import translating

    return translating.translate(dialect, documents, is_whole=report, output=output, environment=environment)


@main.command(
    cls=Command,
    example="jwtgate check gate.yaml\njwtgate check gate.yaml --json | jq .warnings\njwtgate check couper.hcl",
)
@click.argument("documents", nargs=-1, required=True, type=_path)
@click.option("--dialect", type=_dialect, help="DOCUMENTS are those of another gateway.")
@_environment
@json_option
def check(documents: tuple[Path, ...], *, dialect: str | None, environment: str | None) -> Answer:
    """Find every mistake in DOCUMENTS, and what is dangerous in them.

    Without a dialect there is exactly one; files that end with .hcl are Couper's.
    """
    from jwtgate.cli import checking, translating

    if len(documents) != 1 and dialect is None and translating.dialect_told_by(documents) is None:
        raise click.UsageError("Exactly one document is needed, or a --dialect.")
    return checking.check(*documents, dialect=dialect, environment=environment)


@main.command(
    cls=Command,
    example="jwtgate explain gate.yaml --curl 'curl -H \"Authorization: Bearer eyJ...\" http://127.0.0.1:8080/orders/1'\n"
    "jwtgate explain gate.yaml --request request.http --now 1750000000\n"
    "jwtgate explain couper.hcl --curl 'curl http://127.0.0.1:8080/v1/orders/7'",
)
@click.argument("documents", nargs=-1, required=True, type=_path)
@click.option("--dialect", type=_dialect, help="DOCUMENTS are those of another gateway.")
@_environment
@click.option("--request", "file", type=click.File("rb"), help="A file with the head of a request; - reads stdin.")
@click.option("--curl", metavar="COMMAND", help="The same as a curl command.")
@click.option("--now", type=click.IntRange(0), help="Decide as of this time, in seconds since 1970.")
@click.option("--client", default="127.0.0.1", show_default=True, help="The address the request comes from.")
@click.option("--offline", is_flag=True, help="Fetch no key set.")
@click.option("--show-claims", is_flag=True, help="Show the values of claims and fields, not only their names.")
@click.option("--show-tokens", is_flag=True, help="Show whole tokens. Whoever sees one can use it.")
@json_option
def explain(
    documents: tuple[Path, ...],
    *,
    dialect: str | None,
    environment: str | None,
    file: IO[bytes] | None,
    curl: str | None,
    now: int | None,
    client: str,
    offline: bool,
    show_claims: bool,
    show_tokens: bool,
) -> Answer:
    """Decide one request as the gateway of DOCUMENTS would, and tell every step.

    Without a dialect there is exactly one; files that end with .hcl are Couper's.

    Nothing is forwarded. Key sets are fetched when the decision needs them; tokens for the upstream are signed with a
    key made for this one answer.
    """
    if (file is None) == (curl is None):
        raise click.UsageError("Give the request either with --request or with --curl.")
    from jwtgate.cli import checking, explaining, outcome_report, request_text, translating

    if len(documents) != 1 and dialect is None and translating.dialect_told_by(documents) is None:
        raise click.UsageError("Exactly one document is needed, or a --dialect.")
    opened = checking.open_document(*documents, dialect=dialect, environment=environment)
    asked = request_text.parse_curl(curl) if curl is not None else request_text.parse_http(file.read() if file else b"")
    told = explaining.explain(
        opened, asked, client=client, now=int(time.time()) if now is None else now, offline=offline
    )
    return outcome_report.report(told, outcome_report.Shown(claims=show_claims, tokens=show_tokens))


@main.command(cls=Command, example="jwtgate schema > jwtgate.schema.json")
def schema() -> Answer:
    """Print the JSON Schema of a document, for editors and other tools."""
    from jwtgate.cli.answer import json_text
    from jwtgate.config.sections.document import document_schema

    value = document_schema()
    return Answer(json_text(value), value)


@main.command(cls=Command, example="jwtgate demo\njwtgate demo --keep --port-base 18080")
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C, to try it by hand.")
@click.option("--port-base", type=click.IntRange(1024, 65532), help="Use this port and the two after it.")
def demo(*, keep: bool, port_base: int | None) -> None:
    """Watch a gateway at work: five requests, and what becomes of them.

    Starts an issuer, an upstream and a gateway between them on the loopback, and stops them at the end.
    """
    from jwtgate.cli.demo import run

    sys.exit(run(lambda line: click.echo(line, color=colour()), keep=keep, port_base=port_base))


@main.command(cls=Command, example="jwtgate version --json")
@json_option
def version() -> Answer:
    """Print the version of jwtgate, and of what it stands on; `heads` is the reader of HTTP heads that runs."""
    import platform
    from importlib.metadata import version as installed

    from jwtgate.gateway.heads.reading import PLAIN_HEADS

    names = ("jwtgate", "cryptography", "httptools", "uvloop")
    versions = {**{name: installed(name) for name in names}, "python": platform.python_version()}
    versions["heads"] = PLAIN_HEADS.name
    return Answer("\n".join(f"{name:<13} {number}" for name, number in versions.items()), versions)


for command in (sign, verify, inspect, keys, ctl):
    main.add_command(command)

if __name__ == "__main__":
    main()
