"""What a document allows that is dangerous: each said in one sentence, for `audit`, the start-up log and a metric.

Nothing here is refused. Each needs words in the document that nobody writes by accident (SEC-162).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from jwtgate.config.checks import Place
from jwtgate.config.problems import shown
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.issuers import IssuerSection, KeysSection
from jwtgate.config.sections.routes import RouteSection

_PRIVATE_MEMBERS = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"})


_WRITTEN_OUT = "a secret stands in the document itself; refer to it with ${env:NAME} or ${file:PATH}"


def dangers(document: Document) -> tuple[str, ...]:
    """One sentence for everything dangerous, with its place, in the order of the document."""
    return tuple(f"{shown(place)}: {sentence}" for place, sentence in _found(document))


def _found(document: Document) -> Iterator[tuple[Place, str]]:
    for name, issuer in document.issuers.items():
        for key, sentence in _of_issuer(issuer):
            yield ("issuers", name, key), sentence
    if document.signing is not None and "${" not in (document.signing.master_key or "${"):
        yield ("signing", "master_key"), _WRITTEN_OUT
    for name, route in document.routes.items():
        for place, sentence in _of_route(route):
            yield ("routes", name, *place), sentence
    if document.paths.encoded_slashes == "keep":
        yield ("paths", "encoded_slashes"), "an encoded slash is read in two ways by different servers"
    if document.paths.parameters == "keep":
        yield ("paths", "parameters"), "path parameters are read in two ways by different servers"


def _of_issuer(issuer: IssuerSection) -> Iterator[tuple[str, str]]:
    if issuer.keys is not None and _holds_secret(issuer.keys):
        yield "keys", _WRITTEN_OUT
    if issuer.audience is None:
        yield "audience", "tokens meant for anybody are accepted"
    if issuer.exp_optional_for_legacy_tokens:
        yield "exp_optional_for_legacy_tokens", "tokens that never expire are accepted"
    if issuer.insecure_http:
        yield "insecure_http", "keys may be fetched without TLS, so whoever sits on the way can make tokens"
    if issuer.empty_key_set_allowed:
        yield "empty_key_set_allowed", "an empty key set refuses every token until the next one is fetched"
    if issuer.short_secret_allowed_for_legacy_credential:
        yield "short_secret_allowed_for_legacy_credential", "a secret that may be guessed is accepted"


def _holds_secret(keys: KeysSection) -> bool:
    if keys.secret is not None:
        return "${" not in keys.secret
    if keys.pem is not None:
        return "PRIVATE KEY" in keys.pem
    entries = keys.jwks.get("keys", [keys.jwks]) if isinstance(keys.jwks, dict) else keys.jwks or []
    held = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return any(name in entry and "${" not in json.dumps(entry[name]) for entry in held for name in _PRIVATE_MEMBERS)


def _of_route(route: RouteSection) -> Iterator[tuple[Place, str]]:
    for name, credential in route.credentials.items():
        place: Place = ("slots", name, "from") if route.slots is not None else ("from",)
        if any(source.query is not None for source in credential.places):
            yield place, "a token in the query is seen wherever addresses are written down"
        by_cookie = any(source.cookie is not None for source in credential.places)
        if by_cookie and route.upgrade is not None and route.upgrade_origins is None:
            yield ("upgrade",), "any page may open a WebSocket with the cookies of its visitor; name upgrade_origins"
    for index, issue in enumerate(route.issue or ()):
        if issue.may_outlive_incoming_token:
            yield ("issue", index, "may_outlive_incoming_token"), "a token of ours may last longer than the caller's"
    if route.forward_token:
        yield ("forward_token",), "the upstream receives the caller's own token and could use it elsewhere"
    if route.forward_cors_preflight:
        yield ("forward_cors_preflight",), "preflight requests reach the upstream without a token"
