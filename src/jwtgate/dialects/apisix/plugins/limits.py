"""The plugin `limit-count` as a limit of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.apisix.conditions import CannotSay, variable
from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.apisix.plugins.saying_no import PLAIN_TEXT, body_of
from jwtgate.dialects.dialect import literal

_WORD = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_BY = {"consumer_name": "caller", "remote_addr": "client", "binary_remote_addr": "client"}


def rate_limit_of(conf: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    """The limit of ours. What cannot be counted here is refused."""
    limit: dict[str, Any] = {
        "requests": conf["count"],
        "window_seconds": conf["time_window"],
        "by": _counted_by(conf, noting, place),
        "status": conf.get("rejected_code", 503),
        "show_headers": conf.get("show_limit_quota_header", True),
    }
    if "rejected_msg" in conf or "error_response" in (conf.get("_meta") or {}):
        limit["body"] = body_of(conf, {"error_msg": conf.get("rejected_msg")})
        limit["content_type"] = PLAIN_TEXT
    if conf.get("policy", "local") != "local":
        noting.changed((*place, "policy"), "counted over all workers of this gateway, in no store of its own")
    if "group" in conf:
        noting.changed((*place, "group"), "each route counts for itself")
    if conf.get("allow_degradation"):
        noting.changed((*place, "allow_degradation"), "a request that cannot be counted is refused")
    return limit


def _counted_by(conf: Mapping[str, Any], noting: Noting, place: Place) -> object:
    kind, key = conf.get("key_type", "var"), conf.get("key", "remote_addr")
    if kind == "constant":
        return "route"
    if kind == "var" and key in _BY:
        return _BY[key]
    words = _WORD.findall(key) if kind == "var_combination" else [key]
    if "consumer_name" in words:
        if len(words) > 1:
            noting.changed((*place, "key"), "each consumer is counted, whatever else the key names")
        return "caller"
    try:
        return {"cel": literal(_joined(words, kind))}
    except CannotSay as cause:
        noting.refused((*place, "key"), str(cause))
        return "client"


def _joined(words: list[str], kind: str) -> str:
    """The key as an expression. One that is empty is the client's address, as its users know it."""
    if not words:
        raise CannotSay("names no variable")
    texts = [variable(word).or_empty for word in words]
    if kind == "var_combination":
        return " + ' ' + ".join(texts)
    return f"{texts[0]} == '' ? request.client : {texts[0]}"
