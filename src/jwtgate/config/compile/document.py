"""A document to its plan: names become objects, templates a table, rules a tuple of checks.

A `Document` is consistent, so nothing here can fail. What can be known now is not worked out per request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from jwtgate.config.checks import signing_key
from jwtgate.config.patterns import Pattern
from jwtgate.config.sections.claims import ClaimRuleSection, FieldSection, ValueSection
from jwtgate.config.sections.document import Document, ListenerSection
from jwtgate.config.sections.issuers import IssuerSection, KeysSection
from jwtgate.config.sections.routes import Credential, RouteSection, ScopeSection, SourceSection, UpstreamSection
from jwtgate.config.sections.section import parse_address, split_url
from jwtgate.config.sections.signing import IssueSection
from jwtgate.policy.plan import Limits, Listener, OwnAddresses, Plan, Route, Sources, Target, Tls, Upstream
from jwtgate.policy.provisions import Form, IdentityField, Issue, Origin, Value
from jwtgate.policy.request import PathRules
from jwtgate.policy.requirements import ClaimRule, Comparison, Issuer, Place, ScopeNeed, Slot, Source, Times
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.rooms.rewrite import fold
from jwtgate.policy.sources import KeySource, KeyText, SigningKeys

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACES = {
    "bearer": Place.AUTHORIZATION,
    "header": Place.FIELD,
    "cookie": Place.COOKIE,
    "query": Place.QUERY,
}
_PARTS = {"method": Origin.METHOD, "host": Origin.HOST, "path": Origin.PATH, "client": Origin.CLIENT}


T = TypeVar("T")

# Thousands of routes that ask for the same thing share one value for it, here and in every worker.
_shared = lru_cache(maxsize=1024)


def compile_document(document: Document) -> Plan:
    """What this document means."""
    issuers = {name: _issuer(name, section) for name, section in document.issuers.items()}
    # `Authorization` is a field the gateway reads; where some route sets it, no route passes on a client's own.
    identity_names = _identity_names(document)
    set_by_us = identity_names & {b"authorization"}
    upstreams = {name: _upstream(name, section) for name, section in document.upstreams.items()}
    router = Router()
    routes = []
    for name, section in document.routes.items():
        upstream = upstreams[section.upstream]
        route = _route(name, section, document, issuers=issuers, upstream=upstream, set_by_us=set_by_us)
        for template in section.templates:
            router.add(route, template, methods=section.methods or (), hosts=section.hosts or ())
        routes.append(route)
    signing = document.signing
    return Plan(
        router=router,
        routes=tuple(routes),
        issuers=issuers,
        signing={name: SigningKeys(name, keys.alg) for name, keys in (signing.keys if signing else {}).items()},
        listeners=_listeners(document),
        sources=Sources(
            keys={name: _key_source(name, section) for name, section in document.issuers.items()},
            master_key=signing.master_key if signing else None,
        ),
        iss=signing.issuer if signing else None,
        identity_names=identity_names,
        paths=PathRules(
            merge_repeated_slashes=document.paths.repeated_slashes == "merge",
            keep_repeated_slashes=document.paths.repeated_slashes == "keep",
            keep_encoded_slashes=document.paths.encoded_slashes == "keep",
            keep_parameters=document.paths.parameters == "keep",
        ),
        refuse_unusual_field_names=document.fields.unusual_names == "refuse",
        trusted_proxies=document.trusted_proxies,
        token_limit_bytes=document.token_limit_bytes,
        own=OwnAddresses(**document.own.model_dump()),
        limits=Limits(**document.limits.model_dump()),
    )


def _listeners(document: Document) -> tuple[Listener, ...]:
    listeners = [_listener(section) for section in document.listen]
    if document.status_listen is not None:
        listeners.append(Listener(*parse_address(document.status_listen), status_only=True))
    return tuple(listeners)


def _listener(section: ListenerSection) -> Listener:
    tls = Tls(section.tls.certificate, section.tls.private_key) if section.tls else None
    return Listener(*parse_address(section.address), tls=tls)


def _upstream(name: str, section: UpstreamSection) -> Upstream:
    settings = section.model_dump(exclude={"targets"})
    return Upstream(name, tuple(map(_target, section.targets)), **settings)


def _target(url: str) -> Target:
    parts = split_url(url)
    host = parts.hostname or ""
    port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    authority = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[parts.scheme]:
        authority = f"{authority}:{port}"
    return Target(host, port, parts.scheme == "https", authority)


def _issuer(name: str, section: IssuerSection) -> Issuer:
    return Issuer(
        name=name,
        iss=section.issuer,
        algorithms=frozenset(section.algorithms),
        audiences=None if section.audience is None else frozenset(section.audience),
        types=frozenset(section.type or ()),
        type_optional=section.type_optional,
        times=Times(
            leeway_seconds=section.leeway_seconds,
            exp_required=not section.exp_optional_for_legacy_tokens,
            max_age_seconds=section.max_age_seconds,
            max_lifetime_seconds=section.max_lifetime_seconds,
        ),
        rules=tuple(map(_rule, section.claims)),
        keys_tried_without_kid=section.keys_tried_without_kid,
        local_keys=_holds_keys(section.keys),
        refuse_header_addresses=section.refuse_header_addresses,
    )


def _rule(section: ClaimRuleSection) -> ClaimRule:
    match section.asked:
        case "required":
            return ClaimRule(section.claim, Comparison.PRESENT)
        case "equals":
            return ClaimRule(section.claim, Comparison.EQUALS, (section.equals,))
        case "one_of":
            return ClaimRule(section.claim, Comparison.ONE_OF, section.one_of)
        case "contains":
            return ClaimRule(section.claim, Comparison.CONTAINS, (section.contains,))
    return ClaimRule(section.claim, Comparison.MATCHES, pattern=Pattern(section.matches or ""))


def _key_source(name: str, section: IssuerSection) -> KeySource:
    keys = section.keys
    return KeySource(
        issuer=name,
        iss=section.issuer,
        algorithms=frozenset(section.algorithms),
        local=(_key_text(section, keys),) if keys and _holds_keys(keys) else (),
        url=keys.url if keys else None,
        # Empty: both usual addresses of the issuer are tried.
        discovery=keys.discovery if keys else "",
        refresh_seconds=section.refresh_seconds,
        max_stale_seconds=section.max_stale_seconds,
        ca_file=section.ca_file,
        allowed_hosts=frozenset(section.allowed_hosts or ()),
        insecure_http=section.insecure_http,
        private_addresses_refused=section.private_addresses_refused,
        empty_set_allowed=section.empty_key_set_allowed,
    )


def _holds_keys(keys: KeysSection | None) -> bool:
    return keys is not None and keys.kind in ("file", "jwks", "pem", "secret")


def _key_text(section: IssuerSection, keys: KeysSection) -> KeyText:
    if keys.kind == "file":
        return KeyText(file=keys.file)
    if keys.kind == "jwks":
        held = {"keys": keys.jwks} if isinstance(keys.jwks, list) else keys.jwks
        return KeyText(text=json.dumps(held))
    if keys.kind == "pem":
        return KeyText(text=keys.pem)
    return KeyText(
        text=keys.secret,
        alg=section.algorithms[0],
        base64url=keys.base64url,
        short_secret_allowed_for_legacy_credential=section.short_secret_allowed_for_legacy_credential,
    )


def _route(
    name: str,
    section: RouteSection,
    document: Document,
    *,
    issuers: Mapping[str, Issuer],
    upstream: Upstream,
    set_by_us: frozenset[bytes],
) -> Route:
    credentials = section.credentials
    slots = tuple(
        _slot(slot, credential, issuers, required=section.is_required(credential))
        for slot, credential in credentials.items()
    )
    first = slots[0].name if slots else ""
    issue = tuple(_issue(name, index, entry, document, first) for index, entry in enumerate(section.issue or ()))
    identity = tuple(_identity(field, entry, first) for field, entry in section.headers.items())
    removed = () if section.forward_token else tuple(source for slot in slots for source in slot.sources)
    return Route(
        name=name,
        upstream=upstream,
        slots=slots,
        issue=issue,
        identity=identity,
        removed_fields=set_by_us
        | _set(tuple(source.name.encode() for source in removed if source.place in (Place.AUTHORIZATION, Place.FIELD))),
        removed_cookies=_set(tuple(source.name.encode() for source in removed if source.place is Place.COOKIE)),
        removed_parameters=_set(tuple(source.name for source in removed if source.place is Place.QUERY)),
        remembered=_is_remembered(issue, identity),
        realm=section.realm,
        upgrade=section.upgrade is not None,
        upgrade_origins=None
        if section.upgrade_origins is None
        else frozenset(origin.encode() for origin in section.upgrade_origins),
        close_on_expiry=section.close_on_expiry,
        request_seconds=section.request_seconds,
        body_limit_bytes=section.body_limit_bytes,
        private_responses=section.private_responses,
        forward_cors_preflight=section.forward_cors_preflight,
    )


def _identity_names(document: Document) -> frozenset[bytes]:
    """The folded names of every field any route sets: what no client may send on any route (SEC-112)."""
    routes = document.routes.values()
    names = {name for route in routes for name in route.headers}
    names |= {issue.header for route in routes for issue in route.issue or ()}
    return frozenset(fold(name.encode()) for name in names)


def _is_remembered(issue: tuple[Issue, ...], identity: tuple[IdentityField, ...]) -> bool:
    """Whether the outcome depends on nothing of a request but its credentials."""
    values = [value for entry in issue for _, value in (*entry.add, *entry.set)]
    values.extend(field.value for field in identity)
    return all(entry.reuse for entry in issue) and not any(value.of_request for value in values)


def _slot(name: str, section: Credential, issuers: Mapping[str, Issuer], *, required: bool) -> Slot:
    named = [issuers[issuer] for issuer in section.issuers or ()]
    return Slot(
        name=name,
        required=required,
        sources=_sources(section.places),
        issuers={issuer.iss: issuer for issuer in named},
        audiences=None if section.audience is None else frozenset(section.audience),
        rules=tuple(map(_rule, section.claims)),
        scope=_scope(section.scope) if section.scope else None,
    )


@_shared
def _sources(sections: tuple[SourceSection, ...]) -> tuple[Source, ...]:
    return tuple(map(_source, sections))


@_shared
def _set(items: tuple[T, ...]) -> frozenset[T]:
    return frozenset(items)


def _source(section: SourceSection) -> Source:
    place = _PLACES[section.place]
    if place is Place.AUTHORIZATION:
        return Source(place)
    name = section.header.lower() if section.header else section.cookie or section.query or ""
    return Source(place, name, section.prefix)


@_shared
def _scope(section: ScopeSection) -> ScopeNeed | None:
    if not section.all and not section.any:
        return None
    return ScopeNeed(section.claim, _set(section.all), _set(section.any))


def _issue(route: str, index: int, section: IssueSection, document: Document, first: str) -> Issue:
    signing = document.signing
    slot = section.slot or first
    return Issue(
        name=f"{route}/{index}",
        slot=slot,
        key=signing_key(document, section) or "",
        iss=section.issuer or (signing.issuer if signing else ""),
        audiences=section.audience,
        field=section.header.encode(),
        prefix=f"{section.scheme} " if section.scheme else "",
        typ=section.type,
        ttl_seconds=section.ttl_seconds,
        copy_all=section.copied == "all",
        copy=() if section.copied == "all" else section.copied,
        add=tuple((claim, _value(value, slot)) for claim, value in section.add.items()),
        set=tuple((claim, _value(value, slot)) for claim, value in section.set.items()),
        remove=frozenset(section.remove),
        may_outlive_incoming_token=section.may_outlive_incoming_token,
        reuse=section.reuse,
    )


def _value(section: ValueSection, slot: str) -> Value:
    if section.claim is not None:
        return Value(Origin.CLAIM, slot=section.slot or slot, path=section.claim)
    if section.header is not None:
        return Value(Origin.FIELD, field=section.header.lower().encode())
    if section.request is not None:
        return Value(_PARTS[section.request])
    return Value(Origin.CONSTANT, constant=section.constant)


@_shared
def _identity(name: str, section: FieldSection, first: str) -> IdentityField:
    slot = section.slot or first
    if section.claim is not None:
        value = Value(Origin.CLAIM, slot=slot, path=section.claim)
        return IdentityField(name.encode(), value, Form(section.form or "text"), section.separator)
    if section.claims:
        value = Value(Origin.CLAIMS, slot=slot)
        return IdentityField(name.encode(), value, Form(section.form or "base64url"), section.separator)
    return IdentityField(name.encode(), Value(Origin.CONSTANT, constant=section.constant))
