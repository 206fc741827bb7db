from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.cli.toolkit.inspection import inspect, told_times, unverified_parts
from jwtgate.jose.encoding import base64url_encode, json_bytes

from ..conftest import NOON


def _token(header: Any, claims: Any) -> str:
    return f"{base64url_encode(json_bytes(header))}.{base64url_encode(json_bytes(claims))}.c2ln"


def _warnings(header: Any, claims: Any) -> str:
    value: Any = inspect(_token({"alg": "ES256", **header}, {"exp": NOON + 9, "aud": "a", **claims}), NOON).value
    return "; ".join(value["warnings"])


def test_a_token_is_shown_and_marked_as_not_verified(token: Callable[..., str]) -> None:
    answer = inspect(token(), NOON)
    value: Any = answer.value
    assert answer.good
    assert "NOT verified" in answer.text
    assert (value["verified"], value["header"]["alg"], value["claims"]["sub"]) == (False, "ES256", "alice")
    assert value["warnings"] == []


@pytest.mark.parametrize(
    ("header", "claims", "warning"),
    [
        ({"alg": "none"}, {}, "alg is none"),
        ({"alg": "nOnE"}, {}, "alg is none"),
        ({"alg": "FOO"}, {}, "no signature algorithm we know"),
        ({"jku": "https://evil.example"}, {}, "its own key (jku)"),
        ({"crit": ["x"], "x": 1}, {}, "crit"),
        ({}, {"exp": NOON}, "token_expired"),
        ({}, {"exp": (NOON + 9) * 1000}, "time_in_milliseconds"),
        ({}, {"exp": "soon"}, "time_malformed"),
        ({}, {"nbf": NOON + 1}, "token_not_yet_valid"),
    ],
)
def test_what_looks_wrong_is_warned_of(header: dict[str, Any], claims: dict[str, Any], warning: str) -> None:
    assert warning in _warnings(header, claims)


def test_a_token_without_end_and_addressee_is_warned_of() -> None:
    text = inspect(_token({"alg": "ES256"}, {}), NOON).text
    assert "never expires" in text
    assert "meant for nobody" in text


def test_an_encrypted_token_shows_its_header_only() -> None:
    header = base64url_encode(json_bytes({"alg": "RSA-OAEP", "enc": "A256GCM"}))
    answer = inspect(f"{header}.a.b.c.d", NOON)
    value: Any = answer.value
    assert (value["header"]["enc"], value["claims"], value["warnings"]) == ("A256GCM", None, [])
    assert "encrypted" in answer.text


def test_claims_that_are_no_object_are_none() -> None:
    assert unverified_parts(_token({"alg": "ES256"}, [1])) == ({"alg": "ES256"}, None)


@pytest.mark.parametrize("text", ["", "foo", "a.b.c", "a.b", "." * 20_000])
def test_what_is_no_token_is_a_no(text: str) -> None:
    answer = inspect(text, NOON)
    assert not answer.good
    assert "not a token" in answer.text


@pytest.mark.parametrize(
    ("exp", "told"),
    [
        (NOON + 1, "expires 2025-06-15 15:06:41 UTC, in 1 second"),
        (NOON + 7200, "expires 2025-06-15 17:06:40 UTC, in 2 hours"),
        (NOON - 86400, "expired 2025-06-14 15:06:40 UTC, 1 day ago"),
        (NOON - 130.5, "expired 2025-06-15 15:04:29 UTC, 2 minutes ago"),
        (NOON, "expired 2025-06-15 15:06:40 UTC, 0 seconds ago"),
    ],
)
def test_a_time_is_told_as_a_date_and_a_distance(exp: float, told: str) -> None:
    assert told_times({"exp": exp}, NOON) == [f"exp       {told}"]


@pytest.mark.parametrize("value", [True, "1", None, -1, 10**15])
def test_what_is_no_time_is_not_told(value: Any) -> None:
    assert told_times({"exp": value, "iat": value}, NOON) == []
