from __future__ import annotations

import functools

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.jose.algorithms import ALGORITHMS, DEFAULT_ALGORITHMS, is_mac, mixes_families
from jwtgate.jose.key import Key, generate_key

DATA = b"header.payload"
ECDSA = {"ES256": 32, "ES384": 48, "ES512": 66, "ES256K": 32}
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}


@functools.cache
def key_for(alg: str) -> Key:
    if alg[:2] in ("RS", "PS"):
        return _rsa()
    return generate_key(alg)


@functools.cache
def _rsa() -> Key:
    return Key.from_jwk({n: v for n, v in generate_key("RS256").to_private_jwk().items() if n != "alg"})


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_algorithm_verifies_what_it_signed_and_nothing_else(alg: str) -> None:
    algorithm, key = ALGORITHMS[alg], key_for(alg)
    signature = algorithm.sign(key, DATA)
    assert algorithm.verify(key, DATA, signature)
    assert not algorithm.verify(key, DATA + b"x", signature)
    assert not algorithm.verify(key, DATA, b"")
    assert not algorithm.verify(key, DATA, signature + b"\0")
    assert not algorithm.verify(key, DATA, signature[:-1])
    assert not algorithm.verify(key, DATA, bytes([signature[0] ^ 1]) + signature[1:])


@pytest.mark.parametrize("alg", ECDSA)
def test_sec_25_an_ecdsa_signature_is_r_and_s_of_full_length(alg: str) -> None:
    algorithm, key, size = ALGORITHMS[alg], key_for(alg), ECDSA[alg]
    signature = algorithm.sign(key, DATA)
    assert len(signature) == 2 * size
    r, s = signature[:size], signature[size:]
    for wrong in (encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big")), b"\0" + r + b"\0" + s, r):
        assert not algorithm.verify(key, DATA, wrong)


@pytest.mark.parametrize("alg", ECDSA)
def test_sec_25_zero_is_never_half_of_a_signature(alg: str) -> None:
    algorithm, key, size = ALGORITHMS[alg], key_for(alg), ECDSA[alg]
    good, zero = algorithm.sign(key, DATA), bytes(size)
    for wrong in (zero + zero, good[:size] + zero, zero + good[size:], b"\xff" * (2 * size)):
        assert not algorithm.verify(key, DATA, wrong)


@pytest.mark.parametrize("alg", ORDERS)
def test_sec_25_r_and_s_are_below_the_order_of_the_curve(alg: str) -> None:
    algorithm, key, order = ALGORITHMS[alg], key_for(alg), ORDERS[alg]
    good = algorithm.sign(key, DATA)
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
    # n - s verifies with plain ECDSA, s + n would if it were reduced first.
    assert algorithm.verify(key, DATA, good[:32] + (order - s).to_bytes(32, "big"))
    for wrong in ((order, s), (r, order), (0, s), (r, 0)):
        assert not algorithm.verify(key, DATA, b"".join(half.to_bytes(32, "big") for half in wrong))
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)


class Library:
    """In place of a key and of what it holds: notes what it is asked to verify, and signs with what it is given."""

    def __init__(self, signature: bytes = b"") -> None:
        self.material = self.signer = self.verifier = self
        self.seen = signature

    def sign(self, data: bytes, scheme: object) -> bytes:
        return self.seen

    def verify(self, signature: bytes, data: bytes, scheme: object) -> None:
        self.seen = signature


@pytest.mark.parametrize("alg", ECDSA)
@given(data=st.data())
def test_sec_25_both_forms_of_a_signature_stand_for_the_same_two_numbers(alg: str, data: st.DataObject) -> None:
    algorithm, size, library = ALGORITHMS[alg], ECDSA[alg], Library()
    # No order is above 2 ** 521.
    numbers = st.integers(0, 2 ** min(8 * size, 521) - 1) | st.integers(0, 300)
    r, s = data.draw(numbers), data.draw(numbers)
    signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert algorithm.verify(library, DATA, signature)  # type: ignore[arg-type]
    assert library.seen == encode_dss_signature(r, s)
    assert algorithm.sign(Library(encode_dss_signature(r, s)), DATA) == signature  # type: ignore[arg-type]


