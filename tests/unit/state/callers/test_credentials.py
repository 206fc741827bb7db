from __future__ import annotations

import json
import os
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.sources import CredentialSource, KeysAddress, KeyText
from jwtgate.state.callers.credentials import credential_of

ANN = Consumer("ann", "1")
MACS = ("HS256", "HS384", "HS512")
SECRET = "a secret of forty characters, not weak: " + "x7Qp"
RSA, EC = generate_key("RS256", kid="r"), generate_key("ES256", kid="e")
PKCS_1 = load_pem_public_key(RSA.to_pem().encode())
SHARED = Key.secret(SECRET.encode(), alg="HS256", kid="s")


def of(alg: str, key: KeyText | None, *, private_key: KeyText | None = None) -> Credential:
    if key is not None and alg in MACS and not (key.text or "").startswith("{"):
        key = replace(key, alg=key.alg or alg)
    source = CredentialSource("k1", "c1", "ann", alg, key, private_key, leeway_seconds=7)
    return credential_of(source, ANN, references.__getitem__ if key and key.file else resolve)


def resolve(text: str) -> str:
    return references.get(text, text)


references = {"${env:SECRET}": SECRET, "${file:ann.pem}": EC.to_pem()}


def keys(credential: Credential) -> list[Key]:
    return list(credential.keys)


def test_a_credential_says_whose_it_is_and_what_it_verifies_with() -> None:
    made = of("HS256", KeyText(text=SECRET))
    assert (made.name, made.id, made.consumer, made.leeway_seconds) == ("k1", "c1", ANN, 7)
    assert made.algorithms == {"HS256"}
    assert [key.material.verifier for key in made.keys] == [SECRET.encode()]


def test_an_api_key_verifies_nothing() -> None:
    source = CredentialSource("k1", "c1", "ann", "", labels={"made": "by hand"}, named="api-key 0", is_api_key=True)
    made = credential_of(source, ANN, resolve)
    assert (made.name, made.consumer, made.algorithms, len(made.keys)) == ("k1", ANN, frozenset(), 0)
    assert made.labels == {"made": "by hand"}


def test_keys_at_an_address_are_yet_to_be_fetched() -> None:
    source = CredentialSource("k1", "c1", "ann", "ES256", address=KeysAddress("https://a/k"))
    made = credential_of(source, ANN, resolve)
    assert (made.algorithms, len(made.keys), made.fetched) == ({"ES256"}, 0, True)
    assert not of("HS256", KeyText(text=SECRET)).fetched


def test_a_secret_may_be_kept_elsewhere() -> None:
    assert [key.material.verifier for key in of("HS256", KeyText(text="${env:SECRET}")).keys] == [SECRET.encode()]


def test_a_public_key_may_lie_in_a_file() -> None:
    assert [key.thumbprint() for key in of("ES256", KeyText(file="ann.pem")).keys] == [EC.thumbprint()]


@pytest.mark.parametrize(
    "write",
    [
        b64encode,
        urlsafe_b64encode,
        lambda raw: b64encode(raw).rstrip(b"="),
        lambda raw: urlsafe_b64encode(raw).rstrip(b"="),
    ],
)
def test_a_secret_may_be_written_in_any_base64(write) -> None:
    secret = b"\xfb\xff\xfe" + os.urandom(31)
    made = of("HS256", KeyText(text=write(secret).decode(), base64url=True))
    assert [key.material.verifier for key in made.keys] == [secret]


def test_without_the_flag_the_text_itself_is_the_secret() -> None:
    text = b64encode(os.urandom(32)).decode()
    assert [key.material.verifier for key in of("HS256", KeyText(text=text)).keys] == [text.encode()]


@pytest.mark.parametrize(
    "text",
    [
        RSA.to_pem(),
        RSA.to_private_pem(),
        PKCS_1.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
        json.dumps(RSA.to_jwk()),
        json.dumps(KeySet([RSA, generate_key("RS256")]).to_jwks()),
    ],
    ids=["pem", "private pem", "pkcs 1", "jwk", "jwk set"],
)
def test_sec_20_keys_verify_with_the_one_algorithm_of_their_credential(text: str) -> None:
    made = of("RS256", KeyText(text=text))
    assert RSA.thumbprint() in [key.thumbprint() for key in made.keys]
    assert {key.algorithms for key in made.keys} == {frozenset({"RS256"})}
    assert not any(key.is_private for key in made.keys)


