from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key

RSA = generate_key("RS256")
EC = generate_key("ES256")
ED = generate_key("Ed25519")
AKP = generate_key("ML-DSA-65")
SECRET = bytes(range(100, 164))
OCT = {"kty": "oct", "k": base64url_encode(SECRET)}


def bare(key: Key) -> dict[str, object]:
    return {name: value for name, value in key.to_jwk().items() if name not in ("alg", "kid")}


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(KeyRefused) as caught:
        call()
    return caught.value.reason


def test_sec_20_a_key_fits_by_type_and_curve() -> None:
    rsa, ec, ed = (Key.from_jwk(bare(key)) for key in (RSA, EC, ED))
    assert rsa.algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert ec.algorithms == {"ES256"}
    assert ed.algorithms == {"Ed25519", "EdDSA"}
    assert ec.fits("ES256")
    assert not ec.fits("ES384")
    assert not ec.fits("none")
    assert not ec.fits("HS256")


def test_sec_20_a_key_that_declares_an_algorithm_fits_that_one_only() -> None:
    assert Key.from_jwk({**bare(RSA), "alg": "PS256"}).algorithms == {"PS256"}
    assert Key.from_jwk({**bare(ED), "alg": "EdDSA"}).algorithms == {"EdDSA"}
    assert Key.from_jwk({**OCT, "alg": "HS384"}).algorithms == {"HS384"}


@pytest.mark.parametrize("alg", ["ES384", "RS256", "HS256", "Ed25519"])
def test_sec_20_a_declared_algorithm_that_cannot_be_is_refused(alg: str) -> None:
    assert reason_of(lambda: Key.from_jwk({**bare(EC), "alg": alg})) == "key_unfit"
    assert reason_of(lambda: Key.from_pem(EC.to_pem(), alg=alg)) == "key_unfit"


@pytest.mark.parametrize(
    "limits", [{"use": "enc"}, {"use": "SIG"}, {"key_ops": ["encrypt"]}, {"key_ops": []}, {"alg": "RSA-OAEP"}]
)
def test_sec_20_a_key_for_another_purpose_fits_nothing(limits: dict[str, object]) -> None:
    assert Key.from_jwk({**bare(RSA), **limits}).algorithms == frozenset()


def test_sec_20_key_ops_divide_signing_from_verifying() -> None:
    jwk = EC.to_private_jwk()
    signer = Key.from_jwk({**jwk, "key_ops": ["sign"]})
    verifier = Key.from_jwk({**jwk, "key_ops": ["verify"]})
    assert (signer.signs("ES256"), signer.verifies("ES256"), signer.fits("ES256")) == (True, False, True)
    assert (verifier.signs("ES256"), verifier.verifies("ES256"), verifier.fits("ES256")) == (False, True, True)
    assert signer.public().verifies("ES256")
    assert signer.public().to_jwk()["key_ops"] == ["verify"]
    assert signer.to_private_jwk()["key_ops"] == ["sign"]


def test_a_public_key_verifies_and_never_signs() -> None:
    assert EC.signs("ES256")
    assert EC.is_private
    assert not EC.public().signs("ES256")
    assert not EC.public().is_private
    assert EC.public().verifies("ES256")


def test_sec_20_binding_leaves_one_algorithm() -> None:
    bound = Key.from_jwk(bare(RSA)).bound_to("RS384")
    assert (bound.alg, bound.algorithms) == ("RS384", {"RS384"})
    assert reason_of(lambda: bound.bound_to("RS256")) == "key_unfit"


