from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet, Skipped, certified_key, first_of_each_kid, parse_own_keys, parse_remote_keys

RSA, RSA2 = generate_key("RS256"), generate_key("RS256")
EC, EC2 = generate_key("ES256"), generate_key("ES256")
ED = generate_key("Ed25519")
OCT = {"kty": "oct", "kid": "s", "k": base64url_encode(bytes(range(64)))}


def jwk(key: Key, **changes: object) -> dict[str, object]:
    return {n: v for n, v in {**key.to_jwk(), **changes}.items() if v is not None}


def data(*entries: object) -> bytes:
    return json.dumps({"keys": entries}).encode()


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises((KeyRefused, TokenRefused)) as caught:
        call()
    return caught.value.reason


def names(keys: object) -> list[str | None]:
    return [key.kid for key in keys]


def test_a_kid_points_to_its_key_for_its_algorithm_only() -> None:
    keys = KeySet([RSA.public(), EC.public()])
    assert keys.candidates("RS256", RSA.kid) == tuple(keys)[:1]
    assert keys.candidates("ES256", RSA.kid) == ()
    assert keys.candidates("none", RSA.kid) == ()


def test_sec_33_an_unknown_kid_tries_no_other_key() -> None:
    assert KeySet([EC.public()]).candidates("ES256", "unknown", most_tries=4) == ()
    assert KeySet([EC.public().with_kid(None)]).candidates("ES256", "unknown", most_tries=4) == ()


def test_sec_33_without_kid_the_only_key_that_fits_is_meant() -> None:
    keys = KeySet([RSA.public(), EC.public(), EC2.public()])
    assert names(keys.candidates("RS256", None)) == [RSA.kid]
    assert keys.candidates("Ed25519", None) == ()
    assert keys.candidates("none", None) == ()
    assert reason_of(lambda: keys.candidates("ES256", None)) == "key_ambiguous"
    assert names(keys.candidates("ES256", None, most_tries=2)) == [EC.kid, EC2.kid]


def test_sec_33_one_key_under_two_names_is_one_key_to_try() -> None:
    keys = KeySet([EC.public().with_kid("a"), EC.public().with_kid("b")])
    assert len(keys) == 2
    assert len(keys.candidates("ES256", None)) == 1
    assert names(keys.candidates("ES256", "b")) == ["b"]


def test_sec_31_two_keys_under_one_name_are_refused() -> None:
    assert reason_of(lambda: KeySet([EC.with_kid("a"), EC2.with_kid("a")])) == "key_set_contradicts"
    entries = (jwk(EC, kid="a"), jwk(EC2, kid="a", alg=None))
    assert reason_of(lambda: KeySet.parse_remote(data(*entries))) == "key_set_contradicts"
    assert reason_of(lambda: KeySet.parse_local(data(*entries))) == "key_set_contradicts"


def test_sec_31_one_name_for_two_types_or_algorithms_is_told_apart_by_alg() -> None:
    keys, _ = KeySet.parse_remote(
        data(jwk(EC, kid="a"), jwk(ED, kid="a"), jwk(RSA, kid="a"), jwk(RSA2, kid="a", alg="RS512"))
    )
    assert [keys.candidates(alg, "a")[0].thumbprint() for alg in ("ES256", "Ed25519", "RS256", "RS512")] == [
        key.thumbprint() for key in (EC, ED, RSA, RSA2)
    ]


def test_sec_31_identical_keys_collapse() -> None:
    keys, skipped = KeySet.parse_remote(data(jwk(EC), jwk(EC), jwk(EC, alg=None)))
    assert (len(keys), skipped) == (2, ())
    assert len(keys.candidates("ES256", EC.kid)) == len(keys.candidates("ES256", None)) == 1


