"""Mistakes of a route that its own section cannot see: what it names elsewhere, and the fields it sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jwtgate.config.checks import Mistake, Names, Place, did_you_mean, signing_mistakes
from jwtgate.policy.rooms.rewrite import fold

if TYPE_CHECKING:
    from jwtgate.config.sections.answers import AnswerSection
    from jwtgate.config.sections.document import Document
    from jwtgate.config.sections.issued import IssueSection
    from jwtgate.config.sections.issuers import IssuerSection
    from jwtgate.config.sections.routes import RouteSection
    from jwtgate.config.sections.slots import Credential, SourceSection
    from jwtgate.config.sections.values import ValueSection
    from jwtgate.policy.requirements import ClaimPath

_OF_CALLER = {"claim": "a claim", "claims": "claims", "consumer": "the consumer", "permissions": "permissions"}

CREDENTIAL_FIELDS = frozenset({b"authorization", b"cookie", b"proxy-authorization"})


def find_route_mistakes(document: Document, present: Mapping[str, Any] | None = None) -> Iterator[Mistake]:
    """Every mistake of every route. `present` is the data as written, when parts of it were left out."""
    names = Names(document, present)
    set_by_us = {
        fold(name.encode()): route for route, section in document.routes.items() for name in section.fields_set
    }
    for name, route in document.routes.items():
        place = ("routes", name)
        yield from _named(document, route, place, names)
        yield from _credentials(document, route, place, names)
        yield from _issued(document, route, place, names)
        for here, value in values_of(route, place):
            yield from _value(route, value, here)
        for slot, here, value in _values_of_slots(route, place):
            yield from _value(route, value, here)
            yield from _known_by_then(route, slot, value, place=here)
        yield from _logged(route, place)
        yield from _fields(route, place)
        yield from _protocol(document, route, place)
        yield from _forwarded(route, place, set_by_us)


def _named(document: Document, route: RouteSection, place: Place, names: Names) -> Iterator[Mistake]:
    if route.upstream is not None and route.upstream not in names.of["upstream"]:
        yield names.unknown((*place, "upstream"), "upstream", route.upstream)
    for call, section in (route.calls or {}).items():
        if section.upstream not in names.of["upstream"]:
            yield names.unknown((*place, "calls", call, "upstream"), "upstream", section.upstream)
    # Files and the Admin API may bring consumers this document does not name.
    all_here = not document.consumer_files and document.admin is None
    anonymous = route.anonymous_consumer
    if anonymous is not None and all_here and anonymous not in names.of["consumer"]:
        yield names.unknown((*place, "anonymous_consumer"), "consumer", anonymous)
    if route.mint is None or not names.signing_is_readable:
        return
    profiles = document.signing.profiles if document.signing else {}
    for index, name in enumerate(route.mint.profiles):
        if name not in profiles:
            meant = did_you_mean(name, profiles)
            yield Mistake((*place, "mint", "profiles", index), f"there is no signing profile of this name{meant}")


def _protocol(document: Document, route: RouteSection, place: Place) -> Iterator[Mistake]:
    upstream = document.upstreams.get(route.upstream or "")
    if upstream is None:
        return
    if route.grpc and upstream.protocol != "http2":
        yield Mistake((*place, "grpc"), f"calls travel over HTTP/2 only, and {route.upstream} lacks protocol: http2")
    if route.upgrade is not None and upstream.protocol == "http2":
        yield Mistake((*place, "upgrade"), f"no connection to {route.upstream} can change its protocol: it is HTTP/2")


def _credentials(document: Document, route: RouteSection, place: Place, names: Names) -> Iterator[Mistake]:
    taken: set[tuple[str, str, str]] = set()
    for slot, credential in route.credentials.items():
        here = _place_of(route, slot, place)
        yield from _slot_issuers(document, credential, here, names)
        yield from _unproven_minters(document, route, credential, place=here)
        for source in credential.places:
            spots = _spots(source)
            if spots & taken and route.enough == "all_slots" and not route.slots_may_share_a_place:
                yield Mistake((*here, "from"), "another slot of this route already looks there")
            taken |= spots
    if route.slots_may_share_a_place:
        yield from _shared_proofs(route, place)


def _shared_proofs(route: RouteSection, place: Place) -> Iterator[Mistake]:
    once = (
        slot
        for slot, credential in route.credentials.items()
        if credential.dpop is not None and not credential.dpop.replay_not_refused_for_legacy_clients
    )
    for slot in list(once)[1:]:
        yield Mistake(
            (*_place_of(route, slot, place), "dpop"), "another slot takes the same proof, which is taken once"
        )


def _unproven_minters(
    document: Document, route: RouteSection, credential: Credential, *, place: Place
) -> Iterator[Mistake]:
    if route.mint is None or route.mint.unauthenticated_minting_allowed:
        return
    for index, name in enumerate(credential.issuers or ()):
        issuer = document.issuers.get(name)
        if issuer is not None and issuer.signature_not_verified_for_legacy_issuer:
            sentence = "takes tokens anybody can make, so it needs unauthenticated_minting_allowed in mint"
            yield Mistake((*place, "issuers", index), sentence)


def _spots(source: SourceSection) -> set[tuple[str, str, str]]:
    if source.value is not None:
        return set()
    named = source.header or source.scheme
    name = named.lower() if named is not None else source.cookie or source.query or ""
    return {(source.place, name, prefix) for prefix in source.prefix}


def _place_of(route: RouteSection, slot: str, place: Place) -> Place:
    return (*place, "slots", slot) if route.slots is not None else place


def _slot_issuers(document: Document, credential: Credential, place: Place, names: Names) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    only: dict[str, str] = {}
    for index, name in enumerate(credential.issuers or ()):
        here = (*place, "issuers", index)
        if name not in names.of["issuer"]:
            yield names.unknown(here, "issuer", name)
            continue
        issuer = document.issuers.get(name)
        if issuer is None:
            return
        if issuer.issuer is not None and issuer.issuer in seen:
            yield Mistake(here, f"has the same iss as {seen[issuer.issuer]}, so a token could belong to either")
        seen.setdefault(issuer.issuer or "", name)
        for kind in _kinds(issuer):
            if only.setdefault(kind, name) != name:
                yield Mistake(here, f"has {kind} as {only[kind]} has, so a token could belong to either")
        if issuer.takes_api_keys:
            others = {each: document.issuers[each] for each in credential.issuers or () if each in document.issuers}
            yield from (Mistake(here, sentence) for sentence in _beside_api_keys(name, others, credential))
    for key in ("introspect", "introspected"):
        if getattr(credential, key) is not None and "introspection" not in only:
            yield Mistake((*place, key), "none of the issuers has introspection")


def _beside_api_keys(name: str, issuers: Mapping[str, IssuerSection], credential: Credential) -> Iterator[str]:
    others = {other: issuer for other, issuer in issuers.items() if other != name}
    if any(issuer.issuer is None for issuer in others.values()):
        yield "takes API keys, which nobody can tell from tokens but by their iss; the others need issuer"
    asked = [other for other, issuer in others.items() if issuer.introspection is not None]
    if asked:
        yield f"takes API keys, and nobody else is to be asked about those; {asked[0]} has introspection"
    if credential.dpop is not None:
        yield "takes API keys, which are bound to no key that a proof could be made with"


def _kinds(issuer: IssuerSection) -> Iterator[str]:
    """What of an issuer lets it take tokens whatever their `iss`, besides its own."""
    if issuer.introspection is not None:
        yield "introspection"
    if issuer.consumers is not None or issuer.iss_not_looked_at_for_legacy_issuer:
        yield "tokens of any iss"


def _issued(document: Document, route: RouteSection, place: Place, names: Names) -> Iterator[Mistake]:
    for index, issue in enumerate(route.issue or ()):
        here = (*place, "issue", index)
        if document.signing is not None:
            yield from signing_mistakes(document, issue, here)
        elif names.signing_is_readable:
            yield Mistake(here, "needs the section signing, which says who we are")
        yield from _slot_known(route, issue, here)


def values_of(route: RouteSection, place: Place) -> Iterator[tuple[Place, ValueSection]]:
    """Every value of a route but those of its slots, with its place."""
    for index, issue in enumerate(route.issue or ()):
        for part, values in (("add", issue.add), ("set", issue.set)):
            yield from (((*place, "issue", index, part, claim), value) for claim, value in values.items())
    yield from (((*place, "headers", name), field) for name, field in route.headers.items())
    for direction, edits in (("request_headers", route.request_headers), ("response_headers", route.response_headers)):
        if edits is not None:
            yield from (((*place, direction, "set", name), field) for name, field in edits.set.items())
            yield from (((*place, direction, "add", name), field) for name, field in edits.add.items())
    for call, section in (route.calls or {}).items():
        yield from (((*place, "calls", call, *here), value) for here, value in section.values)
    if route.respond is not None:
        yield from (((*place, "respond", *here), value) for here, value in route.respond.values)
    if route.rewrite is not None:
        yield from (((*place, "rewrite", *here), value) for here, value in route.rewrite.values)
    yield from (((*place, "permission", method), value) for method, value in (route.permission or {}).items())
    yield from (((*place, "log", name), value) for name, value in route.log.items())
    if route.rate_limit is not None:
        yield (*place, "rate_limit", "by"), route.rate_limit.by
    yield from _of_answers(route.answers, place)
    yield from _of_slots_answers(route, place)


def _values_of_slots(route: RouteSection, place: Place) -> Iterator[tuple[str, Place, ValueSection]]:
    for slot, credential in route.credentials.items():
        here = _place_of(route, slot, place)
        for index, source in enumerate(credential.places):
            if source.value is not None:
                yield slot, (*here, "from", index, "value"), source.value
        if credential.claims_equal is not None:
            yield slot, (*here, "claims_equal"), credential.claims_equal


def _known_by_then(route: RouteSection, slot: str, value: ValueSection, *, place: Place) -> Iterator[Mistake]:
    """Slots are proven one after the other, and who the caller is comes after them."""
    if value.origin == "consumer":
        yield Mistake(place, "asks for the consumer, which is not known before all slots were looked at")
    names = list(route.credentials)
    meant = value.slot or names[0]
    if value.origin == "claim" and meant in names and names.index(meant) >= names.index(slot):
        yield Mistake(place, f"asks for a claim of slot {meant}, whose token is not known by then")


def _of_slots_answers(route: RouteSection, place: Place) -> Iterator[tuple[Place, ValueSection]]:
    for slot, asked in (route.slots or {}).items():
        yield from _of_answers(asked.answers, (*place, "slots", slot))


def _of_answers(answers: Mapping[str, AnswerSection] | None, place: Place) -> Iterator[tuple[Place, ValueSection]]:
    for name, answer in (answers or {}).items():
        yield from (((*place, "answers", name, *here), value) for here, value in answer.placed_values)


def _value(route: RouteSection, value: ValueSection, place: Place) -> Iterator[Mistake]:
    if value.origin in _OF_CALLER and not route.credentials:
        yield Mistake(place, f"asks for {_OF_CALLER[value.origin]}, but the route asks for no credential")
    yield from _slot_known(route, value, place)
    name = value.path_parameter
    if name is not None and not all(f"/{{{name}}}" in template for template in route.templates):
        yield Mistake((*place, "path_parameter"), f"not every path of the route has {{{name}}}")


def _logged(route: RouteSection, place: Place) -> Iterator[Mistake]:
    """A credential stands in no log (SEC-144)."""
    holds = credential_finder(route)
    for here, value in _values_of_log(route, place):
        if holds(value):
            yield Mistake(here, "holds a credential, which stands in no log")


def credential_finder(route: RouteSection) -> Callable[[ValueSection], bool]:
    """Whether a value looks at a credential of this route, as far as that can be seen."""
    credentials = route.credentials.values()
    fields = CREDENTIAL_FIELDS | {fold(name.encode()) for each in credentials for name in each.fields}
    parameters = {name for each in credentials for name in each.parameters}
    return lambda value: any(_holds_credential(path, fields, parameters) for path in value.looks_at)


def _values_of_log(route: RouteSection, place: Place) -> Iterator[tuple[Place, ValueSection]]:
    yield from (((*place, "log", name), value) for name, value in route.log.items())
    answers = (*_of_answers(route.answers, place), *_of_slots_answers(route, place))
    yield from ((here, value) for here, value in answers if here[-2] == "log")


def _holds_credential(path: ClaimPath, fields: Collection[bytes], parameters: Collection[str]) -> bool:
    match path:
        case ("request", "headers", str(name), *_):
            return fold(name.encode()) in fields
        case ("request", "query", str(name), *_):
            return name in parameters
        case ("request",) | ("request", "headers"):
            return True
        case ("request", "query"):
            return bool(parameters)
    return False


def _slot_known(route: RouteSection, section: IssueSection | ValueSection, place: Place) -> Iterator[Mistake]:
    slots = route.credentials
    if section.slot is not None and section.slot not in slots:
        yield Mistake((*place, "slot"), f"there is no slot of this name{did_you_mean(section.slot, slots)}")


def _fields(route: RouteSection, place: Place) -> Iterator[Mistake]:
    """Every field of a route is set once, so that none is lost to another."""
    seen: set[bytes] = set()
    for here, name in _places_of_fields(route, place):
        folded = fold(name.encode())
        if folded in seen:
            yield Mistake(here, "another entry of this route sets the same field")
        seen.add(folded)


def _places_of_fields(route: RouteSection, place: Place) -> Iterator[tuple[Place, str]]:
    issued = route.issue or ()
    for index, issue in enumerate(issued):
        # Of several tokens for one field, spelled alike, the first whose condition holds is made.
        later = {other.header for other in issued[index + 1 :]}
        if issue.when is None or issue.header not in later:
            yield (*place, "issue", index, "header"), issue.header
    for name in route.headers:
        yield (*place, "headers", name), name
    edits = route.request_headers
    for part, names in (("set", edits.set), ("add", edits.add)) if edits is not None else ():
        yield from (((*place, "request_headers", part, name), name) for name in names)
    for slot, credential in route.credentials.items():
        if credential.original_header is not None:
            yield (*_place_of(route, slot, place), "original_header"), credential.original_header


def _forwarded(route: RouteSection, place: Place, set_by_us: Mapping[bytes, str]) -> Iterator[Mistake]:
    """A field we set for some upstream is never taken from a client on any route (SEC-112)."""
    if not route.forward_token:
        return
    names = {fold(name.encode()) for credential in route.credentials.values() for name in credential.fields}
    for name in sorted(names & set_by_us.keys()):
        setter = set_by_us[name]
        yield Mistake(
            (*place, "forward_token"),
            f"cannot be: the gateway sets the field {name.decode()} on route {setter}, so no client may send it on",
        )
