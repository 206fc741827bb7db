from __future__ import annotations

from dataclasses import replace

import pytest

from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation, Revocations, RevokedBy, token_hash

NOW = 1_800_000_000
CLAIMS: dict[str, JSON] = {"jti": "t1", "sub": "alice", "client_id": "app", "sid": "s1", "iat": NOW - 100}
TEXT = "a.b.c"


def found(*entries: Revocation, issuer: str = "main", now: int = NOW, **changes: JSON) -> Revocation | None:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return Revocations(entries).find(issuer, text=TEXT, claims=claims, consumer="acme", now=now)


def entry(by: RevokedBy, value: str, **changes: object) -> Revocation:
    return replace(Revocation("r", by, value), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("by", "value"),
    [
        (RevokedBy.JTI, "t1"),
        (RevokedBy.TOKEN, token_hash(TEXT)),
        (RevokedBy.SUBJECT, "alice"),
        (RevokedBy.CLIENT, "app"),
        (RevokedBy.SESSION, "s1"),
        (RevokedBy.CONSUMER, "acme"),
    ],
)
def test_sec_75_a_token_is_found_by_each_thing_about_it_and_by_nothing_like_it(by: RevokedBy, value: str) -> None:
    assert found(entry(by, value)) == entry(by, value)
    for other in (value + "x", value[:-1], value.upper(), ""):
        assert found(entry(by, other)) is None


def test_sec_75_a_subject_is_one_issuers_where_the_entry_says_so() -> None:
    one = entry(RevokedBy.SUBJECT, "alice", issuer="main")
    assert found(one) == one
    assert found(one, issuer="other") is None
    assert found(entry(RevokedBy.SUBJECT, "alice"), issuer="other") is not None


def test_sec_75_issued_before_spares_later_tokens_but_none_that_hides_its_age() -> None:
    one = entry(RevokedBy.EVERYTHING, "", issuer="main", issued_before=NOW)
    assert found(one) == one
    assert found(one, iat=NOW) is None
    assert found(one, iat=NOW - 0.5) == one
    assert found(one, iat=None) == one
    assert found(one, issuer="other") is None


def test_an_entry_ends_and_another_takes_its_place() -> None:
    ended = entry(RevokedBy.JTI, "t1", expires_at=NOW)
    assert found(ended) is None
    assert found(ended, now=NOW - 1) == ended
    other = entry(RevokedBy.JTI, "t1", id="r2")
    assert found(ended, other) == other


def test_a_client_is_azp_where_there_is_no_client_id() -> None:
    one = entry(RevokedBy.CLIENT, "other")
    assert found(one, azp="other") is None
    assert found(one, azp="other", client_id=None) == one


def test_claims_of_another_type_match_nothing() -> None:
    assert found(entry(RevokedBy.JTI, "7"), jti=7) is None


def test_an_empty_table_is_false() -> None:
    assert not Revocations()
    assert Revocations([entry(RevokedBy.JTI, "x")])
