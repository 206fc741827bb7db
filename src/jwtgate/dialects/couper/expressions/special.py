"""Texts that are no expressions of Couper's: what its error answers and its log say of a refusal or a fault.

A body is JSON, HTML, or a template of somebody's own with the same four variables.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from jwtgate.dialects.couper.expressions.functions import json_text
from jwtgate.dialects.couper.expressions.words import kind_of, message_of, status_of, synopsis_of, warnings_of
from jwtgate.policy.value import Known

Given = Mapping[str, Any]

MARK = "@"
_VARIABLE = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{status} {message}</title>
</head>
<body>
<h1>{status} {message}</h1>
<p>Path: {path}</p>
<p>Request ID: {id}</p>
</body>
</html>
"""


def _variables(known: Known) -> dict[str, str | int] | None:
    """What a page may show; None without an error."""
    if known.error is None:
        return None
    return {
        "id": known.request.id,
        "message": synopsis_of(known.error, known.slot),
        "path": known.request.path,
        "status": status_of(known.error, known.slot),
    }


def json_page(known: Known) -> str | None:
    """The error as JSON."""
    variables = _variables(known)
    return None if variables is None else json_text({"error": variables}) + "\n"


def html_page(known: Known) -> str | None:
    """The error as a page for people."""
    variables = _variables(known)
    return None if variables is None else _PAGE.format_map(_escaped(variables))


def own_page(template: str, known: Known) -> str | None:
    """The error in this template: `{{ .message }}` and the like stand for what they name."""
    variables = _variables(known)
    if variables is None:
        return None
    escaped = _escaped(variables)
    named = {"http_status": escaped["status"], "error_code": escaped["status"], "request_id": escaped["id"], **escaped}
    return _VARIABLE.sub(lambda found: named.get(found[1], ""), template)


def _escaped(variables: Mapping[str, str | int]) -> dict[str, str]:
    return {name: html.escape(str(value)) for name, value in variables.items()}


def _type(known: Known, given: Given) -> str | None:
    if known.error is None:
        return None
    return kind_of(known.error, known.slot, str(given.get("sources", {}).get(known.slot, "")))


_SPECIAL: dict[str, Callable[[Known, Given], object]] = {
    "@error_body_html": lambda known, given: html_page(known),
    "@error_body_json": lambda known, given: json_page(known),
    "@error_message": message_of,
    "@error_synopsis": lambda known, given: synopsis_of(known.error, known.slot) if known.error else None,
    "@error_template": lambda known, given: own_page(str(given.get("template", "")), known),
    "@error_type": _type,
    "@warnings": lambda known, given: warnings_of(known),
}


class Special:
    """One of these texts, as an expression. `ValueError` for one that does not exist."""

    __slots__ = ("_given", "_run", "of_request", "text")
    asks = False

    def __init__(self, text: str, given: Given) -> None:
        if text not in _SPECIAL:
            raise ValueError(f"there is no {text}; there are {', '.join(_SPECIAL)}")
        self.text = text
        self.of_request = text != "@warnings"  # which are told of the caller's tokens alone
        self._given = dict(given)
        self._run = _SPECIAL[text]

    def __call__(self, known: Known) -> object:
        """What is said of the error or the warnings; None when there is nothing to say."""
        return self._run(known, self._given)

    def __reduce__(self) -> tuple[type[Special], tuple[str, dict[str, Any]]]:
        return Special, (self.text, self._given)
