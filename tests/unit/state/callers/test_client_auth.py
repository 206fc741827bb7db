from __future__ import annotations

import functools
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.sources import ClientAssertion, ClientAuth, IntrospectionSource, KeyText
from jwtgate.state.callers.client_auth import ASSERTION_TYPE, ClientProof, Proof

ISS, ENDPOINT, NOON = "https://idp.example", "https://idp.example/introspect", 1_800_000_000
SECRET = "a secret of thirty-two characters"
MAC = Key.secret(SECRET.encode(), alg="HS256")
SOURCE = IntrospectionSource("main", ISS, endpoint=ENDPOINT, client_id="gate way", client_secret="${env:S}")


@functools.cache
def made(alg: str) -> Key:
    return generate_key(alg, kid="k1")


def key(alg: str = "ES256") -> Key:
    return made(alg)


def resolve(text: str) -> str:
    return {"${env:S}": SECRET, "${file:client.pem}": key().to_private_pem()}.get(text, text)


def proof(**changes: Any) -> Proof:
    return ClientProof(replace(SOURCE, **changes), resolve).make(ENDPOINT, NOON)


def problem(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        proof(**changes)
    (sentence,) = caught.value.problems
    return sentence


def assertion(given: Proof, verifier: Key, alg: str) -> VerifiedToken:
    kind, text = given.form
    assert kind == ("client_assertion_type", ASSERTION_TYPE)
    assert text[0] == "client_assertion"
    assert given.fields == ()
    return UnverifiedToken.parse(text[1]).verify((verifier,), {alg})


def private_key(alg: str = "ES256", **changes: Any) -> KeyText:
    return KeyText(text=key(alg).to_private_pem(), **changes)


@pytest.mark.parametrize(
    ("client_id", "secret", "pair"),
    [
        ("gateway", "s", "gateway:s"),
        ("gate way", "a:b%c+d", "gate+way:a%3Ab%25c%2Bd"),
        ("https://x", "ü", "https%3A%2F%2Fx:%C3%BC"),
    ],
)
def test_basic_escapes_both_parts_before_they_are_joined(client_id: str, secret: str, pair: str) -> None:
    given = proof(client_id=client_id, client_secret=secret)
    ((name, value),) = given.fields
    assert (name, given.form) == ("Authorization", ())
    assert value.startswith("Basic ")
    assert b64decode(value.removeprefix("Basic ")).decode() == pair


def test_post_puts_both_into_the_form() -> None:
    assert proof(auth=ClientAuth.POST) == Proof(form=(("client_id", "gate way"), ("client_secret", SECRET)))


def test_none_tells_the_client_id_and_nothing_else() -> None:
    assert proof(auth=ClientAuth.NONE) == Proof(form=(("client_id", "gate way"),))
    assert proof(auth=ClientAuth.NONE, client_id=None) == Proof()


def test_a_literal_authorization_is_sent_as_it_is() -> None:
    given = proof(auth=ClientAuth.AUTHORIZATION, authorization="${env:S}", client_id=None)
    assert given == Proof(fields=(("Authorization", SECRET),))


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\0", "ü", "a\x7f"])
def test_a_literal_authorization_cannot_smuggle(value: str) -> None:
    sentence = problem(auth=ClientAuth.AUTHORIZATION, authorization=value)
    assert "no field may have" in sentence
    assert value not in sentence


@pytest.mark.parametrize("auth", [ClientAuth.PRIVATE_KEY_JWT, ClientAuth.SECRET_JWT])
def test_an_assertion_says_what_rfc_7523_asks_for(auth: ClientAuth) -> None:
    given = proof(auth=auth, client_key=private_key())
    alg, verifier = ("ES256", key()) if auth is ClientAuth.PRIVATE_KEY_JWT else ("HS256", MAC)
    claims = assertion(given, verifier, alg).claims
    assert {name: claims[name] for name in ("iss", "sub", "aud", "iat", "exp")} == {
        "iss": "gate way",
        "sub": "gate way",
        "aud": ISS,
        "iat": NOON,
        "exp": NOON + 60,
    }


def test_each_assertion_has_an_id_of_its_own() -> None:
    maker = ClientProof(replace(SOURCE, auth=ClientAuth.SECRET_JWT), resolve)
    verifier = MAC
    ids = [assertion(maker.make(ENDPOINT, NOON), verifier, "HS256").claims["jti"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(isinstance(each, str) and len(each) >= 20 for each in ids)


def test_an_assertion_is_for_the_endpoint_where_no_issuer_is_known() -> None:
    given = proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=private_key(), iss=None)
    assert assertion(given, key(), "ES256").claims["aud"] == ENDPOINT


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "Ed25519"])
def test_a_private_key_signs_with_the_usual_algorithm_of_its_kind(alg: str) -> None:
    given = proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=private_key(alg))
    assert assertion(given, key(alg), alg).alg == alg


