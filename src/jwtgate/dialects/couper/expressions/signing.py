"""`jwt_sign(label, claims)`: what is to be signed, which somebody else does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.couper.expressions.frame import Constant, Frame, Run
from jwtgate.dialects.couper.expressions.functions import json_text
from jwtgate.dialects.couper.expressions.kinds import kind_name, ordered, text_of
from jwtgate.dialects.couper.expressions.variables import Given
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import NeedSigned


def jwt_sign(arguments: tuple[Run, ...], given: Given) -> Run:
    """A compact token of the profile its first argument names, with the claims of the second.

    The profile's claims come first, then `exp` where it has a ttl, then the argument's, which replace them all.
    """
    label_of = arguments[0]
    claims_of: Run = arguments[1] if len(arguments) > 1 else Constant(None)
    profiles: Mapping[str, Mapping[str, Any]] = given.get("profiles", {})

    def run(frame: Frame) -> str:
        label = text_of(label_of(frame))
        profile = profiles.get(label)
        if profile is None:
            raise ExpressionFailed(
                f'missing jwt_signing_profile or jwt (with signing_ttl) block with referenced label "{label}"'
            )
        header, claims = _unsigned(profile, claims_of(frame), frame)
        frame.weigh(claims)
        frame.weigh(header)
        key = ("jwt_sign", label, json_text(header), json_text(claims))
        signed = frame.known.answers.get(key)
        if signed is None:
            raise Asks(NeedSigned(profile["key"], header, claims), key)
        return str(signed)

    return run


def _unsigned(profile: Mapping[str, Any], claims: object, frame: Frame) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims that are to be signed."""
    header = _members("headers", profile["headers"](frame))
    if "alg" in header:
        raise ExpressionFailed('"alg" cannot be set via "headers"')
    made = dict(_members("claims", profile["claims"](frame)))
    ttl = int(profile.get("ttl_seconds", 0))
    if ttl:
        made["exp"] = frame.known.now + ttl
    made.update(_members("the second argument of jwt_sign", claims))
    return ordered(header), ordered(made)


def _members(what: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ExpressionFailed(f"{what} must be an object, not {kind_name(value)}")
    return value