def test_sec_32_a_bad_entry_never_costs_the_others() -> None:
    entries = [
        None, [], "key", {}, {"kty": 1}, {"kty": "new"}, jwk(EC, crv="P-192"), jwk(EC, x="AA"), jwk(RSA, n="AQAB"),
        jwk(EC, use="enc"), jwk(RSA, alg="RSA-OAEP"), jwk(EC, kid=7), jwk(EC, alg="ES384"), jwk(EC, kid="good"),
    ]  # fmt: skip
    keys, skipped = KeySet.parse_remote(data(*entries))
    assert names(keys) == ["good"]
    assert [entry.index for entry in skipped] == list(range(13))
    assert [entry.reason for entry in skipped] == [
        "key_malformed", "key_malformed", "key_malformed", "key_malformed", "key_malformed", "key_type_unknown",
        "key_type_unknown", "key_malformed", "key_too_weak", "key_unfit", "key_unfit", "key_malformed", "key_unfit",
    ]  # fmt: skip
    assert skipped[6] == Skipped(6, EC.kid, "key_type_unknown")
    assert skipped[11].kid is None


def test_sec_29_private_keys_are_dropped_from_a_remote_set() -> None:
    keys, skipped = KeySet.parse_remote(
        data(jwk(EC), RSA.to_private_jwk(), ED.to_private_jwk(), {"kty": "AKP", "priv": ""})
    )
    assert names(keys) == [EC.kid]
    assert [entry.reason for entry in skipped] == ["key_not_public"] * 3


def test_sec_30_symmetric_keys_are_dropped_from_a_remote_set() -> None:
    keys, skipped = KeySet.parse_remote(data(OCT, jwk(EC)))
    assert names(keys) == [EC.kid]
    assert skipped == (Skipped(0, "s", "key_not_public"),)
    assert reason_of(lambda: KeySet.parse_remote(data(OCT))) == "key_set_empty"


def test_sec_30_a_local_set_with_secrets_and_pairs_is_refused() -> None:
    assert reason_of(lambda: KeySet.parse_local(data(OCT, jwk(EC)))) == "key_set_mixed"
    assert len(KeySet.parse_local({"keys": [OCT]})) == 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[{"a":1,"a":1}]}',
        b"\xff",
    ],
)
def test_sec_8_a_set_that_is_not_a_set_is_refused(text: bytes) -> None:
    assert reason_of(lambda: KeySet.parse_remote(text)) == "key_set_malformed"
    assert reason_of(lambda: KeySet.parse_local(text)) == "key_set_malformed"


def test_sec_32_no_usable_key_is_a_failure() -> None:
    assert reason_of(lambda: KeySet.parse_remote(data())) == "key_set_empty"
    assert reason_of(lambda: KeySet.parse_remote(data({"kty": "new"}))) == "key_set_empty"
    assert reason_of(lambda: KeySet.parse_local(data())) == "key_set_empty"


def test_sec_64_a_set_has_at_most_a_hundred_keys_and_a_mebibyte() -> None:
    many = [jwk(EC, kid=str(i), a=1, b=2, c=3, d1=4, e1=5) for i in range(100)]
    assert len(KeySet.parse_remote(data(*many))[0]) == 100
    assert reason_of(lambda: KeySet.parse_remote(data(*many, jwk(EC)))) == "key_set_malformed"
    assert reason_of(lambda: KeySet.parse_remote(data(jwk(EC)) + b" " * 1_048_576)) == "key_set_malformed"


def test_a_local_set_with_one_bad_entry_is_refused() -> None:
    assert reason_of(lambda: KeySet.parse_local(data(jwk(EC), {"kty": "new"}))) == "key_type_unknown"
    assert reason_of(lambda: KeySet.parse_local({"keys": [jwk(EC), 1]})) == "key_malformed"


def test_sec_20_keys_without_alg_are_bound_to_the_one_that_fits() -> None:
    keys = KeySet.parse_local(data(jwk(RSA, alg=None), jwk(EC, alg=None))).bound(["PS256", "ES256"])
    assert [key.alg for key in keys] == ["PS256", "ES256"]
    assert keys.candidates("RS256", RSA.kid) == ()


