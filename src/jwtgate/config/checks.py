"""Mistakes of a document that no section alone can see: names, and things that exclude each other.

What a document says in one place about another is checked here, once, so that compiling cannot fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from jwtgate.config.sections.section import parse_address
from jwtgate.policy.callers import api_key_name
from jwtgate.policy.rooms.match import Router

if TYPE_CHECKING:
    from jwtgate.config.sections.callers.consumers import CredentialSection
    from jwtgate.config.sections.document import Document
    from jwtgate.config.sections.issued import TokenSection
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
    """Every mistake between the sections, those of routes apart. `present` is the data as written."""
    yield from _listeners(document)
    yield from _own_issuer(document)
    yield from _consumers(document)
    yield from _routing(document, (present or {}).get("routes"))
    if (document.generation_field or "").lower() == document.request_id_field.lower():
        yield Mistake(("generation_field",), "is request_id_field, too")
    for name, profile in (document.signing.profiles if document.signing else {}).items():
        yield from signing_mistakes(document, profile, ("signing", "profiles", name))
    if not document.routes and document.admin is None and not (present or {}).get("routes"):
        yield Mistake(("routes",), "there are none, and no admin section to add them over")


class Names:
    """The names other sections may refer to, those with mistakes of their own included."""

    def __init__(self, document: Document, present: Mapping[str, Any] | None) -> None:
        written = present or {}
        self.of = {
            "upstream": _union(document.upstreams, written.get("upstreams")),
            "issuer": _union(document.issuers, written.get("issuers")),
            "consumer": _union(document.consumers, written.get("consumers")),
        }
        self.signing_is_readable = document.signing is not None or "signing" not in written

    def unknown(self, place: Place, kind: str, name: str) -> Mistake:
        """The mistake that nothing of this kind has this name."""
        return Mistake(place, f"there is no {kind} of this name{did_you_mean(name, self.of[kind])}")


def _union(names: Collection[str], written: object) -> Collection[str]:
    return {*names, *filter(lambda name: isinstance(name, str), written)} if isinstance(written, dict) else names


def _listeners(document: Document) -> Iterator[Mistake]:
    addresses = [(("listen", index), listener.address) for index, listener in enumerate(document.listen)]
    if document.status_listen is not None:
        addresses.append((("status_listen",), document.status_listen))  # type: ignore[arg-type]
    if document.admin is not None:
        addresses.append((("admin", "listen"), document.admin.listen))  # type: ignore[arg-type]
    seen: set[tuple[str, int]] = set()
    for place, text in addresses:
        address = parse_address(text)
        if address in seen and address[1]:
            yield Mistake(place, "the address is listened on twice")
        seen.add(address)


def _own_issuer(document: Document) -> Iterator[Mistake]:
    """A token we issued is never accepted from outside (SEC-159)."""
    ours: set[str | None] = {document.signing.issuer} if document.signing else set()
    ours.update(profile.issuer for profile in (document.signing.profiles if document.signing else {}).values())
    for route in document.routes.values():
        ours.update(issue.issuer for issue in route.issue or ())
    for name, issuer in document.issuers.items():
        if issuer.issuer is not None and issuer.issuer in ours:
            yield Mistake(("issuers", name, "issuer"), "is our own name; tokens we issued are never accepted here")


def _routing(document: Document, written: object) -> Iterator[Mistake]:
    """In a listed order several routes may take the same requests; else their paths and hosts say which is meant."""
    if document.routing == "listed":
        return
    for name, route in document.routes.items():
        as_written = written.get(name) if isinstance(written, dict) else None
        left_out = isinstance(as_written, dict) and not {"path", "paths"}.isdisjoint(as_written)
        if not route.templates and not left_out:
            yield Mistake(("routes", name), "needs exactly one of path, paths")
        if route.match is not None:
            yield Mistake(("routes", name, "match"), "can be asked only in a listed order (routing: listed)")
        for index, host in enumerate(route.hosts or ()):
            if host.endswith(".*"):
                place = ("routes", name, "hosts", index)
                yield Mistake(place, "can end in .* only in a listed order (routing: listed)")
    yield from _same_requests(document)


def _same_requests(document: Document) -> Iterator[Mistake]:
    router = Router()
    for name, route in document.routes.items():
        for template in route.templates:
            # The table only ever compares what hangs in it, so the name stands for the route here.
            taken = router.add(cast("Route", name), template, methods=route.methods or (), hosts=route.hosts or ())
            if taken is not None:
                key = "path" if route.path is not None else "paths"
                yield Mistake(("routes", name, key), f"route {taken} already takes the same requests ({template})")


def _consumers(document: Document) -> Iterator[Mistake]:
    """What a consumer is found by, a token or a claim must find one consumer with."""
    seen: dict[tuple[str, str | None], str] = {}
    for name, consumer in document.consumers.items():
        place, credentials = ("consumers", name), consumer.credentials.items()
        known: list[tuple[Place, tuple[str, str | None]]] = [
            *(((*place, "credentials", key), ("credential", _token_name(key, each))) for key, each in credentials),
            ((*place, "id"), ("id", consumer.id)),
            ((*place, "external_id"), ("external_id", consumer.external_id)),
        ]
        for here, known_by in known:
            if known_by[1] is None:
                continue
            if known_by in seen:
                yield Mistake(here, f"consumer {seen[known_by]} already has it")
            seen.setdefault(known_by, name)


def _token_name(key: str, credential: CredentialSection) -> str | None:
    """What a token names it by; None where only a secret store knows, and for an API key."""
    if credential.api_key is not None:
        return None if "${" in credential.api_key else api_key_name(credential.api_key)
    return key if credential.named is None else None if "${" in credential.named else credential.named


def signing_mistakes(document: Document, section: TokenSection, place: Place) -> Iterator[Mistake]:
    """What is wrong with the key a token of ours is signed with."""
    known = document.signing.keys if document.signing else {}
    name = signing_key(document, section)
    if name is None:
        wanted = section.key or ""
        meant = did_you_mean(wanted, known) if wanted else f"; name one of {', '.join(known)}"
        yield Mistake((*place, "key"), f"there is no signing key of this name{meant}")
    elif (section.x5c or section.x5t or section.x5t_s256) and known[name].file is None and known[name].url is None:
        yield Mistake(place, f"shows the certificate of its key, but the signing key {name} has none")


def signing_key(document: Document, section: TokenSection) -> str | None:
    """The name of the signing key a token is made with: the one it names, the only one, or `default`."""
    keys = document.signing.keys if document.signing else {}
    name = section.key or (next(iter(keys)) if len(keys) == 1 else "default")
    return name if name in keys else None
