"""What tokens are signed with: signing profiles, and the key of a `jwt` that may sign."""

from __future__ import annotations

from jwtgate.dialects.couper.expressions.tree import members_of
from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Secret, SigningProfile
from jwtgate.dialects.couper.reading.keys import ALGORITHMS, private_key, read_secret

UNSUPPORTED = "algorithm is not supported"


def read_profile(block: Block, context: Context) -> SigningProfile | None:
    """A profile of the definitions; None when it cannot be used, and the mistakes are noted."""
    attributes = Attributes(block, context)
    label = block.label or ""
    alg = profile_algorithm(attributes, label=label)
    secret = read_secret(attributes, "key", label=label, what="jwt_signing_profile key")
    return profile_with(attributes, alg, secret, label=label)


def profile_algorithm(attributes: Attributes, *, label: str) -> str | None:
    """The algorithm of a profile; None for one there is none of, which is noted."""
    alg = attributes.string("signature_algorithm")
    if alg in ALGORITHMS:
        return alg
    if "signature_algorithm" in attributes.block.attributes and attributes.is_readable("signature_algorithm"):
        attributes.mistakes.of(label, UNSUPPORTED, place=attributes.place("signature_algorithm"))
    return None


def profile_with(
    attributes: Attributes, alg: str | None, secret: Secret | None, *, label: str
) -> SigningProfile | None:
    """The profile with this key. None when there is something wrong with it."""
    _check_headers(attributes, label)
    ttl = attributes.required_duration("ttl", label=label)
    key = checked_private_key(attributes, secret, alg, label=label)
    if alg is None or key is None or ttl is None:
        return None
    return SigningProfile(
        label=label,
        place=attributes.block.place,
        signature_algorithm=alg,
        key=key,
        ttl=ttl,
        claims=attributes.text("claims"),
        headers=attributes.text("headers"),
    )


def checked_private_key(attributes: Attributes, secret: Secret | None, alg: str | None, *, label: str) -> Secret | None:
    """The key as it may sign with this algorithm; None for one that may not, which is noted."""
    if secret is None or alg is None:
        return None
    try:
        return private_key(secret, alg)
    except ValueError as problem:
        attributes.mistakes.of(label, str(problem), place=attributes.block.place)
        return None


def _check_headers(attributes: Attributes, label: str) -> None:
    text = attributes.text("headers")
    if text and attributes.is_readable("headers") and "alg" in (members_of(text.source) or {}):
        attributes.mistakes.of(label, '"alg" cannot be set via "headers"', place=text.place)
