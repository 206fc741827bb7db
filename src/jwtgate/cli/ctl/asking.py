"""How every command of `jwtgate ctl` asks: over one client, with a problem of the Admin API as its answer.

A mistake in what was sent ends with 2 as everywhere, any other no with 1.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
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
    404: "`jwtgate ctl list KIND` shows the names there are.",
    412: "`jwtgate ctl get KIND NAME --json` shows the version there is now; name it with --over.",
    429: "Wait as long as it says; meanwhile the right token is refused as well.",
    503: "What is served goes on. Ask again in a few seconds; the gateway's journal says what is wrong with the store.",
}
"""What to do about a refusal that does not say it by itself, by its status."""


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
                return refusal(refused)

    return json_option(run)


def refusal(refused: Refused) -> Answer:
    """The answer to a refusal. `ConfigError` when what was sent is at fault."""
    if refused.status in _MISTAKEN:
        raise ConfigError(*refused.sentences)
    lines = [f"{red('refused:')} {visible(sentence)}" for sentence in refused.sentences]
    if refused.status in _ADVICE:
        lines.append(_ADVICE[refused.status])
    return Answer("\n".join(lines), {"good": False, "status": refused.status, "problem": refused.problem}, good=False)
