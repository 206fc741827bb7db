"""Where the Admin API is and who we are, from options and the environment; and new tokens for operators."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from jwtgate.cli.answer import Answer, dim
from jwtgate.cli.ctl.client import Access
from jwtgate.cli.ctl.values import read_text
from jwtgate.errors import ConfigError

TOKEN, TOKEN_FILE = "JWTGATE_ADMIN_TOKEN", "JWTGATE_ADMIN_TOKEN_FILE"


def access(
    url: str,
    token_file: Path | None,
    *,
    ca_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    environ: Mapping[str, str],
) -> Access:
    """The access these options give. A token never stands on the command line, where everybody sees it."""
    return Access(url, _token(token_file, environ), ca_file, certificate, key)


def _token(file: Path | None, environ: Mapping[str, str]) -> str | None:
    named = file or (Path(environ[TOKEN_FILE]) if environ.get(TOKEN_FILE) else None)
    token = environ.get(TOKEN) if named is None else read_text(str(named))
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ConfigError("the operator's token cannot be one: it is empty, or has blanks in it")
    return token


def new_token(name: str) -> Answer:
    """A new random token, shown this once, and what the document says of it."""
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    lines = [
        dim("# The token, shown only now; keep it where only its operator can read it:"),
        token,
        dim("# Its operator in the document:"),
        f"admin:\n  operators:\n    {name}: {{token_sha256: {digest}}}",
    ]
    return Answer("\n".join(lines), {"token": token, "token_sha256": digest})
