"""From credential to verified token.

The order is fixed: the issuer from the slot's list, `alg` from that issuer's list, `typ`, the key, the
signature. Only then are claims readable. Nothing in the token chooses a key source, an algorithm or an address.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from jwtgate.errors import TokenRefused
from jwtgate.jose.token import UnverifiedToken, VerifiedToken, type_matches
from jwtgate.policy.callers import Credential
from jwtgate.policy.facts import Facts, Introspected, Steps, credential_keys, find_credential, find_keys
from jwtgate.policy.requirements import Introspect, Introspection, Issuer, Slot
from jwtgate.policy.rooms.introspect import introspect

_ADDRESSES = frozenset({"jku", "x5u"})
_OPAQUE = frozenset({"token_malformed", "token_encrypted"})
_MOST_NAME_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Verified:
    """A token proven to be its issuer's; the credential it was made with, if a consumer made it.

    `answer` is what the issuer said of it, if it was asked; `described` the token as that puts it, where the signature
    was verified besides, and what is asked of that.
    """

    issuer: Issuer
    token: VerifiedToken
    credential: Credential | None = None
    answer: Introspected | None = None
    described: tuple[Issuer, VerifiedToken] | None = None


def verify(slot: Slot, text: str, facts: Facts, *, client: str, limit_bytes: int) -> Steps[Verified]:
    """The token of this slot with its signature verified, or vouched for by its issuer."""
    if slot.introspector is None:
        token = UnverifiedToken.parse(text, limit_bytes=limit_bytes)
        return (yield from _by_signature(slot, token, facts, client=client))
    if not text or len(text) > limit_bytes:
        raise TokenRefused("token_too_large" if text else "token_malformed")
    parsed = None if slot.introspect is Introspect.ALWAYS else _jwt(text, limit_bytes)
    if parsed is None:
        described, answer = yield from introspect(slot.introspector, text, limit_bytes=limit_bytes)
        return Verified(_answering(slot.introspector, described), described, answer=answer)
    verified = yield from _by_signature(slot, parsed, facts, client=client)
    if slot.introspect is not Introspect.ADDITIONALLY:
        return verified
    described, answer = yield from introspect(slot.introspector, text, limit_bytes=limit_bytes)
    return replace(verified, answer=answer, described=(_answering(slot.introspector, described), described))


def _answering(issuer: Issuer, described: VerifiedToken) -> Issuer:
    """The issuer with what it asks of an answer in place of what it asks of a JWT (SEC-68)."""
    reading = issuer.introspection or Introspection()
    return replace(
        issuer,
        # An answer comes from the address of its issuer, and need not repeat whose it is (RFC 7662 section 2.2).
        iss=issuer.iss if "iss" in described.claims else None,
        times=reading.times,
        audiences=issuer.audiences if reading.audiences is None else reading.audiences,
        rules=(*issuer.rules, *reading.rules),
    )


def _jwt(text: str, limit_bytes: int) -> UnverifiedToken | None:
    """The token, if it is a JWT at all."""
    try:
        return UnverifiedToken.parse(text, limit_bytes=limit_bytes)
    except TokenRefused as refusal:
        if refusal.reason in _OPAQUE:
            return None
        raise


def _by_signature(slot: Slot, token: UnverifiedToken, facts: Facts, *, client: str) -> Steps[Verified]:
    issuer = slot.issuers.get(token.issuer) if token.issuer is not None else None
    if issuer is None and slot.by_credential is not None:
        return (yield from _by_credential(slot.by_credential, token, facts))
    if issuer is None:
        raise TokenRefused("issuer_unknown", slot=slot.name)
    check_header(issuer, token, issuer.algorithms)
    keys = yield from find_keys(issuer, token.alg, token.kid, facts=facts, client=client)
    return Verified(issuer, token.verify(keys, issuer.algorithms))


def _by_credential(issuer: Issuer, token: UnverifiedToken, facts: Facts) -> Steps[Verified]:
    assert issuer.credentials is not None  # noqa: S101 - compiled so
    lookup = issuer.credentials
    name = token.naming_key(lookup.path, in_header=lookup.in_header)
    if not name or len(name) > _MOST_NAME_CHARACTERS:
        raise TokenRefused("credential_unknown", issuer=issuer.name)
    credential = yield from find_credential(name, facts=facts)
    check_header(issuer, token, credential.algorithms)
    keys = credential_keys(credential, token.alg, token.kid)
    if credential.leeway_seconds is not None:
        issuer = replace(issuer, times=replace(issuer.times, leeway_seconds=credential.leeway_seconds))
    return Verified(issuer, token.verify(keys, credential.algorithms), credential)


def check_header(issuer: Issuer, token: UnverifiedToken, algorithms: Collection[str]) -> None:
    """Refuses an algorithm, type or header member this issuer's tokens may not have."""
    if token.alg not in algorithms:
        raise TokenRefused("alg_not_allowed", issuer=issuer.name, alg=token.alg)
    # `typ` before the signature: refusing here is free, a signature costs an attacker nothing to ask for.
    left_out = token.typ is None and issuer.type_optional
    if issuer.types and not left_out and not type_matches(token.typ, issuer.types):
        raise TokenRefused("type_wrong", issuer=issuer.name, typ=token.typ)
    if issuer.refuse_header_addresses and not _ADDRESSES.isdisjoint(token.header):
        raise TokenRefused("header_address_refused", issuer=issuer.name)
