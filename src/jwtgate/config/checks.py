"""Mistakes of a document that no section alone can see: names, and things that exclude each other.

What a document says in one place about another is checked here, once, so that compiling cannot fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from jwtgate.config.sections.section import parse_address
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.rooms.rewrite import fold

if TYPE_CHECKING:
    from jwtgate.config.sections.claims import FieldSection, ValueSection
    from jwtgate.config.sections.document import Document
    from jwtgate.config.sections.routes import Credential, RouteSection, SourceSection
    from jwtgate.config.sections.signing import IssueSection
    from jwtgate.policy.plan import Route

Place = tuple[str | int, ...]

_MOST_NAMES_COMPARED = 2_000


class Mistake(NamedTuple):
    """One mistake: where it stands in the document, and the sentence for it."""

    place: Place
    sentence: str


class Mistakes(ValueError):
    """Every mistake that was found."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("is not consistent")
        self.mistakes = mistakes


def did_you_mean(name: str, names: Collection[str]) -> str:
    """The end of a sentence that suggests the nearest of these names, or nothing."""
    if len(names) > _MOST_NAMES_COMPARED or len(name) > 128:
        return ""
    nearest = get_close_matches(name, names, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def find_mistakes(document: Document, present: Mapping[str, Any] | None = None) -> Iterator[Mistake]:
    """Every mistake between the sections. `present` is the data as written, when parts of it were left out."""
    names = _Names(document, present)
    yield from _listeners(document)
    yield from _own_issuer(document)
    yield from _same_requests(document)
    set_by_us = {
        fold(name.encode()): route for route, section in document.routes.items() for name in _fields_set(section)
    }
    for name, route in document.routes.items():
        place = ("routes", name)
        if route.upstream not in names.upstreams:
            yield names.unknown((*place, "upstream"), "upstream", route.upstream)
        yield from _credentials(document, route, place, names)
        yield from _issued(document, route, place, names)
        yield from _fields(route, place)
        yield from _forwarded(route, place, set_by_us)


class _Names:
    """The names other sections may refer to, those with mistakes of their own included."""

    def __init__(self, document: Document, present: Mapping[str, Any] | None) -> None:
        written = present or {}
        self.upstreams = _union(document.upstreams, written.get("upstreams"))
        self.issuers = _union(document.issuers, written.get("issuers"))
        self.signing_is_readable = document.signing is not None or "signing" not in written

    def unknown(self, place: Place, kind: str, name: str) -> Mistake:
        names = self.upstreams if kind == "upstream" else self.issuers
        return Mistake(place, f"there is no {kind} of this name{did_you_mean(name, names)}")


def _union(names: Collection[str], written: object) -> Collection[str]:
    return {*names, *filter(lambda name: isinstance(name, str), written)} if isinstance(written, dict) else names


def _listeners(document: Document) -> Iterator[Mistake]:
    addresses = [(("listen", index), listener.address) for index, listener in enumerate(document.listen)]
    if document.status_listen is not None:
        addresses.append((("status_listen",), document.status_listen))  # type: ignore[arg-type]
    seen: set[tuple[str, int]] = set()
    for place, text in addresses:
        address = parse_address(text)
        if address in seen and address[1]:
            yield Mistake(place, "the address is listened on twice")
        seen.add(address)


def _own_issuer(document: Document) -> Iterator[Mistake]:
    """A token we issued is never accepted from outside (SEC-159)."""
    ours = {document.signing.issuer} if document.signing else set()
    for route in document.routes.values():
        ours.update(issue.issuer for issue in route.issue or () if issue.issuer is not None)
    for name, issuer in document.issuers.items():
        if issuer.issuer in ours:
            yield Mistake(("issuers", name, "issuer"), "is our own name; tokens we issued are never accepted here")


def _same_requests(document: Document) -> Iterator[Mistake]:
    router = Router()
    for name, route in document.routes.items():
        for template in route.templates:
            # The table only ever compares what hangs in it, so the name stands for the route here.
            taken = router.add(cast("Route", name), template, methods=route.methods or (), hosts=route.hosts or ())
            if taken is not None:
                key = "path" if route.path is not None else "paths"
                yield Mistake(("routes", name, key), f"route {taken} already takes the same requests ({template})")


def _credentials(document: Document, route: RouteSection, place: Place, names: _Names) -> Iterator[Mistake]:
    sources: set[SourceSection] = set()
    for slot, credential in route.credentials.items():
        here = (*place, "slots", slot) if route.slots is not None else place
        yield from _slot_issuers(document, credential, here, names)
        for source in credential.places:
            if source in sources:
                yield Mistake((*here, "from"), "another slot of this route already looks there")
            sources.add(source)


def _slot_issuers(document: Document, credential: Credential, place: Place, names: _Names) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for index, name in enumerate(credential.issuers or ()):
        here = (*place, "issuers", index)
        if name not in names.issuers:
            yield names.unknown(here, "issuer", name)
            continue
        issuer = document.issuers.get(name)
        if issuer is None:
            continue
        if issuer.issuer in seen:
            yield Mistake(here, f"has the same iss as {seen[issuer.issuer]}, so a token could belong to either")
        seen.setdefault(issuer.issuer, name)


def _issued(document: Document, route: RouteSection, place: Place, names: _Names) -> Iterator[Mistake]:
    for index, issue in enumerate(route.issue or ()):
        here = (*place, "issue", index)
        if document.signing is None:
            if names.signing_is_readable:
                yield Mistake(here, "needs the section signing, which says who we are")
        elif signing_key(document, issue) is None:
            known = document.signing.keys
            wanted = issue.key or ""
            meant = did_you_mean(wanted, known) if wanted else f"; name one of {', '.join(known)}"
            yield Mistake((*here, "key"), f"there is no signing key of this name{meant}")
        yield from _slot_known(route, issue, here)
        for part, values in (("add", issue.add), ("set", issue.set)):
            for claim, value in values.items():
                yield from _slot_known(route, value, (*here, part, claim))


def signing_key(document: Document, issue: IssueSection) -> str | None:
    """The name of the signing key a token is made with: the one it names, the only one, or `default`."""
    keys = document.signing.keys if document.signing else {}
    name = issue.key or (next(iter(keys)) if len(keys) == 1 else "default")
    return name if name in keys else None


def _slot_known(
    route: RouteSection, section: IssueSection | ValueSection | FieldSection, place: Place
) -> Iterator[Mistake]:
    slots = route.credentials
    if section.slot is not None and section.slot not in slots:
        yield Mistake((*place, "slot"), f"there is no slot of this name{did_you_mean(section.slot, slots)}")


def _fields(route: RouteSection, place: Place) -> Iterator[Mistake]:
    seen: set[bytes] = set()
    for index, issue in enumerate(route.issue or ()):
        if fold(issue.header.encode()) in seen:
            yield Mistake((*place, "issue", index, "header"), "another entry of this route sets the same field")
        seen.add(fold(issue.header.encode()))
    for name, field in route.headers.items():
        here = (*place, "headers", name)
        if fold(name.encode()) in seen:
            yield Mistake(here, "another entry of this route sets the same field")
        seen.add(fold(name.encode()))
        if field.origin != "constant" and not route.credentials:
            yield Mistake(here, "asks for a claim, but the route asks for no credential")
        yield from _slot_known(route, field, here)


def _fields_set(route: RouteSection) -> Iterator[str]:
    yield from route.headers
    yield from (issue.header for issue in route.issue or ())


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
