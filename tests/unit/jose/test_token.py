from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.encoding import base64url_decode, base64url_encode
from jwtgate.jose.key import generate_key
from jwtgate.jose.signature import sign_compact
from jwtgate.jose.token import UnverifiedToken, VerifiedToken, sign_token, type_matches

KEY, OTHER = generate_key("ES256", kid="k"), generate_key("ES256")
ES = frozenset({"ES256"})
CLAIMS = {"iss": "https://idp.example", "sub": "é", "exp": 1.5, "key": "partner", "n": 7, "deep": {"a": [None, True]}}


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises((TokenRefused, KeyRefused)) as caught:
        call()
    return caught.value.reason


def test_what_is_signed_is_verified_and_has_the_same_claims() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256"))
    verified = token.verify([KEY.public()], ES)
    assert verified.claims == CLAIMS
    assert verified.header == {"alg": "ES256", "kid": "k", "typ": "JWT"}
    assert (verified.alg, verified.kid, verified.typ, verified.issuer) == ("ES256", "k", "JWT", CLAIMS["iss"])
    assert verified.key is not None
    assert verified.key.thumbprint() == KEY.thumbprint()


def test_an_unverified_token_shows_what_finds_its_key() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256", typ="at+jwt").encode())
    assert (token.alg, token.kid, token.typ, token.issuer) == ("ES256", "k", "at+jwt", CLAIMS["iss"])
    assert token.header["typ"] == "at+jwt"
    assert token.naming_key(("key",), in_header=False) == "partner"
    assert token.naming_key(("typ",), in_header=True) == "at+jwt"
    assert token.naming_key(("n",), in_header=False) == ""
    for path in (("absent",), ("key", "further"), ("key", 0)):
        assert token.naming_key(path, in_header=False) is None
    assert token.naming_key(("key",), in_header=True) is None


def test_a_token_somebody_vouches_for_has_its_claims_and_no_key() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256")).vouched_for()
    assert (token.claims, token.alg, token.key) == (CLAIMS, "ES256", None)


def test_a_token_whose_signature_is_not_looked_at_has_its_claims_and_no_key() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, OTHER, alg="ES256")).unproven()
    assert (token.claims, token.alg, token.key) == (CLAIMS, "ES256", None)


def test_a_token_its_issuer_described_has_neither_header_nor_key() -> None:
    token = VerifiedToken.described({"sub": "alice"})
    assert (token.claims, dict(token.header), token.alg, token.kid, token.typ, token.key) == (
        {"sub": "alice"}, {}, None, None, None, None,
    )  # fmt: skip


def test_an_issuer_that_is_no_string_is_none() -> None:
    token = UnverifiedToken.parse(sign_token({"iss": ["a"]}, KEY, alg="ES256"))
    assert token.issuer is None
    assert token.verify([KEY], ES).issuer is None


def test_claims_cannot_be_reached_before_verification() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256"))
    assert not hasattr(token, "claims")
    assert {name for name in dir(token) if not name.startswith("_")} == {
        "alg", "header", "issuer", "kid", "naming_key", "parse", "typ", "unproven", "verify",
        "vouched_for",
    }  # fmt: skip


def test_a_verified_token_is_made_by_verification_only() -> None:
    with pytest.raises(TypeError, match="comes from"):
        VerifiedToken()
    with pytest.raises(TypeError, match="comes from"):
        UnverifiedToken()


def test_claims_and_header_cannot_be_changed() -> None:
    verified = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256")).verify([KEY], ES)
    for act in (
        lambda: verified.claims.__setitem__("sub", "root"),
        lambda: setattr(verified, "claims", {}),
        lambda: setattr(verified, "header", {}),
    ):
        with pytest.raises(AttributeError):
            act()


def test_sec_35_neither_token_shows_its_contents() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256"))
    assert repr(token) == "<UnverifiedToken alg=ES256>"
    assert repr(token.verify([KEY], ES)) == "<VerifiedToken alg=ES256>"


def test_verification_refuses_what_it_must() -> None:
    token = UnverifiedToken.parse(sign_token(CLAIMS, KEY, alg="ES256"))
    assert reason_of(lambda: token.verify([OTHER], ES)) == "signature_wrong"
    assert reason_of(lambda: token.verify([KEY], frozenset({"RS256"}))) == "alg_not_allowed"
    assert reason_of(lambda: token.verify([KEY] * 5, ES)) == "key_ambiguous"
    assert reason_of(lambda: token.verify([], ES)) == "key_unknown"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        *(
            (payload, "token_malformed")
            for payload in (b"", b"{", b'{"a":1,"a":1}', b"\xff", b'{"a":NaN}', b"[" * 5_000)
        ),
        *((payload, "claims_unreadable") for payload in (b"[]", b'"a"', b"1", b"null")),
    ],
)
def test_sec_10_claims_are_a_strict_json_object(payload: bytes, reason: str) -> None:
    text = sign_compact(payload, KEY, alg="ES256")
    assert reason_of(lambda: UnverifiedToken.parse(text)) == reason


