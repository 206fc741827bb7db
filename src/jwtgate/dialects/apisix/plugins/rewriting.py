"""The plugins that change a request or an answer on the way, as changes of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jwtgate.config.patterns import PathPattern
from jwtgate.dialects.apisix.conditions import CannotSay, text_literal, variable
from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.dialect import literal

SAFE = "/-._~!$&'()*+,;=:@%"
_GROUP = re.compile(r"\$(?:\{)?([1-9])(?:\})?")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_OURS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade", "via", "expect", "te", "trailer"})


def proxy_rewrite(conf: Mapping[str, Any], noting: Noting, place: Place) -> tuple[dict[str, Any], str | None]:
    """What a route of ours changes in the request, and what its upstream is to see as `Host`, if that is said."""
    rewrite: dict[str, Any] = {}
    if "uri" in conf:
        rewrite.update(_path(conf["uri"], noting, (*place, "uri")))
    elif "regex_uri" in conf:
        rewrite.update(_pattern(conf["regex_uri"], noting, (*place, "regex_uri")))
    if "method" in conf:
        rewrite["method"] = conf["method"]
    for unknown in conf.keys() - {"uri", "regex_uri", "method", "host", "headers", "_meta"}:
        noting.refused((*place, unknown), "cannot be had here")
    host = conf.get("host")
    fields, host_field = _fields(conf.get("headers", {}), noting, (*place, "headers"))
    route = {"rewrite": rewrite} if rewrite else {}
    return {**route, **({"request_headers": fields} if fields else {})}, host or host_field


def response_rewrite(conf: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    """What a route of ours changes in the answer."""
    for unknown in conf.keys() - {"headers", "_meta"}:
        noting.refused((*place, unknown), "cannot be had here; an answer keeps its status and body")
    fields, _ = _fields(conf.get("headers", {}), noting, (*place, "headers"))
    return {"response_headers": fields} if fields else {}


def _path(uri: str, noting: Noting, place: Place) -> dict[str, Any]:
    if "?" in uri or _VARIABLE.search(uri):
        noting.refused(place, "variables and a query in a path cannot be had here")
        return {}
    return {"path": literal(quote(uri, safe=SAFE))}


def _pattern(pair: list[str], noting: Noting, place: Place) -> dict[str, Any]:
    if len(pair) != 2:
        noting.refused(place, "one pattern and its replacement can be had here")
        return {}
    pattern = pair[0]
    replacement = _GROUP.sub(r"\\\1", pair[1].replace("\\", "\\\\"))
    try:
        PathPattern(pattern, replacement)
    except ValueError as error:
        noting.refused(place, f"the pattern {error}")
        return {}
    return {"pattern": literal(pattern), "replacement": literal(replacement)}


def _fields(headers: Mapping[str, Any], noting: Noting, place: Place) -> tuple[dict[str, Any], str | None]:
    """Fields to set, add and remove; and the `Host` among those that are set."""
    spelt = headers.keys() <= {"set", "add", "remove"} and not any(isinstance(each, str) for each in headers.values())
    parts = headers if spelt else {"set": headers}
    changes: dict[str, Any] = {}
    host = None
    for name, value in parts.get("set", {}).items():
        if name.lower() == "host":
            host = str(value)
        elif value == "":
            changes.setdefault("remove", []).append(name)
        else:
            _put(changes, "set", name, value, noting=noting, place=place)
    for name, value in _added(parts.get("add", {})):
        _put(changes, "add", name, value, noting=noting, place=place)
    for name in parts.get("remove", ()):
        if _is_free(name, noting, place):
            changes.setdefault("remove", []).append(name)
    return changes, host


def _added(added: Any) -> list[tuple[str, Any]]:
    """Names and values, from a mapping or from lines such as `name: value`."""
    if isinstance(added, dict):
        return list(added.items())
    lines = (line.partition(":") for line in added if isinstance(line, str))
    return [(name.strip(), value.strip()) for name, _, value in lines]


def _put(changes: dict[str, Any], kind: str, name: str, value: Any, *, noting: Noting, place: Place) -> None:
    if not _is_free(name, noting, place):
        return
    try:
        changes.setdefault(kind, {})[name] = _value(str(value))
    except CannotSay as cause:
        noting.refused((*place, name), str(cause))


def _is_free(name: str, noting: Noting, place: Place) -> bool:
    ours = name.lower() in _OURS or name.lower().startswith("x-forwarded-")
    if ours:
        noting.refused((*place, name), "is a field the gateway itself is responsible for")
    return not ours


def _value(text: str) -> Any:
    """A value of ours: text as it stands, or with variables an expression."""
    if _GROUP.search(text):
        raise CannotSay("groups of a pattern in a field cannot be had here")
    parts = _VARIABLE.split(text)
    if len(parts) == 1:
        return literal(text)
    if parts == ["", "consumer_name", ""]:
        return {"consumer": "name"}
    said = (variable(part).or_empty if index % 2 else text_literal(part) for index, part in enumerate(parts))
    return {"cel": literal(" + ".join(part for part in said if part != "''"))}
