"""How every command answers: lines for people or one JSON value for programs, and an exit status.

0: done, or allowed. 1: refused, or not allowed. 2: the command line, the document or a file is at fault.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from jwtgate.cli.answer import Answer, json_text, mistakes
from jwtgate.errors import ConfigError, KeyRefused

GOOD, NO, MISTAKE = 0, 1, 2
_AS_JSON = "jwtgate.as_json"

json_option = click.option(
    "--json",
    expose_value=False,
    is_flag=True,
    callback=lambda context, _, value: context.meta.__setitem__(_AS_JSON, value),
    help="Answer with one JSON value, for programs.",
)


class Command(click.Command):
    """A command whose function returns an `Answer`; one that returns nothing has said all itself."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples under the options."""
        with formatter.section("Examples"):
            for line in self._example.splitlines():
                formatter.write(f"  {line}\n")

    def invoke(self, ctx: click.Context) -> None:
        """Run the command, say its answer, and leave with its status."""
        try:
            answer = super().invoke(ctx)
        except ConfigError as error:
            _finish(ctx, mistakes(error.problems), MISTAKE)
        except KeyRefused as refusal:
            _finish(ctx, mistakes((str(refusal),)), MISTAKE)
        else:
            if answer is not None:
                _finish(ctx, answer, GOOD if answer.good else NO)


def _finish(ctx: click.Context, answer: Answer, status: int) -> None:
    if ctx.meta.get(_AS_JSON):
        click.echo(json_text(answer.value))
    else:
        click.echo(answer.text, err=status == MISTAKE, color=colour(), nl=bool(answer.text))
    ctx.exit(status)


def colour(environ: Mapping[str, str] = os.environ) -> bool | None:
    """False where NO_COLOR is set (no-color.org); else None, which is colour on terminals only."""
    return False if environ.get("NO_COLOR") else None


def read_argument(value: str) -> str:
    """The argument itself, or the text on standard input where it is `-`."""
    return sys.stdin.read().strip() if value == "-" else value.strip()
