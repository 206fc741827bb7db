"""How every command of `jwtgate ctl` asks: over one client, with a problem of the Admin API as its answer.

A mistake in what was sent ends with 2 as everywhere, any other no with 1.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from jwtgate.cli.answer import Answer, red, visible
from jwtgate.cli.command import json_option
from jwtgate.errors import ConfigError

if TYPE_CHECKING:
    from jwtgate.cli.ctl.client import Refused

_MISTAKEN = frozenset({400, 413, 415, 422})
_ADVICE = {
    401: "Set JWTGATE_ADMIN_TOKEN to the token of an operator, or name its file with --token-file.",
    403: "Ask as an operator whose entry in the document does not say `may_write: false`.",
    429: "Wait a minute; until then the right token is refused as well.",
    503: "What is served goes on. Ask again in a few seconds; the gateway's journal says what is wrong with the store.",
}
_NAMES = {
    "roll-back": "jwtgate ctl history",
    "withdraw": "jwtgate ctl revocations",
    "keys": "jwtgate keys list --state DIRECTORY",
    "rotate": "jwtgate keys list --state DIRECTORY",
}
"""The commands that show the names other commands take, where that is not `jwtgate ctl list`."""


def asks(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """The command with the client it asks as its first argument; the options of the group say where and who."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Answer:
        from jwtgate.cli.ctl.access import access
        from jwtgate.cli.ctl.client import AdminClient, Refused

        options = click.get_current_context().obj
        with AdminClient(access(**options, environ=os.environ)) as client:
            try:
                return command(client, *args, **kwargs)
            except Refused as refused:
                return refusal(refused, advice(refused, click.get_current_context().info_name, kwargs))

    return json_option(run)


def refusal(refused: Refused, advised: str | None = None) -> Answer:
    """The answer to a refusal. `ConfigError` when what was sent is at fault."""
    if refused.status in _MISTAKEN:
        raise ConfigError(*refused.sentences)
    lines = [f"{red('refused:')} {visible(sentence)}" for sentence in refused.sentences]
    text = "\n".join([*lines, *([visible(advised)] if advised else [])])
    return Answer(text, {"good": False, "status": refused.status, "problem": refused.problem}, good=False)


def advice(refused: Refused, command: str | None, asked: Mapping[str, object]) -> str | None:
    """What to do about a refusal of this command, which `asked` for that; None where the refusal says it itself."""
    kind, name = asked.get("kind"), asked.get("name")
    problem = str(refused.problem.get("type")).rpartition("#")[2]
    if problem == "document":
        return "Change the gateway's own file; it is read again within a second or two."
    if problem == "versions":
        shown = f"jwtgate ctl get {kind} {name} --json" if kind else "jwtgate ctl export --json"
        return f"`{shown}` shows what is there now, and its version for --over."
    if refused.status == 404:
        return f"`{_NAMES.get(command or '') or f'jwtgate ctl list {kind}'}` shows what there is."
    return _ADVICE.get(refused.status)
