"""Upstreams as upstreams of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.apisix.noting import Noting, Place

_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_PORTS = {"http": 80, "https": 443}
_SECONDS = 60.0
_UNSAID = {
    "retry_timeout": (0, "each attempt has the time limits of the upstream, all of them together none"),
    "checks": (None, "a node that cannot be reached is left aside for a while, and nothing is asked of it meanwhile"),
}


def upstream_of(
    value: Mapping[str, Any], noting: Noting, place: Place, *, timeout: Mapping[str, Any] | None, host: str | None
) -> dict[str, Any] | None:
    """The upstream of ours; None when it has no node that could be used, or cannot be had here.

    `timeout` are the seconds of a route, `host` what a route says that the upstream sees as `Host`.
    """
    scheme = value.get("scheme", "http")
    if scheme not in _PORTS:
        noting.refused((*place, "scheme"), f"{scheme} is not spoken here")
        return None
    if "service_name" in value:
        noting.refused((*place, "service_name"), "services are not discovered here; list the nodes")
        return None
    for name, (usual, sentence) in _UNSAID.items():
        if name in value and value[name] != usual:
            noting.changed((*place, name), sentence)
    targets = list(_targets(value.get("nodes", {}), scheme, noting, (*place, "nodes")))
    if not targets:
        noting.changed((*place, "nodes"), "no node can be used, so every request is answered with 503")
        return None
    return {
        "targets": targets,
        **_host(value, host),
        **_balancing(value, noting, place),
        "retries": value.get("retries", len(targets) - 1),
        **_times({**value.get("timeout", {}), **(timeout or {})}),
        **_pool(value, noting, place),
        **_tls(value, scheme, noting, place),
        "x_real_ip": True,
        "forwarded_port": True,
    }


def _balancing(value: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    """How a node is chosen. The nodes of keys are others than theirs, and as steady."""
    kind = value.get("type", "roundrobin")
    if kind == "least_conn":
        return {"balance": "least_requests"}
    if kind != "chash":
        if kind != "roundrobin":
            noting.changed((*place, "type"), "the nodes take turns by their weights")
        return {}
    by = _hashed(value.get("hash_on", "vars"), value.get("key", "remote_addr"))
    if by is None:
        noting.changed((*place, "key"), "the nodes take turns by their weights")
        return {}
    return {"balance": "consistent_hash", "hash_by": by}


def _hashed(on: str, key: str) -> str | dict[str, str] | None:
    """What of a request is hashed; None where that is nothing we can hash."""
    if on == "consumer":
        return "consumer"
    if on in ("header", "cookie"):
        return {on: key} if _TOKEN.fullmatch(key) else None
    if on == "vars" and key == "remote_addr":
        return "client"
    kind, _, name = key.partition("_")
    if on == "vars" and kind == "http" and _TOKEN.fullmatch(name):
        return {"header": name.replace("_", "-")}
    if on == "vars" and kind == "cookie" and _TOKEN.fullmatch(name):
        return {"cookie": name}
    return None


def _targets(nodes: Any, scheme: str, noting: Noting, place: Place) -> Iterator[dict[str, Any]]:
    listed = list(_listed(nodes))
    best = max((priority for _, _, _, priority in listed), default=0)
    for name, port, weight, priority in listed:
        if priority < best:
            noting.changed(place, "only the nodes of the highest priority are used")
        elif weight:
            yield {"url": f"{scheme}://{name}:{port or _PORTS[scheme]}", "weight": weight}


def _listed(nodes: Any) -> Iterator[tuple[str, int | None, int, int]]:
    """Host, port, weight and priority of every node."""
    if isinstance(nodes, dict):
        for node, weight in nodes.items():
            found = _NODE.fullmatch(node)
            if found is not None:
                yield found["host"], int(found["port"]) if found["port"] else None, weight, 0
        return
    for node in nodes:
        host = node["host"]
        bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
        yield bracketed, node.get("port"), node["weight"], node.get("priority", 0)


def _host(value: Mapping[str, Any], host: str | None) -> dict[str, Any]:
    """What the upstream sees as `Host`."""
    passed = value.get("pass_host", "pass")
    if host is not None:
        return {"host": host}
    if passed == "rewrite":
        return {"host": value["upstream_host"]}
    return {"preserve_host": passed == "pass"}


def _times(timeout: Mapping[str, Any]) -> dict[str, Any]:
    read = float(timeout.get("read", _SECONDS))
    return {
        "connect_seconds": float(timeout.get("connect", _SECONDS)),
        "first_byte_seconds": read,
        "idle_seconds": read,
    }


def _pool(value: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    pool = value.get("keepalive_pool", {})
    if "requests" in pool:
        noting.changed((*place, "keepalive_pool", "requests"), "a connection is used for as long as it lasts")
    idle = pool.get("idle_timeout", _SECONDS)
    return {
        "most_idle_connections": pool.get("size", 320) if idle else 0,
        "keep_alive_seconds": float(idle or _SECONDS),
    }


def _tls(value: Mapping[str, Any], scheme: str, noting: Noting, place: Place) -> dict[str, Any]:
    tls = value.get("tls", {})
    for name in ("client_cert_id", "client_cert", "client_key"):
        if name in tls:
            noting.refused((*place, "tls", name), "no certificate is shown to upstreams here")
    if scheme == "https" and not tls.get("verify"):
        where = (*place, "tls", "verify") if "verify" in tls else (*place, "scheme")
        noting.changed(where, "the certificate of the upstream is verified")
    return {}
