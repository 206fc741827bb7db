from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused
from jwtgate.jose.encoding import base64_encode, base64url_decode, base64url_encode
from jwtgate.jose.jwk import parse_material, private_members, public_members
from jwtgate.jose.key import generate_key

ALGS = ("RS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-87", "HS256")
PRIVATE = {alg: private_members(generate_key(alg).material) for alg in ALGS}
OTHER = {alg: private_members(generate_key(alg).material) for alg in ALGS}
SECRET_NAMES = {"d", "p", "q", "dp", "dq", "qi", "k", "priv"}


def public(alg: str) -> dict[str, str]:
    return {name: value for name, value in PRIVATE[alg].items() if name not in SECRET_NAMES}


def reason_of(jwk: object) -> str:
    with pytest.raises(KeyRefused) as caught:
        parse_material(jwk)
    return caught.value.reason


def longer(text: str) -> str:
    return base64url_encode(b"\0" + base64url_decode(text))


@pytest.mark.parametrize("alg", ALGS)
def test_what_is_written_is_read_back(alg: str) -> None:
    material = parse_material(PRIVATE[alg])
    assert private_members(material) == PRIVATE[alg]
    if alg != "HS256":
        assert public_members(material) == public_members(parse_material(public(alg))) == public(alg)


@pytest.mark.parametrize("alg", ALGS)
def test_each_member_is_needed_and_a_string(alg: str) -> None:
    for name in public(alg):
        for jwk in (
            {n: v for n, v in public(alg).items() if n != name},
            {**public(alg), name: None},
            {**public(alg), name: [public(alg)[name]]},
            {**public(alg), name: 1},
        ):
            assert reason_of(jwk) == "key_malformed"


@pytest.mark.parametrize("alg", [alg for alg in ALGS if alg != "HS256"])
def test_sec_29_halves_of_two_keys_are_refused(alg: str) -> None:
    theirs = {name: value for name, value in OTHER[alg].items() if name in SECRET_NAMES}
    assert reason_of({**public(alg), **theirs}) == "key_halves_differ"


@pytest.mark.parametrize("member", ["d", "p", "dp", "qi"])
def test_sec_29_one_wrong_number_in_an_rsa_key_is_refused(member: str) -> None:
    assert reason_of({**PRIVATE["RS256"], member: OTHER["RS256"][member]}) == "key_halves_differ"


def test_the_same_rsa_key_is_checked_once_and_another_anew() -> None:
    first, again, other = (parse_material(dict(key["RS256"])) for key in (PRIVATE, PRIVATE, OTHER))
    assert first.signer is again.signer
    assert (private_members(again), private_members(other)) == (PRIVATE["RS256"], OTHER["RS256"])


def test_an_rsa_private_key_has_all_its_numbers_and_two_primes() -> None:
    without = {name: value for name, value in PRIVATE["RS256"].items() if name != "qi"}
    assert reason_of(without) == "key_malformed"
    assert reason_of({**PRIVATE["RS256"], "oth": []}) == "key_malformed"
    assert reason_of({**public("RS256"), "p": PRIVATE["RS256"]["p"]}) == "key_malformed"


@pytest.mark.parametrize("member", ["n", "e"])
def test_a_number_is_written_without_leading_zeros(member: str) -> None:
    for value in (longer(public("RS256")[member]), "", "AA"):
        assert reason_of({**public("RS256"), member: value}) == "key_malformed"


def test_a_huge_number_is_refused_before_it_is_computed_with() -> None:
    assert reason_of({**public("RS256"), "n": base64url_encode(b"\xff" * 1_025)}) == "key_malformed"


@pytest.mark.parametrize("e", ["AQ", "Ag", "AQAAAAE"])
def test_sec_23_a_bad_exponent_is_refused(e: str) -> None:
    assert reason_of({**public("RS256"), "e": e}) == "key_too_weak"


def test_sec_23_a_short_modulus_is_refused() -> None:
    assert reason_of({**public("RS256"), "n": base64url_encode(b"\xff" * 128)}) == "key_too_weak"


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
@pytest.mark.parametrize("member", ["x", "y", "d"])
def test_sec_24_coordinates_have_the_exact_length(alg: str, member: str) -> None:
    value = PRIVATE[alg][member]
    short = base64url_encode(base64url_decode(value)[1:])
    for wrong in (longer(value), short, ""):
        assert reason_of({**PRIVATE[alg], member: wrong}) == "key_malformed"


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
def test_sec_24_a_point_is_on_its_curve_and_not_infinity(alg: str) -> None:
    size = len(base64url_decode(public(alg)["x"]))
    zero, ones = base64url_encode(bytes(size)), base64url_encode(b"\xff" * size)
    assert reason_of({**public(alg), "x": zero, "y": zero}) == "key_malformed"
    assert reason_of({**public(alg), "y": public(alg)["x"]}) == "key_malformed"
    assert reason_of({**public(alg), "x": ones}) == "key_malformed"


