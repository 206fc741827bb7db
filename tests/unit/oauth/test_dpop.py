from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.oauth.proofs import BOUND, CLIENT_KEY, JKT, NOON, THIEFS_KEY, URL, a_proof

from jwtgate.errors import CredentialMissing, RequestRefused, ScopeRefused, TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import generate_key
from jwtgate.oauth.dpop import (
    MOST_BYTES,
    MOST_JTI_BYTES,
    Proof,
    access_token_hash,
    challenge,
    parse_authorization,
    read_proof,
    split_target,
)

PUBLIC: dict[str, Any] = CLIENT_KEY.public().with_kid(None).to_jwk()


def read(text: str, *algorithms: str, ecdsa: bool = False) -> Proof:
    return read_proof(text.encode(), algorithms or ("ES256",), ec_called_ecdsa=ecdsa)


def cause(call: Callable[[], object]) -> object:
    with pytest.raises(TokenRefused) as caught:
        call()
    assert caught.value.reason == "proof_wrong"
    return caught.value.detail["cause"]


def test_a_good_proof_says_what_it_was_made_for() -> None:
    ath = access_token_hash("abc")
    assert read(a_proof()) == Proof((JKT,), "e1j3V_bKic8", "GET", URL, NOON, ath)


def test_the_hash_of_a_token_is_that_of_the_rfc() -> None:
    # RFC 9449 section 7.1.
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert access_token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_the_proof_of_the_rfc_is_read() -> None:
    # RFC 9449 section 4.1, figure 2.
    text = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
        "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
        "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRy"
        "ZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
        "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    )
    proof = read(text)
    assert proof.thumbprints == ("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",)
    assert (proof.htu, proof.iat) == ("https://resource.example.org/protectedresource", 1562262618)


@pytest.mark.parametrize("alg", ["ES384", "ES512", "PS256", "RS256", "Ed25519"])
def test_a_proof_may_be_made_with_any_algorithm_that_is_allowed(alg: str) -> None:
    key = generate_key(alg)
    text = a_proof(key=key, alg=alg)
    assert read(text, alg).thumbprints == (key.thumbprint(),)
    assert cause(lambda: read(text)) == "alg"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"typ": None}, "typ"),
        ({"typ": "at+jwt"}, "typ"),
        ({"header": {}}, "jwk"),
        ({"header": {"jwk": "text"}}, "jwk"),
        ({"header": {"jwk": {**PUBLIC, "x": "AA"}}}, "jwk"),
        ({"header": {"jwk": {**PUBLIC, "kty": "ECDSA"}}}, "jwk"),
        ({"header": {"jwk": {"kty": "oct", "k": base64url_encode(b"s" * 32)}}}, "jwk"),
        ({"header": {"jwk": generate_key("ES384").public().to_jwk()}}, "jwk"),
        ({"header": {"jwk": THIEFS_KEY.public().to_jwk()}}, "signature"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "j" * (MOST_JTI_BYTES + 1)}, "jti"),
        ({"htm": None}, "htm"),
        ({"htm": 1}, "htm"),
        ({"htu": None}, "htu"),
        ({"htu": ["https://api.example/orders"]}, "htu"),
        ({"iat": None}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": str(NOON)}, "iat"),
        ({"ath": None}, "ath"),
        ({"ath": False}, "ath"),
    ],
)
def test_sec_77_what_is_no_proof_is_refused(change: dict[str, Any], wanted: str) -> None:
    assert cause(lambda: read(a_proof(**change))) == wanted


@pytest.mark.parametrize("key", [CLIENT_KEY, generate_key("RS256"), generate_key("Ed25519")])
def test_sec_77_a_proof_that_gives_its_private_key_away_is_refused(key: Any) -> None:
    alg = {"EC": "ES256", "RSA": "RS256", "OKP": "Ed25519"}[key.kty]
    header = {"jwk": key.with_kid(None).to_private_jwk()}
    assert cause(lambda: read(a_proof(key=key, alg=alg, header=header), alg)) == "jwk"


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_no_member_of_a_private_key_stands_in_a_proof(member: str) -> None:
    assert cause(lambda: read(a_proof(header={"jwk": {**PUBLIC, member: "AA"}}))) == "jwk"


