"""The generator of backend claims, and what a class of one's own derives from it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from jwtgate.dialects.wso2.tokens.context import JWT, ValidationContext
from jwtgate.dialects.wso2.tokens.given import Given
from jwtgate.dialects.wso2.tokens.standard import end_user, standard_claims
from jwtgate.dialects.wso2.tokens.text_values import DROPPED, read_value
from jwtgate.dialects.wso2.tokens.user_claims import Retriever, user_claims

# About the caller's token and nobody else's.
_RESTRICTED = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "application", "tierInfo", "subscribedAPIs", "aut"}
)
_IDENTITY = ("*/identity/*", "identity/*")


class BackendJwtGenerator:
    """Makes the claims of a backend JWT. A class derived from it may replace its three operations.

    What signs and writes the token is the gateway: `sign`, `encode` and `build_header` are no operations here. `iss`,
    `exp`, `iat` and `jti` are the gateway's too.
    """

    def __init__(self, given: Given, retriever: Retriever | None = None) -> None:
        self.given = given
        self.retriever = retriever

    def get_dialect_uri(self) -> str:
        """The dialect of the standard claims."""
        return self.given.prefix.removesuffix("/") or self.given.prefix

    def populate_standard_claims(self, context: ValidationContext) -> dict[str, Any]:
        """The standard claims, by their whole names."""
        return standard_claims(context, self.given)

    def populate_custom_claims(self, context: ValidationContext) -> Mapping[str, Any] | None:
        """All other claims: those of the caller's token, where the gateway makes the token, and of the user."""
        found = user_claims(context, end_user(context, self.given), self.given, self.retriever)
        if self.given.profile == "v4" and context.token.kind == JWT:
            found = {**copied_claims(context.token.claims, self.given), **found}
        return {name: value for name, value in found.items() if not self._is_excluded(name)}

    def _is_excluded(self, name: str) -> bool:
        if name in self.given.excluded:
            return True
        return not self.given.identity_claims and any(fnmatchcase(name, pattern) for pattern in _IDENTITY)


def copied_claims(claims: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """The claims of the caller's token that are taken over, under the names its issuer's mapping gives them."""
    mapping = given.mappings.get(str(claims.get("iss")), {})
    return {mapping.get(name, name): value for name, value in claims.items() if name not in _RESTRICTED}


def merged(standard: Mapping[str, Any], custom: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """All claims, each as it stands in a token. Which of two of one name stands, the generation says."""
    together = {**standard, **custom} if given.custom_first else {**custom, **standard}
    ordered = {name: together[name] for name in (*standard, *custom)}
    read = ((name, read_value(name, value, given)) for name, value in ordered.items() if value is not None)
    return {name: value for name, value in read if value is not DROPPED}
