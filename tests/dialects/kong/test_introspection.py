"""Opaque tokens are introspected and become tokens of ours: scenarios E2 and E15."""

from __future__ import annotations

import time

import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import AS_SECRET, FUTURE, PAST, Neighbours, claims, from_now, token
from tests.dialects.kong.seen import new_token, values, verified


def _introspecting(kong: KongProcess, neighbours: Neighbours, *pairs: str) -> None:
    kong.signer(
        f"config.access_token_introspection_endpoint={neighbours.introspection}",
        f"config.access_token_introspection_authorization={AS_SECRET}",
        *pairs,
    )


def _known(neighbours: Neighbours, **members: object) -> dict[str, object]:
    result = {"active": True, "sub": "alice", "iss": "https://as.example", "exp": int(time.time()) + 300, **members}
    neighbours.opaque["opaque-one"] = {name: value for name, value in result.items() if value is not None}
    return neighbours.opaque["opaque-one"]


def test_e2_an_opaque_token_is_introspected_and_signed_again(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours)
    result = _known(neighbours, scope="a b", client_id="app", team={"x": [1]})
    answer = kong.get(bearer="opaque-one")
    signed = verified(kong, new_token(answer))
    assert signed == {**result, "iss": "kong", "original_iss": "https://as.example"}
    assert neighbours.asked == [
        {"token": "opaque-one", "token_type_hint": "access_token", "authorization": "Basic YWRtaW46YWRtaW4="}
    ]
    assert "opaque-one" not in answer.body


def test_e2_an_answer_is_remembered(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours)
    _known(neighbours)
    for _ in range(3):
        assert kong.get(bearer="opaque-one").status == 200
    assert len(neighbours.asked) == 1


def test_e2_an_answer_is_not_remembered_where_that_is_turned_off(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours, "config.cache_access_token_introspection=false")
    _known(neighbours)
    for _ in range(2):
        assert kong.get(bearer="opaque-one").status == 200
    assert len(neighbours.asked) == 2


def test_e2_an_inactive_token_is_a_401(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours)
    answer = kong.get(bearer="unknown")
    assert (answer.status, answer.value) == (401, {"message": "Unauthorized"})
    assert answer.field("www-authenticate")


def test_e2_an_endpoint_that_is_down_is_asked_twice_and_then_it_is_a_401(
    kong: KongProcess, neighbours: Neighbours
) -> None:
    _introspecting(kong, neighbours)
    neighbours.is_down = True
    assert kong.get(bearer="opaque-one").status == 401
    assert len(neighbours.asked) == 2


def test_an_opaque_token_that_may_not_be_introspected_is_a_401(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours, "config.enable_access_token_introspection=false")
    _known(neighbours)
    assert kong.get(bearer="opaque-one").status == 401
    assert neighbours.asked == []


def test_an_opaque_token_that_cannot_be_introspected_is_a_401(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    assert kong.get(bearer="opaque-one").status == 401


@pytest.mark.parametrize(
    ("pairs", "members", "status"),
    [
        ((), {"exp": PAST}, 401),
        (("config.verify_access_token_introspection_expiry=false",), {"exp": PAST}, 200),
        (("config.access_token_introspection_leeway=100",), {"exp": -20}, 200),
        ((), {"nbf": FUTURE}, 200),
        (("config.verify_access_token_introspection_notbefore=true",), {"nbf": FUTURE}, 401),
        (("config.access_token_introspection_issuers_allowed=https://as.example",), {}, 200),
        (("config.access_token_introspection_issuers_allowed=other",), {}, 401),
        (("config.access_token_introspection_subjects_allowed=alice",), {}, 200),
        (("config.access_token_introspection_subjects_allowed=bob",), {}, 401),
        (("config.access_token_introspection_audiences_allowed=a,b",), {"aud": ["b", "c"]}, 200),
        (("config.access_token_introspection_audiences_allowed=a",), {"aud": "b"}, 401),
        (("config.access_token_introspection_required_claims=client_id",), {}, 401),
        (("config.access_token_introspection_required_claims=client_id",), {"client_id": "x"}, 200),
    ],
)
def test_an_answer_is_checked_as_a_token_is(
    kong: KongProcess, neighbours: Neighbours, pairs: tuple[str, ...], members: dict[str, object], status: int
) -> None:
    _introspecting(kong, neighbours, *pairs)
    _known(neighbours, **from_now(members))
    assert kong.get(bearer="opaque-one").status == status


def test_e15_body_arguments_and_the_hint_are_sent(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(
        kong,
        neighbours,
        "config.access_token_introspection_body_args=resource=api",
        "config.access_token_introspection_hint=refresh_token",
    )
    _known(neighbours)
    assert kong.get(bearer="opaque-one").status == 200
    (asked,) = neighbours.asked
    assert (asked["resource"], asked["token_type_hint"]) == ("api", "refresh_token")


def test_e15_no_hint_is_sent_where_there_is_none(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours, "config.access_token_introspection_hint=")
    _known(neighbours)
    assert kong.get(bearer="opaque-one").status == 200
    assert "token_type_hint" not in neighbours.asked[0]


def test_a_jwt_within_the_answer_gives_the_claims(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours, "config.access_token_introspection_jwt_claim=inner")
    inner = claims(sub="inside", exp=int(time.time()) - 60)
    _known(neighbours, inner=token(**inner))
    signed = verified(kong, new_token(kong.get(bearer="opaque-one")))
    assert (signed["sub"], signed["original_iss"]) == ("inside", inner["iss"])


@pytest.mark.parametrize("inner", [None, "no.jwt", 5])
def test_an_answer_without_the_jwt_it_should_hold_is_a_401(
    kong: KongProcess, neighbours: Neighbours, inner: object
) -> None:
    _introspecting(kong, neighbours, "config.access_token_introspection_jwt_claim=inner")
    _known(neighbours, inner=inner)
    assert kong.get(bearer="opaque-one").status == 401


def test_a_jwt_within_the_answer_is_checked_where_it_is_not_trusted(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(
        kong,
        neighbours,
        "config.access_token_introspection_jwt_claim=inner",
        "config.trust_access_token_introspection=false",
    )
    _known(neighbours, inner=token(exp=int(time.time()) - 60))
    assert kong.get(bearer="opaque-one").status == 401


def test_an_endpoint_that_is_slow_is_not_waited_for(kong: KongProcess, neighbours: Neighbours) -> None:
    _introspecting(kong, neighbours, "config.access_token_introspection_timeout=500")
    _known(neighbours)
    neighbours.answers.clear()
    assert kong.get(bearer="opaque-one").status == 401
    neighbours.answers.set()
    assert values(kong.get(bearer="opaque-one"), "authorization")