@pytest.mark.parametrize(("alg", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_sec_22_a_secret_is_as_long_as_its_hash(alg: str, size: int) -> None:
    assert Key.secret(SECRET[:size], alg=alg).algorithms == {alg}
    jwk = {"kty": "oct", "alg": alg, "k": base64url_encode(SECRET[: size - 1])}
    assert reason_of(lambda: Key.secret(SECRET[: size - 1], alg=alg)) == "key_too_weak"
    assert reason_of(lambda: Key.from_jwk(jwk)) == "key_too_weak"


def test_sec_22_a_secret_without_alg_fits_the_macs_it_is_long_enough_for() -> None:
    fits = {
        size: Key.from_jwk({"kty": "oct", "k": base64url_encode(SECRET[:size])}).algorithms for size in (32, 48, 64)
    }
    assert fits == {32: {"HS256"}, 48: {"HS256", "HS384"}, 64: {"HS256", "HS384", "HS512"}}
    assert reason_of(lambda: Key.from_jwk({"kty": "oct", "k": base64url_encode(SECRET[:31])})) == "key_too_weak"


def test_sec_22_a_legacy_credential_may_be_short_but_not_well_known() -> None:
    key = Key.secret(b"tr0ub4dor", alg="HS256", short_secret_allowed_for_legacy_credential=True)
    assert key.verifies("HS256")
    for secret in (b"", b"secret"):
        assert (
            reason_of(lambda s=secret: Key.secret(s, alg="HS256", short_secret_allowed_for_legacy_credential=True))
            == "key_too_weak"
        )
    assert reason_of(lambda: Key.from_jwk({"kty": "oct", "k": base64url_encode(b"secret")})) == "key_too_weak"


def test_sec_22_a_secret_everybody_knows_is_held_where_that_is_said_in_long_words() -> None:
    def held(secret: bytes) -> Key:
        return Key.secret(
            secret,
            alg="HS256",
            short_secret_allowed_for_legacy_credential=True,
            guessable_secret_allowed_for_legacy_credential=True,
        )

    assert held(b"secret").verifies("HS256")
    assert reason_of(lambda: held(b"")) == "key_too_weak"
    assert reason_of(lambda: held(RSA.to_pem().encode())) == "key_is_public"
    long = {"alg": "HS256", "guessable_secret_allowed_for_legacy_credential": True}
    assert reason_of(lambda: Key.secret(b"secret", **long)) == "key_too_weak"


def test_sec_21_the_text_of_a_public_key_is_refused_as_a_secret() -> None:
    text = RSA.to_pem().encode()
    assert reason_of(lambda: Key.secret(text, alg="HS256")) == "key_is_public"
    assert reason_of(lambda: Key.from_jwk({"kty": "oct", "k": base64url_encode(text)})) == "key_is_public"


@pytest.mark.parametrize("alg", ["RS256", "none", ""])
def test_a_secret_is_for_a_mac(alg: str) -> None:
    assert reason_of(lambda: Key.secret(SECRET, alg=alg)) == "key_unfit"


def test_a_key_is_the_same_from_jwk_pem_and_der() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = EC.material.verifier.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = (Key.from_jwk(EC.to_jwk()), Key.from_pem(EC.to_pem()), Key.from_pem(EC.to_pem().encode()), Key.from_der(der))
    assert {key.thumbprint() for key in keys} == {EC.thumbprint()}
    assert Key.from_pem(EC.to_private_pem(), kid="a", alg="ES256").signs("ES256")
    assert [key.kid for key in keys] == [EC.kid, None, None, None]


def test_an_akp_key_always_has_its_algorithm() -> None:
    key = Key.from_pem(AKP.to_pem())
    assert (key.kty, key.crv, key.alg, key.algorithms) == ("AKP", None, "ML-DSA-65", {"ML-DSA-65"})
    assert set(bare(AKP)) == {"kty", "pub"}
    assert AKP.to_jwk()["alg"] == "ML-DSA-65"


@pytest.mark.parametrize("member", ["kid", "use", "alg"])
@pytest.mark.parametrize("value", [None, 1, ["x"], {}])
def test_members_of_the_wrong_type_are_refused(member: str, value: object) -> None:
    assert reason_of(lambda: Key.from_jwk({**bare(EC), member: value})) == "key_malformed"


@pytest.mark.parametrize("value", ["sign", None, [1], ["sign", "sign"], {}])
def test_key_ops_is_a_list_of_distinct_strings(value: object) -> None:
    assert reason_of(lambda: Key.from_jwk({**bare(EC), "key_ops": value})) == "key_malformed"


def test_sec_15_a_kid_has_at_most_256_bytes() -> None:
    assert EC.with_kid("k" * 256).kid == "k" * 256
    assert EC.with_kid(None).kid is None
    for kid in ("k" * 257, "é" * 129):
        assert reason_of(lambda kid=kid: EC.with_kid(kid)) == "key_malformed"
        assert reason_of(lambda kid=kid: Key.from_jwk({**bare(EC), "kid": kid})) == "key_malformed"


def test_sec_155_the_public_jwk_has_the_members_of_its_type_and_nothing_else() -> None:
    assert set(RSA.to_jwk()) == {"kty", "n", "e", "kid", "alg"}
    assert set(EC.to_jwk()) == {"kty", "crv", "x", "y", "kid", "alg"}
    assert set(ED.to_jwk()) == {"kty", "crv", "x", "kid", "alg"}
    extra = Key.from_jwk({**EC.to_private_jwk(), "x5c": ["AA"], "note": "hush", "use": "sig"})
    assert set(extra.to_jwk()) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_a_secret_has_no_public_half() -> None:
    key = Key.secret(SECRET, alg="HS256")
    assert (key.is_symmetric, key.is_private) == (True, False)
    for call in (key.public, key.to_jwk, key.to_pem):
        assert reason_of(call) == "key_not_public"
    assert reason_of(key.to_private_pem) == "key_unfit"
    assert reason_of(EC.public().to_private_jwk) == "key_unfit"


def test_a_private_jwk_is_read_back_whole() -> None:
    for key in (RSA, EC, ED, AKP, generate_key("HS512")):
        again = Key.from_jwk(key.to_private_jwk())
        assert again.to_private_jwk() == key.to_private_jwk()
        assert again.thumbprint() == key.thumbprint() == key.thumbprint()


def test_sec_35_a_key_shows_only_name_type_size_and_thumbprint() -> None:
    assert repr(EC) == f"<Key kid={EC.kid!r} EC P-256 thumbprint={EC.thumbprint()}>"
    assert repr(RSA.with_kid("a")) == f"<Key kid='a' RSA 2048 thumbprint={RSA.thumbprint()}>"
    secret = Key.secret(SECRET, alg="HS256", kid="b")
    assert repr(secret) == str(secret) == "<Key kid='b' oct 512>"
    for key in (EC, RSA, ED, AKP):
        private = set(map(str, key.to_private_jwk().values())) - set(map(str, key.to_jwk().values()))
        assert private
        assert not any(value in repr(key) for value in private)


def test_sec_35_a_key_is_neither_copied_nor_pickled() -> None:
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied or pickled"):
            act(EC)


def test_a_key_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EC.alg = "none"


def test_a_new_key_is_named_by_its_thumbprint_unless_it_is_given_a_name() -> None:
    key = generate_key("ES384")
    assert key.kid == key.thumbprint()
    assert generate_key("ES384", kid="mine").kid == "mine"
    assert generate_key("HS512").bits == 512
    assert generate_key("HS256").thumbprint() != generate_key("HS256").thumbprint()


def test_sec_23_a_new_rsa_key_has_2048_bits_or_more() -> None:
    assert RSA.bits == 2048
    assert generate_key("PS256", rsa_bits=2304).bits == 2304
    for bits in (1024, 2047, 8193):
        assert reason_of(lambda bits=bits: generate_key("RS256", rsa_bits=bits)) == "key_too_weak"


def test_no_key_is_made_for_an_unknown_algorithm() -> None:
    assert reason_of(lambda: generate_key("none")) == "key_type_unknown"


def test_sec_23_a_weak_key_is_refused_from_pem_and_der() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    weak = rsa.generate_private_key(65537, 1024).public_key()
    pem, der = (weak.public_bytes(form, PublicFormat.SubjectPublicKeyInfo) for form in (Encoding.PEM, Encoding.DER))
    assert reason_of(lambda: Key.from_pem(pem)) == "key_too_weak"
    assert reason_of(lambda: Key.from_der(der)) == "key_too_weak"


@given(
    st.dictionaries(
        st.sampled_from(["kid", "use", "alg", "key_ops", "x5c"]),
        st.none() | st.text(max_size=4) | st.lists(st.text(max_size=4)),
    )
)
def test_no_member_raises_anything_but_a_refusal(members: dict[str, object]) -> None:
    try:
        key = Key.from_jwk({**bare(EC), **members})
    except KeyRefused:
        return
    assert key.algorithms <= {"ES256"}


def test_a_legacy_credential_may_have_a_shorter_modulus_and_none_shorter_still() -> None:
    pem = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert Key.from_pem(pem, least_rsa_bits=1024).bits == 1024
    for least in (1025, 2048):
        with pytest.raises(KeyRefused) as caught:
            Key.from_pem(pem, least_rsa_bits=least)
        assert caught.value.reason == "key_too_weak"