@pytest.mark.parametrize("d", [bytes(32), b"\xff" * 32])
def test_sec_24_a_private_number_is_between_zero_and_the_order(d: bytes) -> None:
    assert reason_of({**PRIVATE["ES256"], "d": base64url_encode(d)}) == "key_malformed"


@pytest.mark.parametrize("alg", ["Ed25519", "Ed448"])
def test_sec_27_edwards_keys_have_the_exact_length(alg: str) -> None:
    for member in ("x", "d"):
        assert reason_of({**PRIVATE[alg], member: longer(PRIVATE[alg][member])}) == "key_malformed"


def test_sec_27_a_public_key_of_low_order_is_refused_at_load() -> None:
    assert reason_of({"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(bytes(32))}) == "key_too_weak"


def test_sec_28_an_akp_key_names_its_algorithm_and_has_the_exact_length() -> None:
    jwk = public("ML-DSA-44")
    assert reason_of({name: value for name, value in jwk.items() if name != "alg"}) == "key_malformed"
    assert reason_of({**jwk, "alg": "ML-DSA-65"}) == "key_malformed"
    assert reason_of({**jwk, "alg": "ES256"}) == "key_type_unknown"
    assert reason_of({**jwk, "pub": longer(jwk["pub"])}) == "key_malformed"
    assert reason_of({**PRIVATE["ML-DSA-44"], "priv": longer(PRIVATE["ML-DSA-44"]["priv"])}) == "key_malformed"
    assert len(base64url_decode(PRIVATE["ML-DSA-44"]["priv"])) == 32


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oCt", "k": "AA"},
        {"kty": "DSA"},
        {**public("ES256"), "crv": "P-192"},
        {**public("ES256"), "crv": "p-256"},
        {**public("Ed25519"), "crv": "X25519"},
    ],
)
def test_unknown_types_and_curves_are_refused(jwk: dict[str, str]) -> None:
    assert reason_of(jwk) == "key_type_unknown"


def test_sec_5_members_are_strict_base64url() -> None:
    assert reason_of({**public("ES256"), "x": public("ES256")["x"] + "="}) == "key_malformed"


def test_sec_155_a_secret_has_no_public_members_and_a_public_key_no_private_ones() -> None:
    for write, jwk, reason in (
        (public_members, PRIVATE["HS256"], "key_not_public"),
        (private_members, public("ES256"), "key_unfit"),
    ):
        with pytest.raises(KeyRefused) as caught:
            write(parse_material(jwk))
        assert caught.value.reason == reason


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "alg", "pub", "priv", "p"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.text(max_size=2), max_size=2),
                  st.sampled_from(["RSA", "EC", "OKP", "AKP", "P-256", "Ed25519", "ML-DSA-44", "AQAB"])),
    )
)  # fmt: skip
def test_no_members_raise_anything_but_a_refusal(jwk: dict[str, object]) -> None:
    try:
        assert parse_material(jwk).kty == jwk["kty"]
    except KeyRefused:
        return


def certified(alg: str) -> str:
    """The certificate of the key of this algorithm, as standard base64."""
    key, name = generate_key_material(alg), x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(key.verifier)
    builder = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2021, 1, 1))  # noqa: DTZ001
    return base64_encode(builder.sign(key.signer, hashes.SHA256()).public_bytes(Encoding.DER))


def generate_key_material(alg: str) -> Any:
    return parse_material(PRIVATE[alg])


@pytest.mark.parametrize(("alg", "kty"), [("RS256", "RSA"), ("ES256", "EC"), ("ES384", "EC")])
def test_a_key_that_stands_in_a_certificate_alone_is_read_from_it(alg: str, kty: str) -> None:
    held = {"kty": kty, "x5c": [certified(alg), "ignored"]}
    assert public_members(parse_material(held)) == public(alg)
    if kty == "EC":
        assert public_members(parse_material({**held, "crv": public(alg)["crv"]})) == public(alg)


def test_members_count_before_a_certificate() -> None:
    other = {name: OTHER["ES256"][name] for name in ("crv", "x", "y")}
    held = {"kty": "EC", "x5c": [certified("ES256")], **other}
    assert public_members(parse_material(held))["x"] == other["x"]


@pytest.mark.parametrize(
    "held",
    [
        {"kty": "RSA", "x5c": []},
        {"kty": "RSA", "x5c": "a"},
        {"kty": "RSA", "x5c": [7]},
        {"kty": "RSA", "x5c": ["!"]},
        {"kty": "RSA", "x5c": ["AAAA"]},
        {"kty": "RSA", "x5c": [certified("ES256")]},
        {"kty": "EC", "crv": "P-384", "x5c": [certified("ES256")]},
        {"kty": "RSA", "x5c": [certified("RS256")], "d": "AQAB"},
        {"kty": "OKP", "crv": "Ed25519", "x5c": [certified("ES256")]},
    ],
)
def test_sec_32_a_certificate_that_holds_no_such_key_is_malformed(held: dict[str, object]) -> None:
    assert reason_of(held) == "key_malformed"