@pytest.mark.parametrize("algorithms", [["RS256", "PS256"], ["ES256"], []])
def test_sec_20_an_rsa_key_that_fits_several_or_none_is_refused_locally_and_skipped_remotely(
    algorithms: list[str],
) -> None:
    keys = KeySet.parse_local(data(jwk(RSA, alg=None)))
    assert reason_of(lambda: keys.bound(algorithms)) == "key_unfit"
    assert reason_of(lambda: keys.bound_or_skipped(algorithms)) == "key_set_empty"


def test_sec_20_a_remote_set_keeps_the_keys_that_can_be_bound() -> None:
    keys, _ = KeySet.parse_remote(data(jwk(RSA, alg=None), jwk(EC)))
    kept, skipped = keys.bound_or_skipped(["RS256", "PS256", "ES256"])
    assert names(kept) == [EC.kid]
    assert skipped == (Skipped(0, RSA.kid, "key_unfit"),)


def test_sec_20_a_declared_algorithm_outlives_a_longer_list() -> None:
    keys = KeySet.parse_local(data(jwk(RSA, alg="PS384"))).bound(["RS256", "PS384"])
    assert [key.alg for key in keys] == ["PS384"]


def test_sec_21_a_list_of_macs_and_signatures_binds_nothing() -> None:
    keys = KeySet([EC.public()])
    assert reason_of(lambda: keys.bound(["ES256", "HS256"])) == "key_set_mixed"
    assert reason_of(lambda: keys.bound_or_skipped(["ES256", "HS256"])) == "key_set_mixed"


def test_sec_155_what_is_published_has_no_private_member() -> None:
    published = KeySet([RSA, EC, ED]).to_jwks()
    assert published == {"keys": [RSA.to_jwk(), EC.to_jwk(), ED.to_jwk()]}
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {name for entry in published["keys"] for name in entry}


def test_sec_29_a_secret_is_never_published() -> None:
    assert reason_of(KeySet([generate_key("HS256")]).to_jwks) == "key_not_public"


def test_sec_35_a_set_shows_only_its_size() -> None:
    assert repr(KeySet([EC, RSA])) == "<KeySet of 2>"


ENTRY = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "kid", "k", "n", "e", "d"]), st.text(max_size=5) | st.none()
    ),
    st.just(jwk(EC)),
    st.just(jwk(EC2, kid=EC.kid)),
)


@given(st.lists(ENTRY, max_size=5))
def test_sec_32_no_set_raises_anything_but_a_refusal(entries: list[object]) -> None:
    try:
        keys, skipped = KeySet.parse_remote(data(*entries))
    except KeyRefused:
        return
    assert len(keys) + len(skipped) <= len(entries)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_refusal(text: bytes) -> None:
    assert reason_of(lambda: KeySet.parse_remote(text)) in ("key_set_malformed", "key_set_empty")


