"""From credential to verified token.

The order is fixed: the issuer from the slot's list, `alg` from that issuer's list, `typ`, the key, the
signature. Only then are claims readable. Nothing in the token chooses a key source, an algorithm or an address.
"""

from __future__ import annotations

from jwtgate.errors import TokenRefused
from jwtgate.jose.token import UnverifiedToken, VerifiedToken, type_matches
from jwtgate.policy.facts import Facts, Steps, find_keys
from jwtgate.policy.requirements import Issuer, Slot

_ADDRESSES = frozenset({"jku", "x5u"})


def verify(
    slot: Slot, credential: str, facts: Facts, *, client: str, limit_bytes: int
) -> Steps[tuple[Issuer, VerifiedToken]]:
    """The token of this slot with its signature verified, and the issuer it was verified for."""
    token = UnverifiedToken.parse(credential, limit_bytes=limit_bytes)
    issuer = _issuer_of(slot, token)
    check_header(issuer, token)
    keys = yield from find_keys(issuer, token.alg, token.kid, facts=facts, client=client)
    return issuer, token.verify(keys, issuer.algorithms)


def check_header(issuer: Issuer, token: UnverifiedToken) -> None:
    """Refuses an algorithm, type or header member this issuer's tokens may not have."""
    if token.alg not in issuer.algorithms:
        raise TokenRefused("alg_not_allowed", issuer=issuer.name, alg=token.alg)
    # `typ` before the signature: refusing here is free, a signature costs an attacker nothing to ask for.
    left_out = token.typ is None and issuer.type_optional
    if issuer.types and not left_out and not type_matches(token.typ, issuer.types):
        raise TokenRefused("type_wrong", issuer=issuer.name, typ=token.typ)
    if issuer.refuse_header_addresses and not _ADDRESSES.isdisjoint(token.header):
        raise TokenRefused("header_address_refused", issuer=issuer.name)


def _issuer_of(slot: Slot, token: UnverifiedToken) -> Issuer:
    issuer = slot.issuers.get(token.issuer) if token.issuer is not None else None
    if issuer is None:
        raise TokenRefused("issuer_unknown", slot=slot.name)
    return issuer
