"""A stolen token, and what a thief may try to have it taken with (RFC 9449 section 11).

The thief has the token, proofs the client once made, and a key of its own; never the client's private key.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.oauth.proofs import BOUND, CLIENT_KEY, THIEFS_KEY, URL, a_proof
from tests.unit.policy.plans import HELD, KEY, NOON, ROUTE, SLOT, a_token, finish, plan, request

from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key
from jwtgate.jose.token import sign_token
from jwtgate.policy.decide import decide
from jwtgate.policy.outcome import Allowed, Outcome, Refused
from jwtgate.policy.request import RequestView
from jwtgate.policy.requirements import Dpop, Place, Source

STOLEN = a_token(cnf=BOUND)
PUBLIC = CLIENT_KEY.public().with_kid(None).to_jwk()
BOUND_ROUTE = replace(
    ROUTE, slots=(replace(SLOT, sources=(Source(Place.DPOP),), dpop=Dpop(("ES256", "RS256", "PS256", "EdDSA"), 10)),)
)
Field = tuple[bytes, bytes]
AUTHORIZATION: Field = (b"authorization", f"DPoP {STOLEN}".encode())


def shown(*fields: Field, **changes: Any) -> RequestView:
    return request((b"host", b"api.example"), *fields, **changes)


def with_proof(text: str, **changes: Any) -> RequestView:
    return shown(AUTHORIZATION, (b"dpop", text.encode()), **changes)


def outcome(view: RequestView, *, first: bool = True) -> Outcome:
    moves = decide(plan(BOUND_ROUTE), view, HELD, NOON)
    try:
        next(moves)
    except StopIteration as end:
        ended: Outcome = end.value
        return ended
    decided: Outcome = finish(moves, [first])
    return decided


def reason(view: RequestView, **how: Any) -> tuple[str, object]:
    refused = outcome(view, **how)
    assert isinstance(refused, Refused)
    return refused.refusal.reason, refused.refusal.detail.get("cause")


def forged(header: dict[str, Any], *, signature: str | None = None, claims: dict[str, Any] | None = None) -> str:
    """A proof with this header and the signature of a good one, or another."""
    _, good_claims, good_signature = a_proof(STOLEN).split(".")
    first = base64url_encode(json.dumps(header).encode())
    second = good_claims if claims is None else base64url_encode(json.dumps(claims).encode())
    return f"{first}.{second}.{good_signature if signature is None else signature}"


def by_thief(**changes: Any) -> str:
    return a_proof(STOLEN, key=THIEFS_KEY, **changes)


def test_the_client_itself_is_let_in() -> None:
    assert isinstance(outcome(with_proof(a_proof(STOLEN))), Allowed)


USUAL = {"typ": "dpop+jwt", "alg": "ES256", "jwk": PUBLIC}
THIEFS_SECRET = Key.secret(b"a secret that only the thief knows", alg="HS256")


@pytest.mark.parametrize(
    ("proof", "cause"),
    [
        (by_thief(), "thumbprint"),
        (by_thief(header={"jwk": PUBLIC}), "signature"),
        (by_thief(header={"jwk": PUBLIC, "jku": "https://thief.example"}), "signature"),
        (by_thief(header={"x5c": ["AA"]}), "jwk"),
        (by_thief(header={"kid": CLIENT_KEY.thumbprint()}), "jwk"),
        (by_thief(header={"jwk": {**THIEFS_KEY.public().to_jwk(), "kid": CLIENT_KEY.thumbprint()}}), "thumbprint"),
        (by_thief(header={"jwk": THIEFS_KEY.to_private_jwk()}), "jwk"),
        (by_thief(header={"jwk": [PUBLIC, THIEFS_KEY.public().to_jwk()]}), "jwk"),
        (forged({**USUAL, "alg": "none"}, signature=""), "malformed"),
        (forged({**USUAL, "alg": "none"}), "alg"),
        (forged({**USUAL, "alg": "HS256"}), "alg"),
        (forged({**USUAL, "alg": "ES384"}), "alg"),
        (forged({**USUAL, "alg": "RS256"}), "jwk"),
        (forged({**USUAL, "crit": ["b64"], "b64": False}), "malformed"),
        (forged(USUAL, signature=base64url_encode(bytes(64))), "signature"),
        (forged(USUAL, claims={"jti": "a", "htm": "GET", "htu": URL, "iat": NOON}), "signature"),
        (
            sign_token({"jti": "a"}, THIEFS_SECRET, alg="HS256", typ="dpop+jwt", header={"jwk": PUBLIC}),
            "alg",
        ),
        (STOLEN, "typ"),
        (sign_token({"jti": "a"}, KEY, alg="ES256", typ="at+jwt"), "typ"),
        (forged({**USUAL, "alg": "ES256", "typ": "dpop+jwt;x"}), "typ"),
    ],
)
def test_sec_77_a_thief_cannot_make_a_proof(proof: str, cause: str) -> None:
    assert reason(with_proof(proof)) == ("proof_wrong", cause)


@pytest.mark.parametrize(
    ("proof", "view", "cause"),
    [
        # Of the same client, for another request, another token or another time.
        (a_proof("another token"), {}, "ath"),
        (a_proof(STOLEN, ath=None), {}, "ath"),
        (a_proof(STOLEN), {"method": "DELETE"}, "htm"),
        (a_proof(STOLEN), {"scheme": "http"}, "htu"),
        (a_proof(STOLEN, htu="https://other.example/orders"), {}, "htu"),
        (a_proof(STOLEN, htu="https://api.example.thief.example/orders"), {}, "htu"),
        (a_proof(STOLEN, htu="https://api.example@thief.example/orders"), {}, "htu"),
        (a_proof(STOLEN, htu="https://api.example/other?https://api.example/orders"), {}, "htu"),
        (a_proof(STOLEN, htu="https://api.example/other#/../orders"), {}, "htu"),
        (a_proof(STOLEN, iat=NOON - 3600), {}, "too_old"),
        (a_proof(STOLEN, iat=NOON + 3600), {}, "too_new"),
        (a_proof(STOLEN, jti=None), {}, "jti"),
    ],
)
def test_sec_77_a_stolen_proof_is_of_no_use_elsewhere(proof: str, view: dict[str, Any], cause: str) -> None:
    assert reason(with_proof(proof, **view)) == ("proof_wrong", cause)


def test_sec_79_a_stolen_proof_is_of_no_use_again() -> None:
    assert reason(with_proof(a_proof(STOLEN)), first=False) == ("proof_wrong", "replayed")


GOOD: Field = (b"dpop", a_proof(STOLEN).encode())
THIEFS: Field = (b"dpop", by_thief().encode())


@pytest.mark.parametrize(
    "fields",
    [
        (AUTHORIZATION,),
        (AUTHORIZATION, GOOD, THIEFS),
        (AUTHORIZATION, THIEFS, GOOD),
        (AUTHORIZATION, GOOD, GOOD),
        ((b"authorization", f"Bearer {STOLEN}".encode()), GOOD),
        ((b"authorization", STOLEN.encode()), GOOD),
        ((b"x-authorization", f"DPoP {STOLEN}".encode()), GOOD),
        ((b"cookie", f"token={STOLEN}".encode()), GOOD),
    ],
)
def test_sec_77_sec_78_a_token_stands_in_one_place_beside_one_proof(fields: tuple[Field, ...]) -> None:
    assert reason(shown(*fields))[0] == "credential_missing"


@pytest.mark.parametrize("joined", [GOOD[1] + b", " + THIEFS[1], GOOD[1] + b"," + GOOD[1], b"", b"DPoP " + GOOD[1]])
def test_sec_77_one_field_holds_one_proof(joined: bytes) -> None:
    assert reason(shown(AUTHORIZATION, (b"dpop", joined))) == ("proof_wrong", "malformed")


@pytest.mark.parametrize("first", ["DPoP", "Bearer"])
def test_sec_77_two_tokens_are_never_weighed_against_each_other(first: str) -> None:
    other = (b"authorization", f"{first} {a_token()}".encode())
    for fields in ((other, AUTHORIZATION, GOOD), (AUTHORIZATION, other, GOOD)):
        assert reason(shown(*fields))[0] == "credential_repeated"


@pytest.mark.parametrize("cnf", [None, {}, {"jkt": ""}, {"kid": "x"}, {**BOUND, "x5t#S256": "x"}, {"jwk": PUBLIC}])
def test_sec_78_a_token_that_is_bound_to_something_else_is_refused(cnf: Any) -> None:
    token = a_token(cnf=cnf)
    proof = (b"dpop", a_proof(token).encode())
    assert reason(shown((b"authorization", f"DPoP {token}".encode()), proof))[0] in ("proof_wrong", "proof_missing")
