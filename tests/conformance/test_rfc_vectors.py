"""The published examples of RFC 7515, 7517, 7519, 7638, 7797 and 8037, to the last character."""

from __future__ import annotations

import json

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.signature import sign_bytes, sign_compact, verify_compact, verify_detached
from jwtgate.jose.token import UnverifiedToken

CLAIMS = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
CLAIMS_SEGMENT = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

A1_KEY = {
    "kty": "oct",
    "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
}
A1_TOKEN = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS_SEGMENT}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

A2_KEY = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
    "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo"
    "7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91"
    "kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
}
A2_TOKEN = (
    f"eyJhbGciOiJSUzI1NiJ9.{CLAIMS_SEGMENT}."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
    "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
    "cN_IoypGlUPQGe77Rw"
)

A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
A3_TOKEN = (
    f"eyJhbGciOiJFUzI1NiJ9.{CLAIMS_SEGMENT}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

A4_KEY = {
    "kty": "EC",
    "crv": "P-521",
    "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
    "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    "d": "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C",
}
A4_TOKEN = (
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2Y"
    "BJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
)

OKP_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
OKP_TOKEN = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)

RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
    "nqDKgw"
)


@pytest.mark.parametrize(
    ("jwk", "token", "alg"),
    [(A1_KEY, A1_TOKEN, "HS256"), (A2_KEY, A2_TOKEN, "RS256"), (A3_KEY, A3_TOKEN, "ES256")],
    ids=["A.1", "A.2", "A.3"],
)
def test_rfc_7515_appendix_a_tokens_verify(jwk: dict[str, str], token: str, alg: str) -> None:
    verified = UnverifiedToken.parse(token).verify([Key.from_jwk(jwk)], frozenset({alg}))
    assert verified.claims == CLAIMS
    with pytest.raises(TokenRefused):
        UnverifiedToken.parse(token[:-6] + "AAAAAA"[: len(token[-6:])]).verify([Key.from_jwk(jwk)], frozenset({alg}))


def test_rfc_7515_a_4_payload_is_no_json() -> None:
    payload, header = verify_compact(A4_TOKEN, [Key.from_jwk(A4_KEY)], {"ES512"})
    assert (payload, dict(header)) == (b"Payload", {"alg": "ES512"})


def test_rfc_7515_a_5_an_unsecured_token_is_refused() -> None:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(f"eyJhbGciOiJub25lIn0.{CLAIMS_SEGMENT}.")
    assert caught.value.reason == "token_malformed"


def test_rfc_7515_appendix_c_encoding() -> None:
    assert base64url_decode("A-z_4ME") == bytes([3, 236, 255, 224, 193])


def test_rfc_7515_appendix_e_an_unknown_critical_header_is_refused() -> None:
    with pytest.raises(TokenRefused) as caught:
        verify_compact(
            "eyJhbGciOiJFUzI1NiIsDQogImNyaXQiOlsiaHR0cDovL2V4YW1wbGUuY29tL1VOREVGSU5FRCJdLA0KICJodHRwOi8vZXhhbXBsZS5jb20v"
            "VU5ERUZJTkVEIjp0cnVlDQp9.RkFJTA.AAAA",
            [Key.from_jwk(A3_KEY)],
            {"ES256"},
        )
    assert caught.value.reason == "crit_unknown"


def test_rfc_7515_appendix_f_detached_content() -> None:
    head, body, tail = A3_TOKEN.split(".")
    header = verify_detached(
        f"{head}..{tail}", base64url_decode(body), keys=[Key.from_jwk(A3_KEY)], algorithms={"ES256"}
    )
    assert header == {"alg": "ES256"}


def test_rfc_7517_appendix_a_public_keys() -> None:
    ec = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "use": "enc",
        "kid": "1",
    }
    rsa = {"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    keys, skipped = KeySet.parse_remote(json.dumps({"keys": [ec, rsa]}).encode())
    assert [key.kid for key in keys] == ["2011-04-29"]
    assert [(entry.kid, entry.reason) for entry in skipped] == [("1", "key_unfit")]
    assert Key.from_jwk(ec).to_jwk() == ec


def test_rfc_7517_appendix_a_symmetric_key() -> None:
    key = Key.from_jwk({**A1_KEY, "kid": "HMAC key used in JWS spec Appendix A.1 example"})
    assert (key.bits, key.is_symmetric) == (512, True)


def test_rfc_7519_3_1_example_is_what_we_sign() -> None:
    head, body, tail = A1_TOKEN.split(".")
    signature = sign_bytes("HS256", Key.from_jwk(A1_KEY), f"{head}.{body}".encode())
    assert signature == base64url_decode(tail)


def test_rfc_7638_3_1_thumbprint() -> None:
    key = Key.from_jwk({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
    assert key.thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_rfc_7797_section_4_unencoded_payload() -> None:
    token = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"
    header = verify_detached(token, b"$.02", keys=[Key.from_jwk(A1_KEY)], algorithms={"HS256"})
    assert header["b64"] is False


def test_rfc_8037_appendix_a_signature_and_thumbprint() -> None:
    key = Key.from_jwk(OKP_KEY)
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert sign_compact(b"Example of Ed25519 signing", key, alg="EdDSA") == OKP_TOKEN
    assert verify_compact(OKP_TOKEN, [key.public()], {"EdDSA"})[0] == b"Example of Ed25519 signing"
