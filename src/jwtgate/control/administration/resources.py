"""What can be administered one by one: its kinds, where they stand in a document, and the values that are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from jwtgate.jose.encoding import JSON

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "routes": "routes",
        "upstreams": "upstreams",
        "issuers": "issuers",
        "consumers": "consumers",
        "signing-keys": "signing.keys",
        "secret-stores": "secret_stores",
    }
)
"""The section of a document the resources of each kind stand in. Credentials stand below their consumers."""

FROM_FILE, FROM_STORE = "document", "store"


class NotFound(Exception):
    """There is nothing of that name."""


class OwnedByDocument(Exception):
    """What the document's file names can be changed there only."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, its secrets hidden. `origin` is `document` or `store`; `changed_at` a NumericDate.

    Of what the file names the version is 0.
    """

    kind: str
    name: str
    value: JSON = field(repr=False)
    version: int
    origin: str
    changed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many, and the name after which the rest begins; None: that was all."""

    resources: Sequence[Resource]
    next: str | None