def unsigned(alg: object) -> str:
    header = json.dumps({"typ": "dpop+jwt", "alg": alg, "jwk": PUBLIC}).encode()
    _, claims, signature = a_proof().split(".")
    return f"{base64url_encode(header)}.{claims}.{signature}"


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "ES256K", "RS1", 1, None])
def test_sec_77_only_an_asymmetric_algorithm_we_name_will_do(alg: object) -> None:
    assert cause(lambda: read(unsigned(alg))) == "alg"


def test_what_is_no_token_is_no_proof() -> None:
    assert cause(lambda: read("")) == "malformed"
    assert cause(lambda: read("a.b.c")) == "malformed"
    assert cause(lambda: read(a_proof() + ", " + a_proof())) == "malformed"
    assert cause(lambda: read(a_proof(padding="x" * MOST_BYTES))) == "too_large"
    assert cause(lambda: read(a_proof()[:-4] + "AAAA")) == "signature"


def test_a_legacy_client_may_call_its_key_ecdsa() -> None:
    named = {**PUBLIC, "kty": "ECDSA"}
    thumbprints = read(a_proof(header={"jwk": named}), ecdsa=True).thumbprints
    assert (thumbprints[0], len(set(thumbprints))) == (JKT, 2)
    assert read(a_proof(), ecdsa=True).thumbprints == (JKT,)
    rsa = generate_key("RS256")
    header = {"jwk": {**rsa.public().with_kid(None).to_jwk(), "kty": "ECDSA"}}
    assert cause(lambda: read(a_proof(key=rsa, alg="RS256", header=header), "RS256", ecdsa=True)) == "jwk"


def test_the_token_stands_behind_the_scheme() -> None:
    assert [parse_authorization(value) for value in (b"DPoP a.b.c", b"dpop  x=")] == ["a.b.c", "x="]
    assert [parse_authorization(value) for value in (b"Bearer a.b.c", b"DPoPx a", b"DPoP-x a", b"")] == [None] * 4


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"DPoP", "credential_malformed"),
        (b"DPoP ", "credential_malformed"),
        (b"DPoP a b", "credential_malformed"),
        (b"DPoP a,DPoP b", "credential_repeated"),
        (b"DPoP a, Bearer b", "credential_repeated"),
        (b"DPoP \xc3\xa4", "credential_malformed"),
    ],
)
def test_a_scheme_with_anything_but_one_token_is_refused(value: bytes, reason: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_authorization(value)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("htu", "target"),
    [
        ("https://api.example/orders", (("https", "api.example", 443), b"/orders")),
        ("HTTPS://API.Example:443/orders?a=1#b", (("https", "api.example", 443), b"/orders")),
        ("http://api.example", (("http", "api.example", 80), b"/")),
        ("http://api.example:/x", (("http", "api.example", 80), b"/x")),
        ("https://[2001:DB8::1]:8443/", (("https", "[2001:db8::1]", 8443), b"/")),
        ("https://api.example?x", (("https", "api.example", 443), b"/")),
        ("ftp://api.example/", None),
        ("https://user@api.example/", None),
        ("https://api.example:65536/", None),
        ("https://api.example:٤/", None),
        ("https://api.example\\@evil/", None),
        ("https:///orders", None),
        ("//api.example/orders", None),
        ("/orders", None),
        (" https://api.example/", None),
        ("https://api.example/\n", None),
        ("https://api.example/ä", None),
        ("", None),
    ],
)
def test_an_address_is_its_origin_and_its_path(htu: str, target: object) -> None:
    assert split_target(htu) == target


def test_a_challenge_names_the_algorithms_and_the_error() -> None:
    assert challenge(("ES256", "RS256"), None) == 'DPoP algs="ES256 RS256"'
    assert challenge(("ES256",), CredentialMissing("credential_missing")) == 'DPoP algs="ES256"'
    wrong = challenge(("ES256",), TokenRefused("proof_wrong", cause="htu"))
    assert wrong.startswith('DPoP algs="ES256", error="invalid_dpop_proof", error_description="')
    assert 'error="invalid_token"' in challenge(("ES256",), TokenRefused("token_expired"))
    assert challenge(("ES256",), ScopeRefused("scope_missing", scope=("a", "b"))).endswith('scope="a b"')
    assert BOUND["jkt"] not in wrong
