"""The block `beta_introspection`: whom to ask about a token, and how we say who asks."""

from __future__ import annotations

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Introspection, Secret, SigningProfile
from jwtgate.dialects.couper.reading.keys import read_secret
from jwtgate.dialects.couper.reading.parts.backends import Backends
from jwtgate.dialects.couper.reading.parts.profiles import profile_algorithm, profile_with
from jwtgate.jose.algorithms import is_mac

_BASIC = "client_secret_basic"
_BY_JWT = ("client_secret_jwt", "private_key_jwt")
_METHODS = (_BASIC, "client_secret_post", *_BY_JWT)


def read_introspection(parent: Block, context: Context, backends: Backends, *, label: str) -> Introspection | None:
    """The block in this `jwt`; None when there is none, or it cannot be used and the mistakes are noted."""
    block = next(parent.of_type("beta_introspection"), None)
    if block is None:
        return None
    attributes = Attributes(block, context)
    method = _method(attributes, label)
    client_id = attributes.string("client_id")
    if not attributes.is_set("client_id"):
        attributes.mistakes.of(label, "client_id must not be empty", place=block.place)
    client_secret = _client_secret(attributes, method, label=label)
    profile = _profile(attributes, method, client_secret, label=label)
    attributes.required_duration("ttl", label=label)
    ttl = attributes.positive_duration("ttl", label=label, default=0.0)
    endpoint = attributes.string("endpoint")
    if "endpoint" in block.attributes and not attributes.is_set("endpoint"):
        attributes.mistakes.of(label, "endpoint must not be empty", place=attributes.place("endpoint"))
    backend = backends.of(block, attributes)
    if endpoint is None or client_id is None or method is None:
        return None
    return Introspection(
        place=block.place,
        endpoint=endpoint,
        ttl=ttl,
        client_id=client_id,
        client_secret=client_secret,
        endpoint_auth_method=method,
        profile=profile,
        backend=backend,
    )


def _method(attributes: Attributes, label: str) -> str | None:
    method = attributes.string("endpoint_auth_method") or _BASIC
    if method in _METHODS:
        return method
    sentence = f'endpoint_auth_method "{method}" not supported'
    attributes.mistakes.of(label, sentence, place=attributes.place("endpoint_auth_method"))
    return None


def _client_secret(attributes: Attributes, method: str | None, *, label: str) -> Secret | None:
    said = attributes.string("client_secret")
    if method and method != "private_key_jwt" and not attributes.is_set("client_secret"):
        attributes.mistakes.of(label, f"client_secret must not be empty with {method}", place=attributes.block.place)
    return None if said is None else Secret(said.encode(), variable=attributes.variable("client_secret"))


def _profile(
    attributes: Attributes, method: str | None, client_secret: Secret | None, *, label: str
) -> SigningProfile | None:
    """What the assertion is signed with, for the methods that send one."""
    block = next(attributes.block.of_type("jwt_signing_profile"), None)
    if method is None:
        return None
    if method not in _BY_JWT:
        if block is not None:
            sentence = f"jwt_signing_profile block must not be set with {method}"
            attributes.mistakes.of(label, sentence, place=block.place)
        return None
    if block is None:
        sentence = f"jwt_signing_profile block must be set with {method}"
        attributes.mistakes.of(label, sentence, place=attributes.block.place)
        return None
    return _read_profile(Attributes(block, attributes.context), method, client_secret, label=label)


def _read_profile(
    attributes: Attributes, method: str, client_secret: Secret | None, *, label: str
) -> SigningProfile | None:
    alg = profile_algorithm(attributes, label=label)
    by_secret = method == "client_secret_jwt"
    if alg is not None and is_mac(alg) != by_secret:
        sentence = f"inappropriate signature algorithm with {method}"
        attributes.mistakes.of(label, sentence, place=attributes.place("signature_algorithm"))
        return None
    if not by_secret:
        secret = read_secret(attributes, "key", label=label, what="jwt_signing_profile key")
        return profile_with(attributes, alg, secret, label=label)
    if attributes.is_set("key") or attributes.is_set("key_file"):
        sentence = f"key and key_file must not be set with {method}"
        attributes.mistakes.of(label, sentence, place=attributes.block.place)
    return profile_with(attributes, alg, client_secret, label=label)
