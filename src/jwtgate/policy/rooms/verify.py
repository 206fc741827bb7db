"""From credential to verified token.

The order is fixed: the issuer from the slot's list, `alg` from that issuer's list, `typ`, the key, the
signature. Only then are claims readable. Nothing in the token chooses a key source, an algorithm or an address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.token import UnverifiedToken, VerifiedToken, type_matches
from jwtgate.policy.callers import API_KEY, Credential, api_key_name
from jwtgate.policy.facts import (
    Facts,
    Introspected,
    Steps,
    find_credential,
    find_credential_keys,
    find_keys,
    find_newer_keys,
)
from jwtgate.policy.requirements import CredentialLookup, Introspect, Introspection, Issuer, Slot
from jwtgate.policy.rooms.claims import Claims
from jwtgate.policy.rooms.introspect import introspect

_ADDRESSES = frozenset({"jku", "x5u"})
_OPAQUE = frozenset({"token_malformed", "token_encrypted", "claims_unreadable", "signature_unreadable"})
_ASKED_BESIDES = (Introspect.ADDITIONALLY, Introspect.JWT_ADDITIONALLY)
_MOST_NAME_CHARACTERS = 256
_TO_BASE64URL = str.maketrans("+/", "-_")


class Verified(NamedTuple):
    """A token proven to be its issuer's; the credential it was made with, if a consumer made it.

    `answer` is what the issuer said of it, if it was asked; `described` the claims that gives it, where the signature
    was verified besides, and what is asked of those. `asked` is the slot as it is for this token, if that is another;
    `judged` are the claims to check, if not the token's own.
    """

    issuer: Issuer
    token: VerifiedToken
    credential: Credential | None = None
    answer: Introspected | None = None
    described: tuple[Issuer, Claims] | None = None
    asked: Slot | None = None
    judged: Claims | None = None

    @property
    def claims(self) -> Claims:
        """The claims every check is of."""
        return self.token.claims if self.judged is None else self.judged


def verify(slot: Slot, text: str, facts: Facts, *, client: str, limit_bytes: int) -> Steps[Verified]:
    """The token of this slot with its signature verified, or vouched for by its issuer."""
    if slot.by_credential is not None and slot.by_credential.takes_api_keys:
        if (signed := _of_issuer(slot, text, limit_bytes)) is not None:
            return (yield from _by_signature(slot, signed, facts, client=client))
        return (yield from _by_api_key(slot.by_credential, text, facts, limit_bytes=limit_bytes))
    if slot.introspector is None or slot.introspect is Introspect.JWT_ADDITIONALLY:
        token = UnverifiedToken.parse(text, limit_bytes=limit_bytes)
        return (yield from _by_signature(slot, token, facts, client=client))
    if not text or len(text) > limit_bytes:
        raise TokenRefused("token_too_large" if text else "token_malformed")
    parsed = None if slot.introspect is Introspect.ALWAYS else _jwt(text, limit_bytes)
    if parsed is None:
        told = yield from introspect(slot.introspector, text, limit_bytes=limit_bytes)
        issuer = _answering(slot.introspector, told.claims)
        return Verified(issuer, told.token, answer=told.answer, asked=slot.introspected, judged=told.judged)
    return (yield from _by_signature(slot, parsed, facts, client=client))


def ask_besides(slot: Slot, verified: Verified, text: str, *, limit_bytes: int) -> Steps[Verified]:
    """The token with what its issuer says of it, if the slot has it asked about tokens that are good by themselves.

    It is asked last, when nothing else stands against the token. Refuses `token_inactive`.
    """
    if slot.introspector is None or slot.introspect not in _ASKED_BESIDES or verified.answer is not None:
        return verified
    told = yield from introspect(slot.introspector, text, limit_bytes=limit_bytes)
    return verified._replace(answer=told.answer, described=(_answering(slot.introspector, told.claims), told.claims))


def _answering(issuer: Issuer, claims: Claims) -> Issuer:
    """The issuer with what it asks of an answer in place of what it asks of a JWT (SEC-68)."""
    reading = issuer.introspection or Introspection()
    return replace(
        issuer,
        # An answer comes from the address of its issuer, and need not repeat whose it is (RFC 7662 section 2.2).
        iss=issuer.iss if "iss" in claims else None,
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


def _of_issuer(slot: Slot, text: str, limit_bytes: int) -> UnverifiedToken | None:
    """The token, if it is one of an issuer that stands in the slot beside API keys."""
    token = _jwt(text, limit_bytes) if slot.issuers else None
    return token if token is not None and token.issuer in slot.issuers else None


def _by_signature(slot: Slot, token: UnverifiedToken, facts: Facts, *, client: str) -> Steps[Verified]:
    issuer = slot.issuers.get(token.issuer) if token.issuer is not None else None
    if issuer is None and slot.by_credential is not None:
        return (yield from _by_credential(slot.by_credential, token, facts, client=client))
    issuer = issuer or slot.any_iss
    if issuer is None:
        raise TokenRefused("issuer_unknown", slot=slot.name)
    if issuer.signature_unverified:
        check_header(issuer, token, ALGORITHMS)
        return Verified(issuer, token.unproven())
    check_header(issuer, token, issuer.algorithms)
    keys = yield from find_keys(issuer, token.alg, token.kid, facts=facts, client=client)
    if issuer.keys_again:
        return Verified(issuer, (yield from _by_keys_or_newer(issuer, token, keys, facts=facts, client=client)))
    return Verified(issuer, token.verify(keys, issuer.algorithms))


def _by_keys_or_newer(
    issuer: Issuer, token: UnverifiedToken, keys: Sequence[Key], *, facts: Facts, client: str
) -> Steps[VerifiedToken]:
    try:
        return token.verify(keys, issuer.algorithms)
    except TokenRefused as refusal:
        if refusal.reason != "signature_wrong":
            raise
        wrong = refusal
    newer = yield from find_newer_keys(issuer, token.alg, token.kid, facts=facts, client=client)
    if not newer:
        raise wrong
    return token.verify(newer, issuer.algorithms)


def _by_api_key(issuer: Issuer, text: str, facts: Facts, *, limit_bytes: int) -> Steps[Verified]:
    """What the consumer whose key this is counts as: a token that says what the key does."""
    if len(text) > limit_bytes:
        raise TokenRefused("token_too_large")
    credential = yield from find_credential(api_key_name(text), facts=facts)
    if credential.algorithms:  # whatever its name, it is one that tokens are made with
        raise TokenRefused("credential_unknown", issuer=issuer.name)
    return Verified(issuer, VerifiedToken.described(credential.claims), credential)


def _by_credential(issuer: Issuer, token: UnverifiedToken, facts: Facts, *, client: str) -> Steps[Verified]:
    assert issuer.credentials is not None  # noqa: S101 - compiled so
    name = _named(issuer.credentials, token)
    if name is None:
        raise TokenRefused("credential_not_named", issuer=issuer.name)
    if not name or len(name) > _MOST_NAME_CHARACTERS:
        raise TokenRefused("credential_name_malformed", issuer=issuer.name)
    if name.startswith(API_KEY):
        raise TokenRefused("credential_unknown", issuer=issuer.name)
    credential = yield from find_credential(name, facts=facts)
    check_header(issuer, token, credential.algorithms)
    credential, keys = yield from find_credential_keys(credential, name, token.alg, kid=token.kid, client=client)
    if issuer.credentials.base64:
        keys = tuple(_decoded(key, token.alg) for key in keys)
    if credential.leeway_seconds is not None:
        issuer = replace(issuer, times=replace(issuer.times, leeway_seconds=credential.leeway_seconds))
    return Verified(issuer, token.verify(keys, credential.algorithms), credential)


def _decoded(key: Key, alg: str) -> Key:
    """The key whose secret this one's is the base64 text of; any other key as it is. Refuses `key_unknown`."""
    text = key.material.signer
    if not isinstance(text, bytes):
        return key
    try:
        secret = base64url_decode(text.decode().translate(_TO_BASE64URL).rstrip("="))
        return Key.secret(
            secret,
            alg=alg,
            short_secret_allowed_for_legacy_credential=True,
            guessable_secret_allowed_for_legacy_credential=True,
        )
    except (ValueError, KeyRefused):
        raise TokenRefused("key_unknown", alg=alg) from None


def _named(lookup: CredentialLookup, token: UnverifiedToken) -> str | None:
    """What the token names its credential by: in its claims, and where nothing is there, in its header."""
    name = None if lookup.claim is None else token.naming_key(lookup.claim, in_header=False)
    if name is None and lookup.header is not None:
        name = token.naming_key((lookup.header,), in_header=True)
    return name


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
