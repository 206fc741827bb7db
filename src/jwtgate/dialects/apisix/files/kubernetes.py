"""Resources of the ingress controller as objects: `ApisixRoute`, `ApisixConsumer`, `Consumer`. Conversion only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jwtgate.dialects.apisix.files.collecting import put
from jwtgate.dialects.dialect import Objects

_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]")
_AUTH = {"jwtAuth": "jwt-auth", "keyAuth": "key-auth"}
_SUBJECTS = {"Header": "http_", "Query": "arg_", "Cookie": "cookie_"}
_OPERATORS = {
    "Equal": "==",
    "NotEqual": "~=",
    "GreaterThan": ">",
    "GreaterThanEqual": ">=",
    "LessThan": "<",
    "LessThanEqual": "<=",
    "RegexMatch": "~~",
    "RegexMatchCaseInsensitive": "~*",
    "In": "in",
}


def is_kubernetes(document: Any) -> bool:
    """Whether this is such a resource."""
    return isinstance(document, dict) and "apiVersion" in document and "kind" in document


def from_kubernetes(resources: Sequence[Mapping[str, Any]], problems: list[str]) -> Objects:
    """The objects of these resources. What cannot be converted is added to `problems`."""
    objects: Objects = {}
    for resource in resources:
        kind, metadata = resource["kind"], resource.get("metadata") or {}
        namespace, name = str(metadata.get("namespace", "default")), str(metadata.get("name", ""))
        spec = resource.get("spec") or {}
        convert = {"ApisixRoute": _route, "ApisixConsumer": _consumer, "Consumer": _gateway_consumer}.get(kind)
        if convert is None or not name:
            cause = "is not converted" if convert is None else "has no name"
            problems.append(f"{kind} {namespace}/{name}: {cause}")
            continue
        try:
            convert(namespace, name, spec, objects)
        except _NotConverted as cause:
            problems.append(f"{kind} {namespace}/{name}: {cause}")
    return objects


class _NotConverted(Exception):
    """What cannot be converted, and why."""


def _route(namespace: str, name: str, spec: Mapping[str, Any], objects: Objects) -> None:
    for rule in spec.get("http") or ():
        match = rule.get("match") or {}
        route: dict[str, Any] = {"uris": list(match.get("paths") or ()), "plugins": _plugins(rule)}
        route.update({ours: match[theirs] for theirs, ours in _MATCHED.items() if match.get(theirs)})
        if match.get("exprs"):
            route["vars"] = [_condition(each) for each in match["exprs"]]
        if "filter_func" in match:
            raise _NotConverted("filter_func is code")
        nodes = [_node(namespace, backend) for backend in rule.get("backends") or ()]
        if rule.get("upstreams") or rule.get("plugin_config_name"):
            raise _NotConverted("upstreams and plugin_config_name name other resources; write them out")
        if nodes:
            route["upstream"] = {"nodes": nodes}
        route.update({"enable_websocket": True} if rule.get("websocket") else {})
        route.update({"priority": rule["priority"]} if "priority" in rule else {})
        if rule.get("timeout"):
            route["timeout"] = {each: _seconds(said) for each, said in rule["timeout"].items()}
        identity = _UNUSUAL.sub("-", f"{namespace}_{name}_{rule.get('name', 'rule')}")
        put(objects, "routes", identity[:64], route)


_MATCHED = {"hosts": "hosts", "methods": "methods", "remoteAddrs": "remote_addrs"}


def _plugins(rule: Mapping[str, Any]) -> dict[str, Any]:
    plugins = {each["name"]: _config(each) for each in rule.get("plugins") or () if each.get("enable", True)}
    asked = rule.get("authentication") or {}
    if asked.get("enable"):
        kind = asked.get("type")
        if kind not in _AUTH:
            raise _NotConverted(f"authentication of type {kind} is not spoken here")
        conf = asked.get(kind) or {}
        plugins.setdefault(_AUTH[kind], {each: said for each, said in conf.items() if said != ""})
    return plugins


def _config(each: Mapping[str, Any]) -> Any:
    if "secretRef" in each:
        raise _NotConverted("secretRef names a resource that is not here; write the value or a reference")
    return each.get("config") or {}


def _condition(each: Mapping[str, Any]) -> list[Any]:
    subject, operator = each.get("subject") or {}, each.get("op")
    scope = subject.get("scope")
    variable = "uri" if scope == "Path" else f"{_SUBJECTS.get(str(scope), '')}{subject.get('name', '')}"
    if operator not in _OPERATORS or (scope not in _SUBJECTS and scope != "Path"):
        raise _NotConverted(f"the condition {scope} {operator} is not spoken here")
    name = variable.replace("-", "_").lower() if scope == "Header" else variable
    return [name, _OPERATORS[operator], each.get("set") if operator == "In" else each.get("value")]


def _node(namespace: str, backend: Mapping[str, Any]) -> dict[str, Any]:
    port = backend.get("servicePort")
    if not isinstance(port, int):
        raise _NotConverted("servicePort must be a number here")
    host = f"{backend.get('serviceName', '')}.{namespace}.svc"
    return {"host": host, "port": port, "weight": backend.get("weight", 100)}


def _seconds(said: Any) -> float:
    text = str(said)
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit) and text.removesuffix(unit).replace(".", "", 1).isdigit():
            return float(text.removesuffix(unit)) * factor
    raise _NotConverted(f"the time {text} cannot be read")


def _consumer(namespace: str, name: str, spec: Mapping[str, Any], objects: Objects) -> None:
    plugins = {}
    for kind, auth in (spec.get("authParameter") or {}).items():
        if kind not in _AUTH:
            raise _NotConverted(f"{kind} is not spoken here")
        if "value" not in auth:
            raise _NotConverted("secretRef names a resource that is not here; write the value")
        plugins[_AUTH[kind]] = {member: said for member, said in auth["value"].items() if said not in ("", 0)}
    username = f"{namespace}_{name}"
    put(objects, "consumers", username, {"username": username, "plugins": plugins})


def _gateway_consumer(namespace: str, name: str, spec: Mapping[str, Any], objects: Objects) -> None:
    username = f"{namespace}_{name}"
    plugins = {each["name"]: _config(each) for each in spec.get("plugins") or () if each.get("enable", True)}
    put(objects, "consumers", username, {"username": username, "plugins": plugins})
    for identity, value in _credentials(spec):
        put(objects, "credentials", f"{username}/{identity}", value)


def _credentials(spec: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, each in enumerate(spec.get("credentials") or (), start=1):
        identity = str(each.get("name") or f"{each.get('type')}-{number}")
        yield identity, {"plugins": {each.get("type"): _config(each)}}