def test_keys_of_our_own_may_be_secrets_beside_pairs_or_one_key_alone() -> None:
    pair, secret = generate_key("ES256", kid="p"), generate_key("HS256", kid="s")
    both = parse_own_keys({"keys": [pair.to_private_jwk(), secret.to_private_jwk()], "x": 1})
    assert [(key.kid, key.is_private or key.is_symmetric) for key in both] == [("p", True), ("s", True)]
    (alone,) = parse_own_keys(pair.to_private_jwk())
    assert alone.signs("ES256")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"keys": []}, "key_set_empty"),
        ({"keys": {}}, "key_set_malformed"),
        ({"keys": [1]}, "key_malformed"),
        ({"keys": [{"kty": "oct"}]}, "key_malformed"),
        ({}, "key_malformed"),
    ],
)
def test_a_set_of_our_own_with_one_bad_key_is_refused(value: dict[str, object], reason: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        parse_own_keys(value)
    assert refused.value.reason == reason


def test_by_kid_alone_a_token_without_one_means_the_first_key_without_one() -> None:
    keys = KeySet([RSA.public(), EC2.with_kid("").public(), EC.with_kid(None).public(), EC2.with_kid("k").public()])
    assert keys.named("RS256", RSA.kid) == tuple(keys)[:1]
    assert keys.named("RS256", None) == ()
    assert keys.named("ES256", "other") == ()
    assert [key.thumbprint() for kid in (None, "") for key in keys.named("ES256", kid)] == [EC2.thumbprint()] * 2


def test_a_key_that_names_no_algorithm_may_serve_each_it_fits() -> None:
    algorithms = ("RS256", "RS384", "ES256")
    open_to_all = Key.from_jwk(jwk(RSA, alg=None))
    keys = KeySet([open_to_all, EC.public(), ED.public(), Key.from_jwk(jwk(RSA2, alg="RS384"))])
    serving, skipped = keys.fitting_or_skipped(algorithms)
    assert names(serving) == [RSA.kid, EC.kid, RSA2.kid]
    assert [(each.index, each.reason) for each in skipped] == [(2, "key_unfit")]
    assert [len(serving.candidates(alg, RSA.kid)) for alg in algorithms] == [1, 1, 0]
    assert len(keys.bound_or_skipped(algorithms)[1]) == 2
    assert reason_of(lambda: KeySet([ED.public()]).fitting_or_skipped(algorithms)) == "key_set_empty"
    assert reason_of(lambda: keys.fitting_or_skipped(("RS256", "HS256"))) == "key_set_mixed"


def test_sec_31_of_different_keys_under_one_name_the_first_may_be_meant() -> None:
    first, same, other = (key.with_kid("k").public() for key in (EC, EC, EC2))
    unnamed, rsa = EC2.with_kid(None).public(), RSA.with_kid("k").public()
    kept = first_of_each_kid([first, same, other, unnamed, rsa])
    assert kept == (first, same, unnamed, rsa)
    assert len(KeySet(kept).candidates("ES256", "k")) == 1
    assert reason_of(lambda: KeySet([first, other])) == "key_set_contradicts"


def test_a_later_key_of_a_kid_serves_the_algorithms_that_are_left() -> None:
    first, later = (Key.from_jwk(jwk(key, kid="k", alg=alg)) for key, alg in ((RSA, "RS384"), (RSA2, None)))
    kept = KeySet(first_of_each_kid([first, later]))
    found = {alg: kept.named(alg, "k")[0].thumbprint() for alg in ("RS256", "RS384", "RS512")}
    assert found == {"RS256": RSA2.thumbprint(), "RS384": RSA.thumbprint(), "RS512": RSA2.thumbprint()}
    assert {each.alg for each in kept} >= {"RS256", "RS384", "RS512"}


def test_the_keys_of_a_remote_set_are_told_before_they_contradict_each_other() -> None:
    entries = data(jwk(EC, kid="k"), jwk(EC2, kid="k"), OCT)
    keys, skipped = parse_remote_keys(entries)
    assert ([key.kid for key in keys], [each.reason for each in skipped]) == (["k", "k"], ["key_not_public"])
    assert reason_of(lambda: KeySet.parse_remote(entries)) == "key_set_contradicts"
    assert reason_of(lambda: parse_remote_keys(data(OCT))) == "key_set_empty"


def test_a_set_is_blank_when_nothing_was_in_it_at_all() -> None:
    assert KeySet(()).is_blank
    assert not KeySet((), left_out=1).is_blank
    assert not KeySet([generate_key("ES256").public()]).is_blank


def test_the_key_of_a_certificate_may_be_the_one_that_is_meant() -> None:
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    begins = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), 1, begins, begins + datetime.timedelta(days=1))
    der = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
    both = {**jwk(RSA), "x5c": [base64.b64encode(der).decode()]}
    parse = Key.from_der(der)
    assert [certified_key(each).thumbprint() for each in (both, jwk(RSA))] == [parse.thumbprint(), RSA.thumbprint()]
    assert parse_remote_keys(data(both))[0][0].thumbprint() == RSA.thumbprint()
    assert parse_remote_keys(data(both), certified_key)[0][0].thumbprint() == parse.thumbprint()
    assert certified_key({**jwk(RSA), "x5c": []}).thumbprint() == RSA.thumbprint()
    assert reason_of(lambda: certified_key({**jwk(RSA), "x5c": ["AAAA"]})) == "key_malformed"
