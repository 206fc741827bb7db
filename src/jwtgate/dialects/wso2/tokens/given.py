"""What the plug-in is made with: the settings of the claims, and what a token says of the API a route leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jwtgate.errors import ConfigError

SUPER_TENANT, SUPER_TENANT_ID = "carbon.super", -1234
USER = "user:"
"""What stands before the name of a user where the records of users and of applications lie together."""


@dataclass(frozen=True, slots=True)
class Given:
    """How claims are made. Classes are `default`, or `module:Class`; a retriever is `user-store`, that, or none.

    `claims` are the standard ones, by their names without the dialect. `conversion` None: names stay as they are.
    `tenants` are ids by domain, `apis` what a token says of one by the name of a route, `mappings` new names of claims
    by issuer.
    """

    profile: str
    prefix: str
    claims: tuple[str, ...]
    generators: tuple[str, str] = ("default", "default")
    retriever: str = ""
    user_claims: bool = False
    user_claims_of_jwt: bool = False
    federated: bool = False
    custom_first: bool = False
    conversion: Mapping[str, str] | None = None
    excluded: tuple[str, ...] = ()
    identity_claims: bool = False
    drop_unparsable: bool = False
    arrays: bool = False
    separator: str = ","
    empty_attributes: bool = False
    remove_user: bool = False
    sub_without_tenant: bool = False
    claim_cache_seconds: int = 0
    token_cache_seconds: int = 0
    tenants: Mapping[str, int] = field(default_factory=dict)
    apis: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Given:
        """What stands in a document. `ConfigError`."""
        names = {each.name for each in fields(cls)}
        lists = {"claims", "generators", "excluded"}
        if not names >= given.keys() or not {"profile", "prefix", "claims"} <= given.keys():
            raise ConfigError("The claim generator wso2 is given what `jwtgate import wso2` writes, and nothing else.")
        members: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in given.items()}
        return cls(**members)

    def tenant_id(self, domain: str) -> int | None:
        """The number of a tenant."""
        return self.tenants.get(domain, SUPER_TENANT_ID if domain == SUPER_TENANT else None)


def tenant_of(user: str) -> str:
    """The tenant in a user's name: what stands behind its last `@`; the super tenant where there is none."""
    return user.rpartition("@")[2] if "@" in user else SUPER_TENANT


def with_tenant(user: str) -> str:
    """A user's name with its tenant."""
    return user if "@" in user else f"{user}@{SUPER_TENANT}"


def without_tenant(user: str) -> str:
    """A user's name alone."""
    return user.rpartition("@")[0] if "@" in user else user
