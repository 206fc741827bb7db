"""The plugins that find out who is calling, as slots of a route and issuers of ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.apisix.callers import IDENTIFIER
from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.apisix.plugins.saying_no import answers_of
from jwtgate.dialects.apisix.references import said
from jwtgate.dialects.apisix.schema.plugins import SIGNATURES
from jwtgate.dialects.dialect import Objects, literal

IDENTITY: Mapping[str, Any] = {
    "X-Consumer-Username": {"consumer": "name"},
    "X-Credential-Identifier": {"consumer": ["credential_labels", IDENTIFIER]},
    "X-Consumer-Custom-ID": {"consumer": ["labels", "custom_id"]},
}
"""The fields that tell an upstream who is calling."""
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY_ISSUER = "key-auth"
Confs = Mapping[str, tuple[Mapping[str, Any], Place]]
"""Plugins by name: the configuration of each, and where it stands."""
Issuers = dict[str, dict[str, Any]]


def authentication_of(confs: Confs, objects: Objects, issuers: Issuers, noting: Noting) -> dict[str, Any]:
    """What a route of ours asks of its callers. Issuers it needs are added to `issuers`."""
    asking = {name: confs[name] for name in ("multi-auth", "jwt-auth", "key-auth") if name in confs}
    if not asking:
        return {"auth": "none"}
    if len(asking) > 1:
        return _of_several(asking, objects, issuers, noting)
    ((name, (conf, place)),) = asking.items()
    if name == "multi-auth":
        return _of_multi_auth(conf, place, objects, issuers, noting)
    return _route([(name, conf, place)], objects, issuers, answers=answers_of(name, conf), noting=noting)


def _of_several(asking: Confs, objects: Objects, issuers: Issuers, noting: Noting) -> dict[str, Any]:
    """Every one of them must find its caller. The words are those of the one that would run first."""
    plugins = [(name, conf, place) for name, (conf, place) in asking.items()]
    for name, conf, place in plugins:
        if name == "multi-auth" or "anonymous_consumer" in conf:
            noting.refused(place, "stands beside another authentication plugin, where it cannot be had here")
    answers = answers_of(plugins[0][0], plugins[0][1])
    plain = [each for each in plugins if each[0] != "multi-auth"]
    return _route(plain, objects, issuers, answers=answers, noting=noting)


def _of_multi_auth(
    conf: Mapping[str, Any], place: Place, objects: Objects, issuers: Issuers, noting: Noting
) -> dict[str, Any]:
    plugins = [
        (name, part, (*place, "auth_plugins", str(index), name))
        for index, each in enumerate(conf["auth_plugins"])
        for name, part in each.items()
    ]
    for _, part, there in plugins:
        if "anonymous_consumer" in part:
            noting.refused((*there, "anonymous_consumer"), "cannot be had inside multi-auth")
    route = _route(plugins, objects, issuers, answers=answers_of("multi-auth", conf), noting=noting)
    return {**route, "enough": "one_slot"}


def _route(
    plugins: list[tuple[str, Mapping[str, Any], Place]],
    objects: Objects,
    issuers: Issuers,
    *,
    answers: dict[str, Any],
    noting: Noting,
) -> dict[str, Any]:
    slots: dict[str, Any] = {}
    headers: dict[str, Any] = dict(IDENTITY)
    for name, conf, place in plugins:
        slot = name if name not in slots else f"{name}-{len(slots) + 1}"
        slots[slot] = _slot(name, conf, objects, issuers)
        headers.update({field: {"claim": [literal(claim)], "slot": slot} for field, claim in _told(conf)})
        noting.danger(place, _lenient(name, conf))
        if conf.get("store_in_ctx"):
            noting.changed((*place, "store_in_ctx"), "no plugin reads it; claims_to_headers tells the upstream")
    route: dict[str, Any] = {"auth": "required", "slots": slots, "headers": headers, "answers": answers}
    hidden = {bool(conf.get("hide_credentials")) for _, conf, _ in plugins}
    if len(hidden) > 1:
        noting.changed((*plugins[0][2], "hide_credentials"), "every credential of the route is hidden")
    anonymous = plugins[0][1].get("anonymous_consumer")
    if anonymous is not None:
        noting.danger((*plugins[0][2], "anonymous_consumer"), "a caller whose token is refused counts as this consumer")
        route.update(
            auth="optional", anonymous_consumer=literal(anonymous), anonymous_consumer_also_for_refused_tokens=True
        )
    return route if True in hidden else {**route, "forward_token": True}


def _lenient(name: str, conf: Mapping[str, Any]) -> str:
    """What the other gateway allows and a document of ours would have to ask for."""
    allowed = ["the first place that holds something decides, and a query is seen wherever addresses are written down"]
    if name == "jwt-auth" and "exp" not in conf.get("claims_to_verify", ()):
        allowed.append("tokens without exp are accepted")
    if name == "jwt-auth" and not conf.get("audience"):
        allowed.append("tokens meant for anybody are accepted")
    if not conf.get("hide_credentials"):
        allowed.append("the upstream receives the credential")
    return "; ".join(allowed)


def _told(conf: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from conf.get("claims_to_headers", {}).items()


def _slot(name: str, conf: Mapping[str, Any], objects: Objects, issuers: Issuers) -> dict[str, Any]:
    if name == "key-auth":
        issuers[_KEY_ISSUER] = {"consumers": {"api_key": True}, "audience": "any"}
        sources: list[dict[str, Any]] = [
            {"header": literal(conf.get("header", "apikey"))},
            {"query": literal(conf.get("query", "apikey"))},
        ]
        return {"from": sources, "first_source_wins_for_legacy_clients": True, "issuers": [_KEY_ISSUER]}
    sources = [
        {"header": literal(conf.get("header", "authorization")), "prefix": ["Bearer ", "bearer ", ""]},
        {"query": literal(conf.get("query", "jwt"))},
        {"cookie": literal(conf.get("cookie", "jwt"))},
    ]
    slot = {
        "from": sources,
        "first_source_wins_for_legacy_clients": True,
        "issuers": list(_issuers_of(conf, objects, issuers)),
    }
    rules = [{"claim": [claim], "required": True} for claim in conf.get("claims_to_verify", ())]
    return {**slot, "claims": rules} if rules else slot


def _issuers_of(conf: Mapping[str, Any], objects: Objects, issuers: Issuers) -> Iterator[str]:
    """The names of the issuers of a slot: consumers, and whoever else the configuration names."""
    found = list(_others(conf, objects))
    if conf.get("issuers") or not found:
        found.append(_of_consumers(conf.get("key_claim_name", "key")))
    for name, issuer in found:
        issuers[name] = issuer
        yield name


def _of_consumers(claim: str) -> tuple[str, dict[str, Any]]:
    issuer = {
        "consumers": {"claim": [literal(claim)]},
        "audience": "any",
        "leeway_seconds": 0,
        "exp_optional_for_legacy_tokens": True,
        "iat_not_looked_at_for_legacy_tokens": True,
    }
    return f"jwt-auth-{claim if _PLAIN.fullmatch(claim) else _digest(claim)}", issuer


def _others(conf: Mapping[str, Any], objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    """Issuers with keys of their own, whose tokens lead to no consumer."""
    address = conf.get("jwks_uri")
    if address is None and "issuers" not in conf:
        return
    shared: dict[str, Any] = {
        "algorithms": conf.get("algorithms", list(SIGNATURES)),
        "audience": [said(each, objects) for each in conf["audience"]] if "audience" in conf else "any",
        "leeway_seconds": 0,
        "exp_optional_for_legacy_tokens": True,
    }
    if address is not None:
        shared["keys"] = {"url": said(address, objects)}
    for each in conf.get("issuers", (None,)):
        said_of = {"issuer": said(each, objects)} if each else {"iss_not_looked_at_for_legacy_issuer": True}
        yield f"issuer-{_digest(repr((each, sorted(shared.items()))))}", {**said_of, **shared}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