def test_a_payload_that_is_not_base64url_is_refused() -> None:
    head, _, tail = sign_token({}, KEY, alg="ES256").split(".")
    assert reason_of(lambda: UnverifiedToken.parse(f"{head}.e31.{tail}")) == "token_malformed"


def test_sec_6_the_limit_can_be_set() -> None:
    text = sign_token({}, KEY, alg="ES256")
    assert UnverifiedToken.parse(text, limit_bytes=len(text))
    assert reason_of(lambda: UnverifiedToken.parse(text, limit_bytes=len(text) - 1)) == "token_too_large"


def test_sec_12_a_crit_is_refused_before_any_signature() -> None:
    header = base64url_encode(b'{"alg":"ES256","exp":1,"crit":["exp"]}')
    assert reason_of(lambda: UnverifiedToken.parse(f"{header}.e30.AAAA")) == "crit_unknown"


@pytest.mark.parametrize(
    ("typ", "wanted"),
    [("JWT", ["jwt"]), ("at+jwt", ["AT+JWT"]), ("application/at+jwt", ["at+jwt"]), ("at+JWT", ["application/at+jwt"]),
     ("b", ["a", "b"]), ("text/plain", ["TEXT/plain"])],
)  # fmt: skip
def test_sec_16_types_compare_as_media_types(typ: str, wanted: list[str]) -> None:
    assert type_matches(typ, wanted)


@pytest.mark.parametrize(
    ("typ", "wanted"),
    [(None, ["JWT"]), ("JWT", ["at+jwt"]), ("JWT", []), ("", ["JWT"]), ("text/jwt", ["jwt"]), ("at+jwt ", ["at+jwt"]),
     ("application/application/jwt", ["jwt"]), ("to\u212aen", ["token"]), ("JWT\0", ["JWT"])],
)  # fmt: skip
def test_sec_16_other_types_and_none_are_refused(typ: str | None, wanted: list[str]) -> None:
    assert not type_matches(typ, wanted)


def test_a_header_may_have_more_members_but_not_other_ones() -> None:
    text = sign_token({}, KEY, alg="ES256", typ=None, header={"cty": "x"})
    assert json.loads(base64url_decode(text.split(".")[0])) == {"alg": "ES256", "kid": "k", "cty": "x"}
    text = sign_token({}, KEY, alg="ES256", header={"cty": "x"})
    assert UnverifiedToken.parse(text).typ == "JWT"
    with pytest.raises(ValueError, match="not the caller's"):
        sign_token({}, KEY, alg="ES256", header={"alg": "none"})


def test_a_token_may_have_no_type_and_no_kid() -> None:
    text = sign_token({}, KEY.with_kid(None), alg="ES256", typ=None)
    assert UnverifiedToken.parse(text).header == {"alg": "ES256"}


@pytest.mark.parametrize("header", [None, {"cty": "x"}])
def test_sec_38_none_cannot_be_emitted(header: dict[str, object] | None) -> None:
    for alg in ("none", "None", "HS256", "ES384"):
        assert reason_of(lambda alg=alg: sign_token({}, KEY, alg=alg, header=header)) == "key_unfit"
    assert reason_of(lambda: sign_token({}, KEY.public(), alg="ES256", header=header)) == "key_unfit"


def test_claims_without_a_json_form_are_not_signed() -> None:
    with pytest.raises(ValueError):
        sign_token({"exp": float("nan")}, KEY, alg="ES256")


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_nothing_raises_anything_but_a_refusal(text: str | bytes) -> None:
    with pytest.raises(TokenRefused):
        UnverifiedToken.parse(text)


@given(st.binary(max_size=60))
def test_no_payload_raises_anything_but_a_refusal(payload: bytes) -> None:
    try:
        token = UnverifiedToken.parse(f"eyJhbGciOiJFUzI1NiJ9.{base64url_encode(payload)}.AAAA")
    except TokenRefused:
        return
    assert reason_of(lambda: token.verify([KEY], ES)) == "signature_wrong"
