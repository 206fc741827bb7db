"""The proof that whoever presents a token holds the key it is bound to (RFC 9449 section 4.3).

It is looked at when the token is known to be good: what it is bound to is a claim like any other.
"""

from __future__ import annotations

from jwtgate.errors import RequestRefused, TokenRefused
from jwtgate.oauth.dpop import FIELD, Proof, access_token_hash, read_proof, split_target, wrong
from jwtgate.policy.facts import NeedFirstUse, NeedNonces, Steps, find_first_use, find_nonces
from jwtgate.policy.request import PathRules, RequestView, canonical_path
from jwtgate.policy.requirements import Dpop
from jwtgate.policy.rooms.claims import MISSING, Claims, find

_JKT = ("cnf", "jkt")


def check_proof(
    dpop: Dpop, request: RequestView, token: str, *, claims: Claims, paths: PathRules, now: int
) -> Steps[None]:
    """Refuses `proof_wrong` unless the proof was made for this request and token, by the key the token is bound to.

    `claims` are those of the token, and `paths` is how the path of the request was read. `proof_nonce_needed` where a
    nonce is asked for. Whether the proof was used before is asked last: one that does not fit uses up nothing.
    """
    (text,) = request.field_values(FIELD)
    proof = read_proof(text, dpop.algorithms, ec_called_ecdsa=dpop.ec_called_ecdsa)
    if proof.htm != request.method:
        raise wrong("htm")
    _check_target(proof, request, paths)
    if proof.iat < now - dpop.most_age_seconds:
        raise wrong("too_old")
    if proof.iat > now + dpop.most_age_seconds:
        raise wrong("too_new")
    if proof.ath != access_token_hash(token):
        raise wrong("ath")
    jkt = find(claims, _JKT)
    if jkt is MISSING:
        raise wrong("not_bound")
    if jkt not in proof.thumbprints:
        raise wrong("thumbprint")
    if dpop.nonce_seconds is not None:
        nonces = yield from find_nonces(NeedNonces(dpop.nonce_seconds))
        if proof.nonce not in nonces:
            raise TokenRefused("proof_nonce_needed", nonce=nonces[0])
    if dpop.replayed:
        return
    # As long as the same proof would be taken, whichever way its clock is wrong.
    if not (yield from find_first_use(NeedFirstUse(proof.thumbprints[0], proof.jti, 2 * dpop.most_age_seconds + 1))):
        raise wrong("replayed")


def _check_target(proof: Proof, request: RequestView, paths: PathRules) -> None:
    target, asked = split_target(proof.htu), split_target(request.origin)
    if target is None or asked is None or target[0] != asked[0]:
        raise wrong("htu")
    try:
        path = canonical_path(target[1], paths)
    except RequestRefused:
        raise wrong("htu") from None
    if path != request.path:
        raise wrong("htu")
