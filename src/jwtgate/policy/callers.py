"""Callers the gateway knows by name, and the credentials they make their own tokens with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jwtgate.jose.encoding import JSON
from jwtgate.jose.key_set import KeySet


@dataclass(frozen=True, slots=True)
class Consumer:
    """A caller the gateway knows by name. `id` is ours and never changes, `external_id` somebody else's."""

    name: str
    id: str
    external_id: str | None = None
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)

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

    `name` is what a token names it by. `leeway_seconds` None: as the issuer says.
    """

    name: str
    id: str
    consumer: Consumer
    algorithms: frozenset[str]
    keys: KeySet = field(repr=False)
    leeway_seconds: int | None = None
