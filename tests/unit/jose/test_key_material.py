from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519

from jwtgate.errors import KeyRefused
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_material import private_material, public_material, secret_material


@pytest.mark.parametrize(
    ("alg", "kty", "crv", "own", "bits"),
    [
        ("RS256", "RSA", None, None, 2048),
        ("ES512", "EC", "P-521", None, 521),
        ("ES256K", "EC", "secp256k1", None, 256),
        ("Ed25519", "OKP", "Ed25519", None, 256),
        ("Ed448", "OKP", "Ed448", None, 448),
        ("ML-DSA-44", "AKP", None, "ML-DSA-44", 1312 * 8),
    ],
)
def test_each_kind_of_key_object_has_its_names(alg: str, kty: str, crv: str | None, own: str | None, bits: int) -> None:
    signer = generate_key(alg).material.signer
    material = private_material(signer)
    assert (material.kty, material.crv, material.alg, material.bits) == (kty, crv, own, bits)
    assert material.signer is signer
    assert public_material(material.verifier).signer is None


def test_a_secret_both_signs_and_verifies() -> None:
    material = secret_material(b"x" * 40)
    assert (material.kty, material.bits, material.signer, material.verifier) == ("oct", 320, b"x" * 40, b"x" * 40)


@pytest.mark.parametrize(
    "key",
    [
        dsa.generate_private_key(1024),
        ec.generate_private_key(ec.SECP224R1()),
        ec.generate_private_key(ec.BrainpoolP256R1()),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["DSA", "P-224", "Brainpool", "X25519"],
)
def test_other_kinds_and_curves_are_refused(key: object) -> None:
    for make, half in ((private_material, key), (public_material, key.public_key())):
        with pytest.raises(KeyRefused) as caught:
            make(half)
        assert caught.value.reason == "key_type_unknown"


def test_sec_35_material_shows_nothing() -> None:
    assert "hush" not in repr(secret_material(b"hush" * 10))


WITHOUT_MLDSA = """
import sys
import cryptography.x509  # which needs it in a version that has it
from cryptography.hazmat.primitives import asymmetric
del asymmetric.mldsa
sys.modules["cryptography.hazmat.primitives.asymmetric.mldsa"] = None
from jwtgate import KeyRefused, generate_key, import_key
for make in (lambda: generate_key("ML-DSA-44"), lambda: import_key({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"})):
    try:
        make()
    except KeyRefused as refusal:
        print(refusal.reason)
print(generate_key("Ed25519").kty, generate_key("RS256").kty)
"""


def test_a_library_older_than_ml_dsa_serves_every_other_key() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_MLDSA], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["key_type_unknown", "key_type_unknown", "OKP", "RSA"]
