from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.oauth.proofs import BOUND, CLIENT_KEY, JKT, THIEFS_KEY, a_proof
from tests.unit.policy.plans import NOON, finish, reason, refusal, request

from jwtgate.errors import DependencyFault
from jwtgate.policy.facts import NeedFirstUse, NeedNonces, Steps
from jwtgate.policy.request import STRICT_PATHS, PathRules, RequestView
from jwtgate.policy.requirements import Dpop
from jwtgate.policy.rooms.claims import Claims
from jwtgate.policy.rooms.proof import check_proof

ASKED = Dpop(("ES256",), 10)
AGAIN = replace(ASKED, replayed=True)
HOST = (b"host", b"api.example")
FIRST_USE = NeedFirstUse(JKT, "e1j3V_bKic8", 21)


def presented(*fields: tuple[bytes, bytes], proof: str | None = None, **changes: Any) -> RequestView:
    text = a_proof() if proof is None else proof
    return request(HOST, *fields, (b"dpop", text.encode()), **changes)


def check(view: RequestView, *, asked: Dpop = AGAIN, cnf: Any = BOUND, paths: PathRules = STRICT_PATHS) -> Steps[None]:
    claims: Claims = {} if cnf is None else {"cnf": cnf}
    return check_proof(asked, view, "abc", claims=claims, paths=paths, now=NOON)


def cause(view: RequestView, **how: Any) -> object:
    refused = refusal(lambda: finish(check(view, **how)))
    assert refused.reason == "proof_wrong"
    return refused.detail["cause"]


def test_a_good_proof_says_nothing_and_asks_only_whether_it_is_new() -> None:
    assert finish(check(presented())) is None
    moves = check(presented(), asked=ASKED)
    assert next(moves) == FIRST_USE
    assert finish(moves, [True]) is None


def test_sec_79_a_proof_that_was_used_is_refused() -> None:
    moves = check(presented(), asked=ASKED)
    next(moves)
    refused = refusal(lambda: moves.send(False))
    assert (refused.reason, refused.detail) == ("proof_wrong", {"cause": "replayed"})


def test_whoever_cannot_tell_whether_a_proof_is_new_has_not_decided() -> None:
    moves = check(presented(), asked=ASKED)
    next(moves)
    with pytest.raises(DependencyFault) as caught:
        moves.send(None)
    assert caught.value.reason == "requests_not_counted"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"htm": "POST"}, "htm"),
        ({"htm": "get"}, "htm"),
        ({"htu": "https://api.example/other"}, "htu"),
        ({"htu": "http://api.example/orders"}, "htu"),
        ({"htu": "https://other.example/orders"}, "htu"),
        ({"htu": "https://api.example:8443/orders"}, "htu"),
        ({"htu": "https://api.example/Orders"}, "htu"),
        ({"htu": "https://api.example/orders/"}, "htu"),
        ({"htu": "https://api.example/orders%2f"}, "htu"),
        ({"htu": "https://api.example/x/../../orders"}, "htu"),
        ({"htu": "/orders"}, "htu"),
        ({"htu": "ws://api.example/orders"}, "htu"),
        ({"iat": NOON - 11}, "too_old"),
        ({"iat": NOON + 11}, "too_new"),
        ({"iat": 0}, "too_old"),
        ({"iat": NOON * 1000}, "too_new"),
        ({"ath": "AA"}, "ath"),
        ({"ath": ""}, "ath"),
        ({"key": THIEFS_KEY}, "thumbprint"),
        ({"typ": "JWT"}, "typ"),
    ],
)
def test_sec_77_a_proof_is_for_one_request_one_token_and_one_time(change: dict[str, Any], wanted: str) -> None:
    # Whatever is wrong uses no proof up: the walk asks for nothing.
    assert cause(presented(proof=a_proof(**change)), asked=ASKED) == wanted


@pytest.mark.parametrize("iat", [NOON - 10, NOON + 10, NOON - 9.5])
def test_a_clock_may_be_a_little_off(iat: float) -> None:
    assert finish(check(presented(proof=a_proof(iat=iat)))) is None


@pytest.mark.parametrize(
    "htu",
    [
        "HTTPS://API.EXAMPLE/orders",
        "https://api.example:443/orders",
        "https://api.example/orders?page=2#top",
        "https://api.example/./orders",
        "https://api.example/x/../orders",
        "https://api.example/%6frders",
    ],
)
def test_sec_77_an_address_may_be_written_in_every_way_that_means_the_same(htu: str) -> None:
    assert finish(check(presented(proof=a_proof(htu=htu), query="page=1"))) is None


def test_a_path_is_read_as_that_of_the_request_was() -> None:
    view = presented(proof=a_proof(htu="https://api.example//orders"))
    assert cause(view) == "htu"
    assert finish(check(view, paths=PathRules(merge_repeated_slashes=True))) is None


@pytest.mark.parametrize(
    ("cnf", "wanted"),
    [
        (None, "not_bound"),
        ({}, "not_bound"),
        ("text", "not_bound"),
        ({"x5t#S256": JKT}, "not_bound"),
        ({"jkt": THIEFS_KEY.thumbprint()}, "thumbprint"),
        ({"jkt": [JKT]}, "thumbprint"),
        ({"jkt": None}, "thumbprint"),
        ({"jkt": JKT.lower()}, "thumbprint"),
        ({"jkt": f"{JKT}="}, "thumbprint"),
    ],
)
def test_sec_77_the_key_of_the_proof_is_the_key_of_the_token(cnf: object, wanted: str) -> None:
    assert cause(presented(), cnf=cnf) == wanted


def test_only_a_trusted_proxy_says_where_the_client_sent_its_request() -> None:
    told = ((b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"shop.example"))
    proof = a_proof(htu="https://shop.example/orders")
    assert finish(check(presented(*told, proof=proof, scheme="http", trusted=True))) is None
    assert cause(presented(*told, proof=proof, scheme="http")) == "htu"
    assert cause(presented(*told, *told, proof=proof, scheme="http", trusted=True)) == "htu"


def test_a_request_that_names_no_host_has_no_address() -> None:
    view = request((b"dpop", a_proof().encode()), host="")
    assert cause(view) == "htu"


def test_a_legacy_client_may_name_its_key_another_way() -> None:
    named = {**CLIENT_KEY.public().with_kid(None).to_jwk(), "kty": "ECDSA"}
    view = presented(proof=a_proof(header={"jwk": named}))
    assert cause(view) == "jwk"
    assert finish(check(view, asked=replace(AGAIN, ec_called_ecdsa=True))) is None
    assert reason(lambda: finish(check(view))) == "proof_wrong"


def test_sec_77_where_a_nonce_is_asked_for_only_one_of_ours_will_do() -> None:
    asked = replace(AGAIN, nonce_seconds=60)

    def answered(nonce: Any) -> Steps[None]:
        moves = check(presented(proof=a_proof(nonce=nonce)), asked=asked)
        assert next(moves) == NeedNonces(60)
        return moves

    for good in ("new", "old"):
        assert finish(answered(good), [("new", "old")]) is None
    for wrong in (None, "", "older"):
        refused = refusal(lambda nonce=wrong: answered(nonce).send(("new", "old")))  # type: ignore[misc]
        assert (refused.reason, refused.detail) == ("proof_nonce_needed", {"nonce": "new"})


def test_a_nonce_that_is_no_text_is_none_that_anybody_gave_out() -> None:
    assert cause(presented(proof=a_proof(nonce=7))) == "nonce"
