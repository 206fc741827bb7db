"""Kong's services, upstreams and targets, as upstreams of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.dialect import as_name
from jwtgate.dialects.kong.translation.draft import Draft

_MOST_RETRIES = 32
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_BY_ALGORITHM = {"round-robin": "round_robin", "least-connections": "least_requests"}
_HASHED = {"consumer": "consumer", "ip": "client"}
_USUAL_TIMEOUT = 60000
_USUAL_SLOTS = 10000
_SPOKEN = ("http", "https")


def upstream_of(draft: Draft, service: Mapping[str, Any], route: Mapping[str, Any]) -> str | None:
    """The name of the upstream a route of this service leads to; None if it cannot be reached here."""
    place = draft.place("services", service)
    if service["protocol"] not in _SPOKEN:
        draft.notes.refused(f"{place}/protocol", "HTTP and HTTPS are spoken, nothing else.")
        return None
    _refuse_certificates(draft, service, place)
    # No name of a service has a slash: none is taken for the id of another, nor for what is added here.
    name = as_name(f"{service['name'] or 'id/' + service['id']}{'/preserving-host' if route['preserve_host'] else ''}")
    if name not in draft.upstreams:
        section = _section(draft, service, place)
        if route["preserve_host"]:
            section = {key: value for key, value in section.items() if key != "host"} | {"preserve_host": True}
        draft.upstreams[name] = section
    return name


def _refuse_certificates(draft: Draft, service: Mapping[str, Any], place: str) -> None:
    """Refuse what its routes would be missing; said again for each of them."""
    if service["protocol"] != "https":
        return
    if service["client_certificate"] is not None:
        draft.notes.refused(f"{place}/client_certificate", "No certificate is shown to upstreams.")
    if not draft.held("ca_certificates").keys() >= set(service["ca_certificates"] or ()):
        draft.notes.refused(f"{place}/ca_certificates", "There is no such certificate.")


def _section(draft: Draft, service: Mapping[str, Any], place: str) -> dict[str, Any]:
    balanced = next((each for each in draft.held("upstreams").values() if each["name"] == service["host"]), None)
    targets: dict[str, Any] = {"targets": [_url(service, f"{service['host']}:{service['port']}")]}
    if balanced is not None:
        targets = _balanced(draft, service, balanced)
    retries = service["retries"]
    if retries > _MOST_RETRIES:
        draft.notes.changed(f"{place}/retries", f"At most {_MOST_RETRIES}.")
    if service["write_timeout"] != _USUAL_TIMEOUT:
        draft.notes.changed(f"{place}/write_timeout", "A request is sent as long as the upstream takes it.")
    section = {
        **targets,
        "connect_seconds": service["connect_timeout"] / 1000,
        "first_byte_seconds": service["read_timeout"] / 1000,
        "idle_seconds": service["read_timeout"] / 1000,
        "retries": min(retries, _MOST_RETRIES),
        "x_real_ip": True,
        "forwarded_port": True,
        "forwarded_path": True,
    }
    return section | (_tls(draft, service, place) if service["protocol"] == "https" else {})


def _url(service: Mapping[str, Any], address: str) -> str:
    return f"{service['protocol']}://{address}"


def _balanced(draft: Draft, service: Mapping[str, Any], upstream: Mapping[str, Any]) -> dict[str, Any]:
    """The targets of an upstream of Kong's, and the `Host` they see."""
    place = draft.place("upstreams", upstream)
    if upstream["slots"] != _USUAL_SLOTS:
        draft.notes.changed(f"{place}/slots", "Keys are spread over targets without slots.")
    if upstream["healthchecks"] is not None:
        draft.notes.changed(f"{place}/healthchecks", "A target nobody can connect to is left out for a while.")
    held = [each for each in draft.held("targets").values() if each["upstream"]["id"] == upstream["id"]]
    targets = [
        {"url": _url(service, target if ":" in target else f"{target}:8000"), "weight": each["weight"]}
        for each in held
        for target in (each["target"],)
    ]
    if not any(target["weight"] for target in targets):
        draft.notes.changed(place, "It has no target, so its requests fail.")
        targets = [{"url": _url(service, "localhost:1"), "weight": 1}]
    host = upstream["host_header"] or upstream["name"]
    return {"targets": targets, "host": host, **_balancing(draft, upstream, place)}


def _balancing(draft: Draft, upstream: Mapping[str, Any], place: str) -> dict[str, Any]:
    """How a target is chosen. The targets of keys are others than Kong's, and as steady."""
    algorithm = upstream["algorithm"]
    if algorithm == "consistent-hashing":
        return _hashing(draft, upstream, place)
    if algorithm not in _BY_ALGORITHM:
        draft.notes.changed(f"{place}/algorithm", "Targets take turns.")
        return {}
    balance = _BY_ALGORITHM[algorithm]
    return {} if balance == "round_robin" else {"balance": balance}


def _hashing(draft: Draft, upstream: Mapping[str, Any], place: str) -> dict[str, Any]:
    by = upstream["hash_on"]
    header = upstream["hash_on_header"]
    if by not in _HASHED and not (by == "header" and _NAME.fullmatch(header or "")):
        draft.notes.changed(f"{place}/hash_on", "Targets take turns.")
        return {}
    if by != "ip" and upstream["hash_fallback"] != "ip":
        draft.notes.changed(f"{place}/hash_fallback", "A request without it goes by its client's address.")
    return {"balance": "consistent_hash", "hash_by": _HASHED.get(by) or {"header": header}}


def _tls(draft: Draft, service: Mapping[str, Any], place: str) -> dict[str, Any]:
    if not service["tls_verify"]:
        draft.notes.changed(f"{place}/tls_verify", "The upstream's certificate is always verified.")
    if service["tls_verify_depth"] is not None:
        draft.notes.changed(f"{place}/tls_verify_depth", "The length of the chain is the library's to judge.")
    authorities = [draft.held("ca_certificates").get(id_) for id_ in service["ca_certificates"] or ()]
    pems = [authority["cert"] for authority in authorities if authority is not None]
    if pems:
        return {"ca_file": draft.ca_file(pems)}
    trusted = draft.trusted
    return {} if trusted is None else {"ca_file": trusted}