def test_sec_25_a_short_half_is_padded_to_full_length_when_signing() -> None:
    algorithm, key = ALGORITHMS["ES256"], key_for("ES256")
    signatures = [algorithm.sign(key, bytes([i % 256, i // 256])) for i in range(1_500)]
    assert all(len(signature) == 64 for signature in signatures)
    assert any(signature[0] == 0 for signature in signatures)


@pytest.mark.parametrize(("alg", "digest"), [("PS256", hashes.SHA256()), ("PS512", hashes.SHA512())])
def test_sec_26_the_salt_is_as_long_as_the_hash(alg: str, digest: hashes.HashAlgorithm) -> None:
    key = key_for(alg)

    def sign(salt: int, mgf: hashes.HashAlgorithm) -> bytes:
        return key.material.signer.sign(DATA, padding.PSS(padding.MGF1(mgf), salt), digest)

    size = digest.digest_size
    assert ALGORITHMS[alg].verify(key, DATA, sign(size, digest))
    assert not ALGORITHMS[alg].verify(key, DATA, sign(size - 1, digest))
    assert not ALGORITHMS[alg].verify(key, DATA, sign(0, digest))
    assert not ALGORITHMS[alg].verify(key, DATA, sign(size, hashes.SHA1()))


def test_sec_26_pkcs1_and_pss_do_not_verify_each_other() -> None:
    key = key_for("RS256")
    assert not ALGORITHMS["PS256"].verify(key, DATA, ALGORITHMS["RS256"].sign(key, DATA))
    assert not ALGORITHMS["RS256"].verify(key, DATA, ALGORITHMS["PS256"].sign(key, DATA))


def test_sec_26_a_forged_pkcs1_block_with_rubbish_after_the_hash_is_refused() -> None:
    key = key_for("RS256")
    numbers = key.material.signer.private_numbers()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(DATA)
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest.finalize()
    n, d = numbers.public_numbers.n, numbers.d

    def raw(block: bytes) -> bytes:
        return pow(int.from_bytes(block, "big"), d, n).to_bytes(256, "big")

    exact = b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info
    trailing = b"\0\1" + b"\xff" * 8 + b"\0" + info + b"\0" * (256 - 11 - len(info))
    without_null = info[:1] + b"\x2f" + info[2:3] + b"\x0b" + info[4:15] + info[17:]
    lenient = b"\0\1" + b"\xff" * (256 - 3 - len(without_null)) + b"\0" + without_null
    assert ALGORITHMS["RS256"].verify(key, DATA, raw(exact))
    assert not ALGORITHMS["RS256"].verify(key, DATA, raw(trailing))
    assert not ALGORITHMS["RS256"].verify(key, DATA, raw(lenient))


@pytest.mark.parametrize(
    ("alg", "order", "size"),
    [
        ("Ed25519", 2**252 + 27742317777372353535851937790883648493, 32),
        ("Ed448", 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885, 57),
    ],
)
def test_sec_27_a_scalar_that_is_not_canonical_is_refused(alg: str, order: int, size: int) -> None:
    key = key_for(alg)
    signature = ALGORITHMS[alg].sign(key, DATA)
    s = int.from_bytes(signature[size:], "little") + order
    assert ALGORITHMS[alg].verify(key, DATA, signature)
    assert not ALGORITHMS[alg].verify(key, DATA, signature[:size] + s.to_bytes(size, "little"))


@pytest.mark.parametrize("alg", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_sec_28_the_context_string_is_empty(alg: str) -> None:
    key = key_for(alg)
    signer = key.material.signer
    assert ALGORITHMS[alg].verify(key, DATA, signer.sign(DATA, b""))
    assert not ALGORITHMS[alg].verify(key, DATA, signer.sign(DATA, b"x"))


def test_sec_24_es521_is_not_an_algorithm() -> None:
    assert "ES521" not in ALGORITHMS


def test_sec_11_none_is_not_an_algorithm() -> None:
    assert not {"none", "None", "NONE", ""} & set(ALGORITHMS)


def test_sec_27_the_default_list_has_no_eddsa_no_es256k_and_no_mac() -> None:
    assert set(ALGORITHMS) >= DEFAULT_ALGORITHMS
    assert not {"EdDSA", "ES256K", "HS256", "HS384", "HS512"} & DEFAULT_ALGORITHMS
    assert not mixes_families(DEFAULT_ALGORITHMS)


def test_sec_21_a_list_of_macs_and_signatures_is_told_from_others() -> None:
    assert mixes_families(["HS256", "RS256"])
    assert not mixes_families(["HS256", "HS512"])
    assert not mixes_families([])
    assert is_mac("HS384")
    assert not is_mac("RS256")
    assert not is_mac("none")
