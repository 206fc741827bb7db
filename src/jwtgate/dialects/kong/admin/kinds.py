"""How Kong's kinds of objects are addressed, and which of them belong to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jwtgate.dialects.kong.entities import ENTITIES

REFERRED: Mapping[str, str] = {
    "service": "services",
    "route": "routes",
    "consumer": "consumers",
    "certificate": "certificates",
    "client_certificate": "certificates",
    "upstream": "upstreams",
}
"""Which kind a field of this name refers to."""
OF_CONSUMERS = ("jwt_secrets", "keyauth_credentials")
"""The kinds every one of which is a consumer's."""
PEOPLE = ("consumers", *OF_CONSUMERS)
"""The kinds a node keeps as callers."""
_GOES_WITH = frozenset({("plugins", "*"), ("snis", "certificate"), ("targets", "upstream")})
_WORDS: Mapping[str, str] = {"jwts": "jwt_secrets", "key-auths": "keyauth_credentials"}
_WORDS_BELOW: Mapping[str, str] = {"jwt": "jwt_secrets", "key-auth": "keyauth_credentials"}


def kind_at(word: str) -> str | None:
    """The kind that stands at the top under this word of a path."""
    kind = _WORDS.get(word, word)
    return kind if kind in ENTITIES and (word in _WORDS or kind not in OF_CONSUMERS) else None


def kind_below(kind: str, word: str) -> tuple[str, str] | None:
    """The kind that stands under this word below one of `kind`, and its field that refers to it."""
    child = _WORDS_BELOW.get(word, word)
    return next(((other, field) for other, field in referring_to(kind) if other == child), None)


def referring_to(kind: str) -> Iterator[tuple[str, str]]:
    """The kinds that may refer to this one, each with the field it does so by."""
    for other, entity in ENTITIES.items():
        for field in entity.fields:
            if REFERRED.get(field) == kind:
                yield other, field


def goes_with(kind: str, field: str) -> bool:
    """Whether what refers by this field goes when what it refers to goes; else it holds that back."""
    return kind in OF_CONSUMERS or (kind, "*") in _GOES_WITH or (kind, field) in _GOES_WITH
