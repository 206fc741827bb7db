from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwtgate.errors import KeyRefused
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_material import public_material
from jwtgate.jose.key_strength import check_ed, check_material, check_rsa, check_secret

P = 2**255 - 19
P448 = 2**448 - 2**224 - 1
Y8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
GOOD = generate_key("RS256")
N: int = GOOD.material.verifier.public_numbers().n


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(KeyRefused) as caught:
        call()
    return caught.value.reason


def test_sec_23_a_sound_rsa_key_is_held() -> None:
    check_rsa(N, 65537)
    check_rsa(N, 3)
    check_material(GOOD.material)


@pytest.mark.parametrize("e", [1, 2, 65536, 2**32 + 1, -3])
def test_sec_23_an_rsa_exponent_is_odd_and_in_range(e: int) -> None:
    assert reason_of(lambda: check_rsa(N, e)) == "key_too_weak"


@pytest.mark.parametrize("n", [(1 << 2046) + 1, (1 << 8192) + 1, N + 1])
def test_sec_23_an_rsa_modulus_is_odd_and_of_2048_to_8192_bits(n: int) -> None:
    assert reason_of(lambda: check_rsa(n, 65537)) == "key_too_weak"


def test_sec_23_the_roca_fingerprint_is_refused() -> None:
    primes = [p for p in range(3, 168) if all(p % q for q in range(2, math.isqrt(p) + 1))]
    product = math.prod(primes)
    marked = pow(65537, 12345, product) + product * (1 << (2047 - product.bit_length() + 1))
    marked += product * (1 - marked % 2)
    assert marked.bit_length() >= 2048
    assert reason_of(lambda: check_rsa(marked, 65537)) == "key_too_weak"
    check_rsa(marked + 2, 65537)


def test_sec_23_a_small_key_object_is_refused_too() -> None:
    small = rsa.generate_private_key(65537, 1024).public_key()
    assert reason_of(lambda: check_material(public_material(small))) == "key_too_weak"


def test_the_point_of_order_eight_is_what_it_is_said_to_be() -> None:
    # Doubling the point twice must give (x, 0), a point of order 4; on edwards25519 that means y(2Q) = 0.
    y = int.from_bytes(bytes.fromhex(Y8), "little")
    d = -121665 * pow(121666, -1, P) % P
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    assert (y * y + x2) % P == 0  # the numerator of y(2Q)


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("y", [0, 1, P - 1, int.from_bytes(bytes.fromhex(Y8), "little")])
def test_sec_27_ed25519_points_of_low_order_are_refused(y: int, sign: int) -> None:
    for low in (y, (P - y) % P):
        x = bytearray(low.to_bytes(32, "little"))
        x[31] |= sign
        assert reason_of(lambda x=x: check_ed("Ed25519", bytes(x))) == "key_too_weak"


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("y", [0, 1, P448 - 1])
def test_sec_27_ed448_points_of_low_order_are_refused(y: int, sign: int) -> None:
    assert reason_of(lambda: check_ed("Ed448", y.to_bytes(56, "little") + bytes([sign]))) == "key_too_weak"


@pytest.mark.parametrize("y", [P, P + 1, 2**255 - 1])
def test_sec_27_an_ed25519_point_that_is_not_canonical_is_refused(y: int) -> None:
    assert reason_of(lambda: check_ed("Ed25519", y.to_bytes(32, "little"))) == "key_malformed"


def test_sec_27_an_ed448_point_that_is_not_canonical_is_refused() -> None:
    assert reason_of(lambda: check_ed("Ed448", P448.to_bytes(56, "little") + b"\0")) == "key_malformed"
    assert reason_of(lambda: check_ed("Ed448", (2).to_bytes(56, "little") + b"\1")) == "key_malformed"


