"""The plugins `request-transformer`, `response-transformer` and `request-termination`: what they change of a route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.kong.translation.answers import JSON, json_text
from jwtgate.dialects.kong.translation.draft import Draft

_PARTS = ("remove", "rename", "replace", "add", "append")


def request_edits(draft: Draft, plugin: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a route that change what the upstream is asked."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    keys: dict[str, Any] = {}
    rewrite = {}
    if config["http_method"]:
        rewrite["method"] = config["http_method"].upper()
    uri = config["replace"]["uri"]
    if uri and "$(" not in uri:
        rewrite["path"] = uri
    elif uri:
        draft.notes.refused(f"{place}/replace/uri", "Templates are not read.")
    if rewrite:
        keys["rewrite"] = rewrite
    headers = _headers(draft, config, place)
    return keys | ({"request_headers": headers} if headers else {})


def response_edits(draft: Draft, plugin: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a route that change the upstream's answer."""
    headers = _headers(draft, plugin["config"], f"{draft.place('plugins', plugin)}/config")
    return {"response_headers": headers} if headers else {}


def _headers(draft: Draft, config: Mapping[str, Any], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if config["remove"]["headers"]:
        found["remove"] = list(config["remove"]["headers"])
    for kind, ours in (("replace", "set"), ("add", "set"), ("append", "add")):
        pairs = _pairs(config[kind]["headers"])
        if any("$(" in value for value in pairs.values()):
            draft.notes.refused(f"{place}/{kind}/headers", "Templates are not read.")
            continue
        if pairs:
            found[ours] = found.get(ours, {}) | pairs
        if pairs and kind != "append":
            draft.notes.changed(f"{place}/{kind}/headers", "The field is set, whether it was there or not.")
    if config["rename"]["headers"]:
        draft.notes.refused(
            f"{place}/rename/headers", "A field is not renamed; set it from the other with a route of ours."
        )
    for part in _PARTS:
        for other in ("body", "querystring", "json"):
            if config[part].get(other):
                draft.notes.refused(f"{place}/{part}/{other}", "Bodies and queries are passed on as they came.")
    return found


def _pairs(texts: list[str] | None) -> dict[str, str]:
    """Names and values of Kong's `name:value`."""
    return {name.strip(): value.strip() for name, _, value in (text.partition(":") for text in texts or ())}


def termination(draft: Draft, plugin: Mapping[str, Any]) -> dict[str, Any]:
    """The answer that takes the place of an upstream."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    for name in ("echo", "trigger"):
        if config[name]:
            draft.notes.refused(f"{place}/{name}", "Every request is answered the same.")
    if config["body"]:
        return {
            "status": config["status_code"],
            "body": config["body"],
            "content_type": config["content_type"] or JSON,
        }
    message = config["message"] or _MESSAGES.get(config["status_code"], "Service unavailable")
    return {"status": config["status_code"], "body": json_text(message=message), "content_type": JSON}


_MESSAGES: Mapping[int, str] = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    500: "An unexpected error occurred",
}
