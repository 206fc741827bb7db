from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import CredentialMissing, RequestRefused, RouteUnknown, ScopeRefused, TokenRefused
from jwtgate.oauth.bearer import after_scheme, challenge, is_bearer, parse_authorization


@pytest.mark.parametrize("value", [b"Bearer a.b.c", b"bearer a.b.c", b"BEARER a.b.c", b"bEaReR    a.b.c"])
def test_sec_19_the_scheme_has_any_case_and_one_blank_or_more_after_it(value: bytes) -> None:
    assert parse_authorization(value) == "a.b.c"


def test_the_scheme_is_known_whatever_comes_behind_it() -> None:
    assert all(map(is_bearer, (b"Bearer a", b"BEARER", b"bearer\t?")))
    assert not any(map(is_bearer, (b"Basic a", b"Bearerx a", b" Bearer a", b"")))


def test_a_token_is_a_b64token() -> None:
    assert parse_authorization(b"Bearer aZ09-._~+/==") == "aZ09-._~+/=="


@pytest.mark.parametrize(
    "value", [b"Basic dXNlcg==", b"DPoP a.b.c", b"Bearerx a", b"Bearer-x a", b"", b" Bearer a", b"Digest a=b, c=d"]
)
def test_another_scheme_is_no_bearer_credential(value: bytes) -> None:
    assert parse_authorization(value) is None


@pytest.mark.parametrize(
    "value",
    [b"Bearer", b"Bearer ", b"Bearer\ta", b"Bearer a b", b"Bearer a ", b"Bearer  a\t", b"Bearer a=b", b'Bearer "a"',
     b"Bearer =", b"Bearer a\r\n", b"Bearer a\n", b"Bearer a\0", b"Bearer \xc3\xa9", b"Bearer:a", b"Bearer a%20"],
)  # fmt: skip
def test_sec_19_a_bearer_without_exactly_one_token_is_malformed(value: bytes) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_authorization(value)
    assert caught.value.reason == "credential_malformed"


@pytest.mark.parametrize(
    "value", [b"Bearer a,Bearer b", b"Bearer a, b", b"Bearer a,", b"Bearer ,", b"Bearer a, Basic b"]
)
def test_sec_18_values_joined_by_a_comma_are_repeated(value: bytes) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_authorization(value)
    assert caught.value.reason == "credential_repeated"


@given(st.binary(max_size=40), st.booleans())
def test_no_bytes_raise_anything_but_a_refusal(value: bytes, bearer: bool) -> None:
    try:
        token = parse_authorization(b"Bearer " + value if bearer else value)
    except RequestRefused:
        return
    assert token is None or token.encode() in value


def test_sec_141_without_a_credential_the_challenge_has_no_error() -> None:
    assert challenge("api", None) == challenge("api", CredentialMissing("credential_missing")) == 'Bearer realm="api"'
    assert challenge("api", RouteUnknown("route_unknown")) == 'Bearer realm="api"'


def test_sec_141_a_bad_token_is_named_so() -> None:
    assert challenge("api", TokenRefused("signature_wrong", kid="hush")) == (
        'Bearer realm="api", error="invalid_token", error_description="The token is not valid."'
    )


def test_sec_142_the_scope_that_would_do_is_named() -> None:
    assert challenge("api", ScopeRefused("scope_insufficient", scope=["read", "write"])) == (
        'Bearer realm="api", error="insufficient_scope", error_description="The token\'s scope is not enough.",'
        ' scope="read write"'
    )
    assert "scope=" not in challenge("api", ScopeRefused("scope_insufficient")).replace("insufficient_scope", "")


def test_a_malformed_request_is_named_so() -> None:
    assert 'error="invalid_request"' in challenge("api", RequestRefused("credential_repeated"))


def test_a_realm_is_quoted() -> None:
    assert challenge('a "b" \\ \r\nX: é', None) == 'Bearer realm="a \\"b\\" \\\\ ??X: ?"'


@pytest.mark.parametrize(
    ("value", "rest"),
    [
        (b"Bearer a.b", b"a.b"),
        (b"bEARER \t a b ", b"a b"),
        (b"Bearer", b""),
        (b"Bearer ", b""),
        (b"Bearers a", None),
        (b"Basic a", None),
        (b"", None),
    ],
)
def test_what_follows_a_scheme_is_told_from_another_scheme(value: bytes, rest: bytes | None) -> None:
    assert after_scheme(value, b"bearer") == rest
