"""Files of Couper as the published examples describe them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.dialects.couper.tokens import SECRET

from jwtgate.cli.checking import check
from jwtgate.errors import ConfigError

_BEFORE_WORDS = re.compile(r"^[^:]+:[\d,-]+: (?=configuration error: )")
ANSWER = """response {
      headers = {
        x-sub = request.context%s.sub
        x-perms = json_encode(request.context.granted_permissions)
      }
    }"""


def jwt(label: str = "J", *lines: str, keys: str | None = None) -> str:
    """A `jwt` block with these lines; with the algorithm and the secret of the examples, unless `keys` says others."""
    if keys is None:
        keys = f'signature_algorithm = "HS256"\n    key = "{SECRET}"'
    return "\n    ".join([f'jwt "{label}" {{', keys, *lines]) + "\n  }"


def endpoint(path: str = "/p", label: str = "J", *lines: str, answer: str | None = None) -> str:
    """An endpoint behind this access control, which answers with what it knows of the caller."""
    told = ANSWER % f'["{label}"]' if answer is None else answer
    return "\n    ".join([f'endpoint "{path}" {{', f'access_control = ["{label}"]', *lines, told]) + "\n  }"


def open_endpoint(path: str, *lines: str) -> str:
    """An endpoint for everybody."""
    return "\n    ".join([f'endpoint "{path}" {{', *lines]) + "\n  }"


def file(*endpoints: str, definitions: tuple[str, ...] = (jwt(),), more: str = "") -> str:
    """A whole file."""
    served, defined = "\n  ".join(endpoints), "\n  ".join(definitions)
    return f"server {{\n  {served}\n}}\ndefinitions {{\n  {defined}\n}}\n{more}"


def mistakes(folder: Path, text: str) -> str:
    """What is said of a file that cannot be served, all of it; the empty text for a good one.

    What is told in Couper's words is without its place.
    """
    path = folder / "couper.hcl"
    path.write_text(text)
    try:
        check(path)
    except ConfigError as error:
        return "\n".join(_BEFORE_WORDS.sub("", problem) for problem in error.problems)
    return ""
