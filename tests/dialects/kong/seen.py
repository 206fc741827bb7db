"""What the upstream saw of a request, and what a token says that somebody else's library verified."""

from __future__ import annotations

from typing import Any

import jwt
from tests.dialects.kong.kong_process import Answer, KongProcess


def values(answer: Answer, name: str) -> list[str]:
    """The values of a field at the upstream, in their order."""
    assert answer.status == 200, answer
    return [value for other, value in answer.value["fields"] if other == name]


def new_token(answer: Answer) -> str:
    """The one bearer token the upstream saw."""
    (value,) = values(answer, "authorization")
    scheme, _, text = value.partition(" ")
    assert scheme == "Bearer"
    return text


def key_of(kong: KongProcess, token: str, *, name: str = "kong", part: str = "keys") -> dict[str, Any] | None:
    """The published key a token names, if it is among these of its set."""
    published = kong.send("GET", f"/jwt-signer/jwks/{name}").value[part]
    kid = jwt.get_unverified_header(token)["kid"]
    return next((key for key in published if key["kid"] == kid), None)


def verified(kong: KongProcess, token: str, *, name: str = "kong") -> dict[str, Any]:
    """The claims of a token, verified with the published key it names."""
    key = key_of(kong, token, name=name)
    assert key is not None
    assert jwt.get_unverified_header(token)["alg"] == key["alg"]
    options = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(token, jwt.PyJWK(key), algorithms=[key["alg"]], options=options)
    return claims