def test_the_document_may_name_the_algorithm_and_the_kid() -> None:
    text = private_key("RS256", kid="mine")
    given = proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=text, client_assertion_alg="PS256")
    verifier = Key.from_pem(key("RS256").to_pem())
    token = assertion(given, verifier, "PS256")
    assert (token.alg, token.kid) == ("PS256", "mine")


def test_a_private_key_may_be_a_file_or_a_jwk() -> None:
    assert assertion(proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=KeyText(file="client.pem")), key(), "ES256")
    jwk = KeyText(text=json_bytes(key().to_private_jwk()).decode())
    assert assertion(proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=jwk), key(), "ES256").kid == "k1"
    named = replace(jwk, kid="mine")
    assert assertion(proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=named), key(), "ES256").kid == "mine"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_id": None}, "needs client_id"),
        ({"client_id": ""}, "needs client_id"),
        ({"client_secret": None}, "needs client_secret"),
        ({"auth": ClientAuth.AUTHORIZATION}, "needs authorization"),
        ({"auth": ClientAuth.PRIVATE_KEY_JWT}, "needs client_key"),
        ({"auth": ClientAuth.SECRET_JWT, "client_assertion_alg": "RS256"}, "does not sign with a secret"),
        ({"auth": ClientAuth.SECRET_JWT, "client_secret": "short"}, "too short"),
    ],
)
def test_what_is_missing_or_cannot_be_used_is_told(changes: dict[str, Any], told: str) -> None:
    sentence = problem(**changes)
    assert sentence.startswith("issuer 'main', introspection: ")
    assert told in sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rubbish", "cannot be read"),
        ('{"rubbish', "cannot be read"),
        (key().to_pem(), "not a private key"),
        (json_bytes({"keys": [key(alg).to_private_jwk() for alg in ("ES256", "ES384")]}).decode(), "as one key"),
        (
            json_bytes({"kty": "oct", "alg": "HS256", "k": base64url_encode(SECRET.encode())}).decode(),
            "not a private key",
        ),
    ],
)
def test_a_key_that_is_none_of_ours_is_refused_and_not_quoted(text: str, told: str) -> None:
    sentence = problem(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=KeyText(text=text))
    assert told in sentence
    assert "rubbish" not in sentence


def test_a_key_that_cannot_sign_with_the_algorithm_is_refused() -> None:
    sentence = problem(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=private_key(), client_assertion_alg="RS256")
    assert "RS256" in sentence


def test_sec_35_a_proof_shows_nothing() -> None:
    assert SECRET not in repr(proof(auth=ClientAuth.POST))
    assert "Basic" not in repr(proof())


def test_the_document_may_say_more_in_an_assertion() -> None:
    said = ClientAssertion(
        600, {"aud": "them", "tenant": 7}, {"kid": "k9", "typ": "x+jwt"}, jti_prefix="client_assertion-"
    )
    given = proof(auth=ClientAuth.PRIVATE_KEY_JWT, client_key=private_key(kid="mine"), client_assertion=said)
    token = assertion(given, key(), "ES256")
    assert (token.kid, token.typ) == ("k9", "x+jwt")
    wanted = {"aud": "them", "tenant": 7, "iss": "gate way", "iat": NOON, "exp": NOON + 600}
    assert wanted.items() <= token.claims.items()
    jti = str(token.claims["jti"])
    assert jti.startswith("client_assertion-")
    assert len(jti) >= 37


def test_an_assertion_may_leave_out_whom_it_is_for() -> None:
    bare = ClientAssertion(aud_left_out=True)
    given = proof(auth=ClientAuth.SECRET_JWT, client_assertion=bare)
    assert assertion(given, MAC, "HS256").claims.keys() == {"iss", "sub", "iat", "exp", "jti"}
    for_them = replace(bare, claims={"aud": "them"})
    named = proof(auth=ClientAuth.SECRET_JWT, client_assertion=for_them)
    assert assertion(named, MAC, "HS256").claims["aud"] == "them"


def test_a_weak_secret_makes_an_assertion_where_that_is_allowed() -> None:
    assert "client_secret" in problem(auth=ClientAuth.SECRET_JWT, client_secret="secret")
    assert proof(auth=ClientAuth.SECRET_JWT, client_secret="secret", client_assertion=ClientAssertion(weak_secret=True))
