"""A backend JWT as those read it who know how it is written."""

from __future__ import annotations

import base64
import json
from typing import Any

D = "http://wso2.org/claims/"


def part(text: str) -> bytes:
    """The bytes of one part, in either alphabet, padded or not."""
    return base64.urlsafe_b64decode(
        text.translate(str.maketrans("+/", "-_")).rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    )


def header(token: str) -> dict[str, Any]:
    """Its header."""
    read: dict[str, Any] = json.loads(part(token.split(".")[0]))
    return read


def claims(token: str) -> dict[str, Any]:
    """Its claims."""
    read: dict[str, Any] = json.loads(part(token.split(".")[1]))
    return read


def of_dialect(token: str, prefix: str = D) -> dict[str, Any]:
    """The claims of the dialect, without its prefix."""
    return {name.removeprefix(prefix): value for name, value in claims(token).items() if name.startswith(prefix)}
