"""Slots of a route: where a credential may stand, whose it may be, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.compile.issuers import compile_rules
from jwtgate.config.sections.callers.dpop import DpopSection
from jwtgate.config.sections.slots import ConsumerSection, Credential, ScopeSection, SourceSection
from jwtgate.policy.provisions import Value
from jwtgate.policy.requirements import (
    ConsumerMapping,
    ConsumerName,
    Dpop,
    Introspect,
    Issuer,
    Place,
    ScopeNeed,
    Slot,
    Source,
)

_PLACES = {
    "bearer": Place.AUTHORIZATION,
    "scheme": Place.AUTHORIZATION,
    "header": Place.FIELD,
    "cookie": Place.COOKIE,
    "query": Place.QUERY,
    "value": Place.VALUE,
}

# Thousands of routes that ask for the same thing share one value for it, here and in every worker.
_shared = lru_cache(maxsize=1024)


def compile_slot(name: str, section: Credential, issuers: Mapping[str, Issuer], *, required: bool, first: str) -> Slot:
    """What is asked of one credential. `issuers` are all of the document, by name; `first` the first slot."""
    named = [issuers[issuer] for issuer in section.issuers or ()]
    by_credential = next((issuer for issuer in named if issuer.credentials is not None), None)
    takes_keys = by_credential is not None and by_credential.takes_api_keys
    signing = [issuer for issuer in named if issuer.algorithms or issuer.signature_unverified]
    slot = Slot(
        name=name,
        required=required,
        sources=_sources(section, first, decoded=takes_keys),
        issuers={issuer.iss: issuer for issuer in signing if issuer.iss is not None},
        audiences=None if section.audience is None else frozenset(section.audience),
        rules=compile_rules(section.claims),
        scope=_scope(section.scope) if section.scope else None,
        any_iss=next((issuer for issuer in signing if issuer.iss is None), None),
        by_credential=by_credential,
        introspector=next((issuer for issuer in named if issuer.introspection is not None), None),
        introspect=Introspect(section.introspect or "opaque"),
        consumer=_consumer(section.consumer) if section.consumer else None,
        original_field=section.original_header.encode() if section.original_header else None,
        first_source_wins=section.first_source_wins_for_legacy_clients,
        equal_tokens_count_once=section.equal_tokens_count_once_for_legacy_clients,
        empty_is_absent=section.empty_counts_as_absent_for_legacy_clients,
        claims_equal=None if section.claims_equal is None else compile_value(section.claims_equal, first),
        dpop=None if section.dpop is None else _dpop(section.dpop),
    )
    asked = section.introspected
    if asked is None:
        return slot
    instead = replace(
        slot,
        rules=compile_rules(asked.claims),
        scope=_scope(asked.scope) if asked.scope else None,
        consumer=_consumer(asked.consumer) if asked.consumer else None,
    )
    return replace(slot, introspected=instead)


def _consumer(section: ConsumerSection) -> ConsumerMapping:
    return ConsumerMapping(section.claim, tuple(map(ConsumerName, section.by)), section.required, section.numbers)


def slot_values(slot: Slot) -> Iterator[Value]:
    """The values a slot is asked with."""
    yield from (source.value for source in slot.sources if source.value is not None)
    if slot.claims_equal is not None:
        yield slot.claims_equal


def _sources(section: Credential, first: str, *, decoded: bool) -> tuple[Source, ...]:
    if section.dpop is not None:
        return (Source(Place.DPOP),)
    return tuple(_source(place, first, decoded=decoded) for place in section.places)


def _source(section: SourceSection, first: str, *, decoded: bool) -> Source:
    if section.value is not None:
        return Source(Place.VALUE, name="", value=compile_value(section.value, first))
    return _place(section, decoded=decoded)


@_shared
def _place(section: SourceSection, *, decoded: bool) -> Source:
    place = _PLACES[section.place]
    if place is Place.AUTHORIZATION:
        return Source(place, scheme=section.scheme.lower().encode() if section.scheme else None)
    name = section.header.lower() if section.header else section.cookie or section.query or ""
    prefixes = tuple(sorted(section.prefix, key=len, reverse=True))
    return Source(place, name, prefixes, blanks_after_prefix=section.blanks_after_prefix, decoded=decoded)


@_shared
def _dpop(section: DpopSection) -> Dpop:
    return Dpop(
        section.algorithms,
        section.most_age_seconds,
        replayed=section.replay_not_refused_for_legacy_clients,
        ec_called_ecdsa=section.ec_keys_may_be_called_ecdsa_for_legacy_clients,
        nonce_seconds=section.nonce_seconds,
    )


@_shared
def _scope(section: ScopeSection) -> ScopeNeed | None:
    if not section.all and not section.any:
        return None
    together = dict.fromkeys(frozenset(words.split()) for words in section.any)
    return ScopeNeed(section.claim, frozenset(section.all), tuple(together))