def test_a_secret_may_stand_in_a_jwk_set() -> None:
    made = of("HS256", KeyText(text=json.dumps({"keys": [SHARED.to_private_jwk()]})))
    assert [(key.material.verifier, key.kid) for key in made.keys] == [(SECRET.encode(), "s")]


def test_a_private_key_alone_is_enough_to_verify_with() -> None:
    made = of("ES256", None, private_key=KeyText(text=EC.to_private_pem()))
    assert [key.thumbprint() for key in made.keys] == [EC.thumbprint()]
    assert not any(key.is_private for key in made.keys)


@pytest.mark.parametrize(
    ("alg", "key", "told"),
    [
        ("ES256", KeyText(text=RSA.to_pem()), "does not fit"),
        ("RS256", KeyText(text=json.dumps(replace(RSA.bound_to("RS256"), alg="PS256").to_jwk())), "does not fit"),
        ("RS256", KeyText(text=json.dumps(KeySet([RSA, EC]).to_jwks())), "does not fit"),
        ("RS256", KeyText(text="no key"), "cannot be read"),
        ("RS256", KeyText(text="{}"), "cannot be read"),
        ("RS256", KeyText(text="{"), "not JSON"),
        ("RS256", None, "has no key"),
        ("HS256", KeyText(text="hush"), "too short"),
        ("HS512", KeyText(text=SECRET), "too short"),
        ("HS256", KeyText(text=""), "too short"),
        ("HS256", KeyText(text="", short_secret_allowed_for_legacy_credential=True), "too short"),
        ("HS256", KeyText(text="secret", short_secret_allowed_for_legacy_credential=True), "too short"),
        ("HS256", KeyText(text="*" * 44, base64url=True), "not base64url"),
        ("HS256", KeyText(text=RSA.to_pem()), "Public key material"),
        ("HS256", KeyText(text=json.dumps(RSA.to_jwk()), alg="HS256"), "Public key material"),
        ("HS256", KeyText(text=json.dumps(RSA.to_jwk())), "does not fit"),
        ("HS256", KeyText(file="ann.pem"), "Public key material"),
        ("HS256", KeyText(text=SECRET, alg="HS512"), "too short"),
        ("HS512", KeyText(text=json.dumps(SHARED.to_private_jwk())), "does not fit"),
    ],
)  # fmt: skip
def test_sec_20_21_22_a_key_that_is_not_good_is_refused_by_name(alg: str, key: KeyText | None, told: str) -> None:
    with pytest.raises(ConfigError, match=f"credential 'k1': .*{told}"):
        of(alg, key)


def test_sec_22_a_short_secret_is_taken_where_the_credential_says_so_in_long_words() -> None:
    made = of("HS256", KeyText(text="hush-7Qp", short_secret_allowed_for_legacy_credential=True))
    assert [key.material.verifier for key in made.keys] == [b"hush-7Qp"]
    with pytest.raises(ConfigError):
        of("HS256", KeyText(text="hush-7Qp"))


def test_a_reference_that_leads_nowhere_is_named_and_never_taken_for_the_secret() -> None:
    def lost(text: str) -> str:
        raise ConfigError(f"The reference {text} names an environment variable that is not set.")

    source = CredentialSource("k1", "c1", "ann", "HS256", KeyText(text="${env:LONG_ENOUGH_TO_BE_A_SECRET_ITSELF}"))
    with pytest.raises(ConfigError, match="credential 'k1': The reference"):
        credential_of(source, ANN, lost)


def test_a_mistake_never_quotes_the_secret() -> None:
    with pytest.raises(ConfigError) as refused:
        of("HS256", KeyText(text="hush-7Qp"))
    assert "hush" not in str(refused.value)


def test_a_key_that_was_parsed_lately_is_not_parsed_again() -> None:
    one, other = (of("RS256", KeyText(text=RSA.to_pem())) for _ in range(2))
    assert one.keys is other.keys


def test_a_changed_secret_is_another_key() -> None:
    source = CredentialSource("k1", "c1", "ann", "HS256", KeyText(text="${env:SECRET}", alg="HS256"))
    secrets = iter((SECRET, SECRET + "2"))
    made = [credential_of(source, ANN, lambda _: next(secrets)) for _ in range(2)]
    assert [key.material.verifier for each in made for key in each.keys] == [SECRET.encode(), SECRET.encode() + b"2"]
