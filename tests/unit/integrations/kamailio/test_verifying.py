from __future__ import annotations

from typing import Any

import pytest

from jwtgate import sign
from jwtgate.integrations.kamailio.key_texts import KeyText
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.passport import Passport
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.integrations.kamailio.verifying import verify
from jwtgate.jose.key import generate_key

PAIR = generate_key("ES256")
KEY = KeyText(PAIR.to_pem().encode(), "name", jwk_read=True, warn=lambda _: None)
AT_100 = Settings(clock=lambda: 100.9)
X5U = "https://c.example/a.pem"


def token(**claims: Any) -> str:
    return sign(claims, PAIR, alg="ES256", kid=None)


def test_the_claims_of_a_good_token_are_given() -> None:
    assert verify(KEY, "ES256", "a=b", token(a="b", c=1, exp=101), needed=("c", "exp"), settings=AT_100) == {
        "a": "b", "c": 1, "exp": 101,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "asked", "needed", "reason", "status"),
    [
        ({"a": "b"}, "a=b", ("exp",), "claim-missing", 128),
        ({"exp": 100, "a": 1}, "a=b", (), "expired", 260),
        ({"nbf": 101}, ";", (), "not-yet-valid", 8),
        ({"a": "b"}, "a=", (), "claims-malformed", 0),
        ({"a": "b"}, "a=1;a=2", (), "claims-malformed", 0),
        (None, ";", (), "token-missing", 0),
    ],
)
def test_what_does_not_hold_is_told_with_all_its_bits(
    claims: dict[str, Any] | None, asked: str, needed: tuple[str, ...], reason: str, status: int
) -> None:
    with pytest.raises(Failed) as caught:
        verify(KEY, "ES256", asked, None if claims is None else token(**claims), needed=needed, settings=AT_100)
    assert (caught.value.reason, caught.value.status) == (reason, status)


def test_leeway_is_given() -> None:
    lenient = Settings(clock=lambda: 100, leeway_sec=5)
    assert verify(KEY, "ES256", ";", token(exp=96, nbf=105), needed=(), settings=lenient)


def test_the_reference_reads_a_token_its_own_way() -> None:
    compat = Settings(clock=lambda: 100, compat=True)
    assert verify(KEY, "ES256", "a", token(exp="no time") + ".x", needed=(), settings=compat) == {"exp": "no time"}


def passport_token(**header: Any) -> str:
    claims: Any = {"orig": {"tn": "1"}, "dest": {"tn": ["2"]}, "iat": 100}
    return sign(claims, PAIR, alg="ES256", typ="passport", header={"x5u": X5U, **header})


def test_a_passport_is_checked_by_its_profile() -> None:
    asked = Passport("1", "2")
    assert verify(KEY, "ES256", asked, passport_token(), needed=(), settings=AT_100)["iat"] == 100
    whole = f"{passport_token()};info=<{X5U}>;alg=ES256"
    assert verify(KEY, "ES256", asked, whole.encode(), needed=(), settings=AT_100)


@pytest.mark.parametrize(
    ("asked", "presented", "reason", "status"),
    [
        (Passport("3", "2"), passport_token(), "claim-mismatch", 256),
        (Passport("1", "2"), passport_token() + ";info=<https://other/a>", "identity-mismatch", 1),
        (Passport("1", "2"), passport_token() + ";?", "claims-malformed", 0),
        (Passport("1", "2"), passport_token(ppt="div"), "extension-unknown", 1),
        (Passport("", "2"), passport_token(), "claims-malformed", 0),
        (Passport("1", "2"), None, "token-missing", 0),
        (Passport("1", "2"), "abc", "malformed", 0),
    ],
)
def test_a_passport_that_does_not_hold(asked: Passport, presented: str | None, reason: str, status: int) -> None:
    with pytest.raises(Failed) as caught:
        verify(KEY, "ES256", asked, presented, needed=(), settings=AT_100)
    assert (caught.value.reason, caught.value.status) == (reason, status)


def test_a_passport_is_es256() -> None:
    with pytest.raises(Failed):
        verify(KEY, "RS256", Passport("1", "2"), passport_token(), needed=(), settings=AT_100)