@pytest.mark.parametrize(("crv", "size"), [("Ed25519", 32), ("Ed448", 57)])
def test_sec_27_about_half_of_all_numbers_are_on_no_edwards_curve(crv: str, size: int) -> None:
    reasons = []
    for y in range(2, 40):
        try:
            check_ed(crv, y.to_bytes(size, "little"))
        except KeyRefused as refusal:
            reasons.append(refusal.reason)
    assert 5 < len(reasons) < 33
    assert set(reasons) == {"key_malformed"}


@pytest.mark.parametrize("alg", ["Ed25519", "Ed448"])
def test_sec_27_every_honest_edwards_key_is_held(alg: str) -> None:
    for _ in range(20):
        check_material(generate_key(alg).material)


@pytest.mark.parametrize(
    "secret",
    [b"", b"secret", b"SECRET", b" secret\n", b"your-256-bit-secret", b"a" * 64, b"\0" * 32,
     b"a-string-secret-at-least-256-bits-long"],
)  # fmt: skip
def test_sec_22_empty_and_well_known_secrets_are_refused(secret: bytes) -> None:
    assert reason_of(lambda: check_secret(secret)) == "key_too_weak"


def test_sec_22_a_secret_nobody_knows_is_held() -> None:
    check_secret(b"kX2.8vq!-not-in-any-list-0f7c1e9")
    check_secret(bytes(range(1, 65)))
    check_secret(base64.b64encode(bytes(range(60, 124))))


EC = generate_key("ES256")
PEM = EC.to_pem()
EC_DER = EC.material.verifier.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
RSA_PEM = GOOD.to_pem()
JWK = json.dumps(GOOD.to_jwk())
PUBLIC = GOOD.material.verifier
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SSH = PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
KEY_TEXTS = {
    "pem": RSA_PEM.encode(),
    "pem of a curve": PEM.encode(),
    "pem without its end": PEM.strip().encode(),
    "pem with other line ends": PEM.replace("\n", "\r\n").encode(),
    "pem without blanks": "".join(PEM.split()).encode(),
    "pem on one line": PEM.replace("\n", "\\n").encode(),
    "pem after a comment": b"# our key\n\n" + PEM.encode(),
    "pem in lower case": PEM.lower().encode(),
    "pem in utf-16": PEM.encode("utf-16"),
    "pkcs1 pem": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    "private pem": GOOD.to_private_pem().encode(),
    "body of a pem": "".join(RSA_PEM.split("\n")[1:-2]).encode(),
    "body of a pem with line ends": "\n".join(RSA_PEM.split("\n")[1:-2]).encode(),
    "body of a pem in base64url": base64.urlsafe_b64encode(DER).rstrip(b"="),
    "der": DER,
    "der of a curve nobody uses": EC_DER.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030102")),
    "pkcs1 der": PUBLIC.public_bytes(Encoding.DER, PublicFormat.PKCS1),
    "ssh": SSH,
    "ssh with a comment": SSH + b" me@host",
    "ssh with options": b'from="10.0.0.1" ' + SSH,
    "ssh blob": base64.b64decode(SSH.split()[1]),
    "ssh blob in base64": SSH.split()[1],
    "ssh2": b"---- BEGIN SSH2 PUBLIC KEY ----\n" + SSH.split()[1] + b"\n---- END SSH2 PUBLIC KEY ----",
    "jwk": JWK.encode(),
    "jwk with blanks": json.dumps(GOOD.to_jwk(), indent=4).replace('":', '" \n:').encode(),
    "jwk in base64": base64.b64encode(JWK.encode()),
    "jwks": json.dumps({"keys": [GOOD.to_jwk()]}).encode(),
    "empty jwks after a comment": b'/* keys */ { "keys" : [ ] }  // none',
}


@pytest.mark.parametrize("name", KEY_TEXTS)
def test_sec_21_the_text_of_a_public_key_is_no_secret(name: str) -> None:
    assert reason_of(lambda: check_secret(KEY_TEXTS[name])) == "key_is_public"
