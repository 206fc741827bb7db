"""Tokens signed under a profile of the document without a request: by hand, or by a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.policy.facts import NeedIssuedToken
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Issue, Origin
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.rooms.issue import describe
from jwtgate.policy.traffic.upstreams import NOWHERE
from jwtgate.policy.value import Known
from jwtgate.state.issued_tokens import IssuedTokens

_NO_REQUEST = RequestView("", "", "", "", query="", fields=())


def sign_under_profile(
    profile: Issue,
    claims: Mapping[str, JSON],
    *,
    issued_tokens: IssuedTokens,
    now: int,
    ttl_seconds: int | None = None,
) -> str:
    """The token: these claims, those of the profile over them, and those that are always ours.

    `ttl_seconds` may only shorten the life the profile gives. `now` is a NumericDate. `ConfigError` for a profile that
    takes claims from a request or a plug-in; `DependencyFault("signer_unavailable")` without its key.
    """
    values = (value for _, value in (*profile.add, *profile.set))
    if profile.generator is not None or any(value.origin is not Origin.CONSTANT for value in values):
        raise ConfigError(
            f"The profile {profile.name!r} takes claims from a request: only a gateway can sign under it."
        )
    known = Known(Route("", NOWHERE), _NO_REQUEST, ANONYMOUS, now)
    described = {**claims, **describe(profile, known, incoming={})}
    not_after = None if ttl_seconds is None else now + ttl_seconds
    once = replace(profile, reuse=False) if profile.reuse else profile
    return issued_tokens.issue(NeedIssuedToken(once, described, not_after), now).text
