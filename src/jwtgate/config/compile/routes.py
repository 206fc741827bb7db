"""Routes and upstreams: what a request is matched to, what is asked of it, and what its upstream receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from jwtgate.config.compile.answers import compile_answers
from jwtgate.config.compile.calls import compile_call
from jwtgate.config.compile.forwarding import (
    compile_edits,
    compile_field,
    compile_path_rules,
    compile_respond,
    compile_rewriting,
    compile_upstream,
    edited_fields,
)
from jwtgate.config.compile.issued import compile_issue, compile_value
from jwtgate.config.compile.rate_limits import compile_rate_limit
from jwtgate.config.compile.slots import compile_slot
from jwtgate.config.compile.taking_part import asks_for_path, may_ask, may_be_remembered
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.routes import MintSection, RouteSection
from jwtgate.config.sections.values import ValueSection
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import (
    Answer,
    CredentialsOffered,
    Issue,
    Mint,
    MintedForm,
    PermissionNeed,
    QueryNames,
)
from jwtgate.policy.requirements import Issuer, Slot
from jwtgate.policy.rooms.rewrite import fold
from jwtgate.policy.traffic.upstreams import NOWHERE, Upstream

T = TypeVar("T")

# Thousands of routes that ask for the same thing share one value for it, here and in every worker.
_shared = lru_cache(maxsize=1024)


class RouteCompiler:
    """Compiles the routes of one document."""

    def __init__(self, document: Document, issuers: Mapping[str, Issuer]) -> None:
        self._document = document
        self._issuers = issuers
        self._paths = compile_path_rules(document.paths)
        self._upstreams = {name: compile_upstream(name, section) for name, section in document.upstreams.items()}
        self.identity_names = frozenset(
            fold(name.encode()) for route in document.routes.values() for name in route.fields_set
        )
        # `Authorization` is a field the gateway reads; where some route sets it, no route passes on a client's own.
        self._set_by_us = self.identity_names & {b"authorization"}

    def route(self, name: str, section: RouteSection) -> Route:
        """What a request of this route is matched to."""
        slots = self._slots(section)
        first = slots[0].name if slots else ""
        calls = tuple(
            compile_call(call, each, first, upstreams=self._upstreams) for call, each in (section.calls or {}).items()
        )
        route = Route(
            name=name,
            upstream=self._upstream(section),
            slots=slots,
            issue=self._issues(name, section, first),
            identity=tuple(compile_field(field, entry, first) for field, entry in section.headers.items()),
            conditions=tuple(map(compiled_expression, section.require or ())),
            permission=_permission(section.permission, first) if section.permission is not None else None,
            methods_permitted=None if section.methods_permitted is None else _set(section.methods_permitted),
            anonymous=section.anonymous_consumer,
            anonymous_for_refused=section.anonymous_consumer_also_for_refused_tokens,
            one_slot_is_enough=section.enough == "one_slot",
            mint=_mint(section.mint) if section.mint is not None else None,
            rewriting=compile_rewriting(section, self._paths, first),
            respond=compile_respond(section.respond, first) if section.respond is not None else None,
            answers=compile_answers(section.answers or {}, first),
            slot_answers=_slot_answers(section),
            log=tuple((word, compile_value(value, first)) for word, value in section.log.items()),
            rate_limit=compile_rate_limit(section.rate_limit, first),
            calls=calls,
            body_first_bytes=section.body_read_before_decision_bytes,
            private_responses=_is_private(section),
            needs_store=bool(slots) and self._needs_store(section),
            grpc=section.grpc,
            trailers=_trailers(section),
            **_upgrade(section),
            **compile_edits(section, first),
            **self._removed(section),
            **{name: getattr(section, name) for name in _TAKEN_OVER},
        )
        templates = section.templates if asks_for_path(route) else ()
        return replace(route, remembered=may_be_remembered(route), asks=may_ask(route), templates=templates)

    def _upstream(self, section: RouteSection) -> Upstream:
        """Where it forwards to, with its own time limits on the way."""
        if section.upstream is None:
            return NOWHERE
        upstream = self._upstreams[section.upstream]
        return (
            upstream
            if section.timeouts is None
            else replace(upstream, **section.timeouts.model_dump(exclude_none=True))
        )

    def _needs_store(self, section: RouteSection) -> bool:
        return {"refuse_all": True, "allow_all": False}.get(self._document.store_away, section.sensitive)

    def _slots(self, section: RouteSection) -> tuple[Slot, ...]:
        return tuple(
            compile_slot(
                slot,
                credential,
                self._issuers,
                required=section.is_required(credential),
                first=next(iter(section.credentials)),
            )
            for slot, credential in section.credentials.items()
        )

    def _issues(self, name: str, section: RouteSection, first: str) -> tuple[Issue, ...]:
        entries = enumerate(section.issue or ())
        return tuple(compile_issue(f"{name}/{index}", entry, self._document, first=first) for index, entry in entries)

    def _removed(self, section: RouteSection) -> dict[str, Any]:
        """Every place the credentials of a route come from, for an upstream that must not see them, and its edits."""
        credentials = () if section.forward_token else tuple(section.credentials.values())
        fields = (name.lower().encode() for each in credentials for name in each.fields)
        cookies = (source.cookie for each in credentials for source in each.places)
        return {
            "removed_fields": self._set_by_us | _set((*fields, *edited_fields(section))),
            "removed_cookies": _set(tuple(cookie.encode() for cookie in cookies if cookie is not None)),
            "removed_parameters": _set(tuple(name for each in credentials for name in each.parameters)),
        }


_OF_GRPC = frozenset({b"grpc-status", b"grpc-message", b"grpc-status-details-bin"})
_TAKEN_OVER = ("realm", "close_on_expiry", "request_seconds", "body_limit_bytes", "forward_cors_preflight")


def _is_private(section: RouteSection) -> bool:
    """Whether any slot makes an answer private."""
    if section.slots is None:
        return section.private_responses
    own = (slot.private_responses for slot in section.slots.values())
    return any(section.private_responses if each is None else each for each in own)


def _trailers(section: RouteSection) -> frozenset[bytes]:
    always = _OF_GRPC if section.grpc else frozenset()
    return frozenset(always.union(name.lower().encode() for name in section.trailers))


def _upgrade(section: RouteSection) -> dict[str, Any]:
    origins = section.upgrade_origins
    return {
        "upgrade": section.upgrade is not None,
        "upgrade_origins": None if origins is None else frozenset(origin.encode() for origin in origins),
    }


def _slot_answers(section: RouteSection) -> dict[str, dict[str, Answer]]:
    """Answers to refusals in a slot, whose own token is then the one meant where none is named."""
    return {name: compile_answers(slot.answers, name) for name, slot in (section.slots or {}).items() if slot.answers}


def _permission(section: Mapping[str, ValueSection], first: str) -> PermissionNeed:
    values = {method: compile_value(value, first) for method, value in section.items()}
    otherwise = values.pop("*", None)
    return PermissionNeed(tuple(values.items()), otherwise)


def _mint(section: MintSection) -> Mint:
    query = section.by_query
    return Mint(
        profiles=frozenset(section.profiles),
        credentials=None if section.credentials is None else CredentialsOffered(section.credentials),
        claims=None if section.claims == "any" else frozenset(section.claims),
        most_ttl_seconds=section.most_ttl_seconds,
        most_claims_bytes=section.most_claims_bytes,
        by_query=QueryNames(query.credential, query.claims) if query is not None else None,
        form=_minted_form(section),
    )


def _minted_form(section: MintSection) -> MintedForm:
    if not section.bare_token_for_legacy_reader:
        return MintedForm.FULL
    return MintedForm.BARE_WITH_PUBLIC_KEY if section.x5c_holds_public_key_pem_for_legacy_reader else MintedForm.BARE


@_shared
def _set(items: tuple[T, ...]) -> frozenset[T]:
    return frozenset(items)
