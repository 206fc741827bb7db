"""Callers the gateway knows by name, and the credentials they make their own tokens with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from jwtgate.jose.encoding import JSON
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.rate_limits import RateLimit

API_KEY = "api-key "
"""What the name of an API key begins with. No token can name a credential so, and no API key any other."""


def api_key_name(text: str) -> str:
    """The name the credential of this API key is found under: by its digest, so that no comparison tells of it."""
    return API_KEY + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Consumer:
    """A caller the gateway knows by name. `id` is ours and never changes, `external_id` somebody else's.

    `rate_limit`: how many requests it may make, instead of what a route says.
    """

    name: str
    id: str
    external_id: str | None = None
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    rate_limit: RateLimit | None = None

    def members(self) -> dict[str, JSON]:
        """The record as JSON, which values and expressions look into."""
        return {
            "name": self.name,
            "id": self.id,
            "external_id": self.external_id,
            "groups": list(self.groups),
            "labels": dict(self.labels),
            "attributes": dict(self.attributes),
        }


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential of a consumer, with the keys its tokens are verified with: public halves, or a secret.

    `name` is that of the document; a token may name it otherwise. `leeway_seconds` None: as the issuer says. An API key
    has neither algorithms nor keys; `claims` is what it says of its caller. `fetched`: its keys are those an address
    publishes, and a newer one may be there.
    """

    name: str
    id: str
    consumer: Consumer
    algorithms: frozenset[str]
    keys: KeySet = field(repr=False)
    leeway_seconds: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    fetched: bool = False
    claims: Mapping[str, JSON] = field(default_factory=dict, repr=False)
