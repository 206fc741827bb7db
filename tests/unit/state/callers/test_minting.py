from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import generate_key
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import credential_keys
from jwtgate.policy.provisions import MintedForm
from jwtgate.policy.sources import CredentialSource, KeyText
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.callers.minting import mint_with_credential

NOW = 1_800_000_000
SECRET = "a secret of more than thirty-two bytes"
PAIR, OTHER = generate_key("ES256"), generate_key("ES256")
MAC = CredentialSource("jack-key", "id", "jack", "HS256", KeyText(text="${env:SECRET}", alg="HS256"), ttl_seconds=600)
SIGNED = CredentialSource(
    "jane-key",
    "id",
    "jane",
    "ES256",
    key=KeyText(text=PAIR.to_pem()),
    private_key=KeyText(text=PAIR.to_private_pem()),
    key_claim="iss",
)


def resolve(text: str) -> str:
    if text == "${env:GONE}":
        raise ConfigError("it leads nowhere")
    return SECRET if text == "${env:SECRET}" else text


def mint(
    source: CredentialSource,
    claims: Mapping[str, JSON] | None = None,
    *,
    ttl_seconds: int | None = None,
    form: MintedForm = MintedForm.FULL,
) -> str:
    return mint_with_credential(
        source, claims or {}, form=form, ttl_seconds=ttl_seconds, resolve=resolve, now=NOW, random_id=lambda: "r1"
    )


def read(text: str, key: OctKey | ECKey) -> jwt.Token:
    return jwt.decode(text, key, algorithms=["HS256", "ES256"])


def test_a_token_of_a_secret_is_the_consumers_own() -> None:
    token = read(mint(MAC, {"role": "admin"}), OctKey.import_key(SECRET))
    assert token.header == {"alg": "HS256", "kid": "jack-key", "typ": "JWT"}
    assert token.claims == {"role": "admin", "key": "jack-key", "exp": NOW + 600, "iat": NOW, "jti": "r1"}


@pytest.mark.parametrize("form", [MintedForm.BARE, MintedForm.BARE_WITH_PUBLIC_KEY])
def test_a_bare_token_of_a_secret_has_what_was_asked_for_its_name_and_its_end(form: MintedForm) -> None:
    asked: dict[str, JSON] = {"iat": 5, "nbf": 6, "exp": 7, "key": "another", "iss": "jack"}
    token = read(mint(MAC, asked, form=form), OctKey.import_key(SECRET))
    assert token.header == {"alg": "HS256", "typ": "JWT"}
    assert token.claims == {"iat": 5, "nbf": 6, "exp": NOW + 600, "key": "jack-key", "iss": "jack"}


def test_a_bare_token_of_a_key_pair_shows_its_public_key_where_that_is_wanted() -> None:
    named = replace(SIGNED, private_key=KeyText(text=json.dumps(PAIR.with_kid("k9").to_private_jwk())))
    pem = f"\n{PAIR.to_pem()}\n"
    for source, shown in (
        (named, PAIR.to_pem()),
        (replace(named, key=KeyText(text=pem)), pem),
        (replace(named, key=KeyText(text=json.dumps(PAIR.to_jwk()))), PAIR.to_pem()),
        (replace(named, key=None), PAIR.to_pem()),
    ):
        token = read(mint(source, form=MintedForm.BARE_WITH_PUBLIC_KEY), ECKey.import_key(PAIR.to_jwk()))
        assert token.header == {"alg": "ES256", "typ": "JWT", "x5c": [shown]}
        assert token.claims == {"iss": "jane-key", "exp": NOW + 86400}
    bare = read(mint(named, form=MintedForm.BARE), ECKey.import_key(PAIR.to_jwk()))
    assert bare.header == {"alg": "ES256", "typ": "JWT"}


def test_a_token_of_a_key_pair_is_signed_with_its_private_half() -> None:
    token = read(mint(SIGNED), ECKey.import_key(PAIR.to_jwk()))
    assert token.header == {"alg": "ES256", "kid": "jane-key", "typ": "JWT"}
    assert token.claims == {"iss": "jane-key", "exp": NOW + 86400, "iat": NOW, "jti": "r1"}


def test_a_life_that_is_asked_for_stands_over_that_of_the_credential() -> None:
    assert read(mint(MAC, ttl_seconds=60), OctKey.import_key(SECRET)).claims["exp"] == NOW + 60


def test_sec_147_what_is_ours_is_not_the_callers_to_choose() -> None:
    asked: dict[str, JSON] = {"exp": 9_999_999_999, "iat": 1, "jti": "x", "nbf": 1, "key": "someone-else", "a": 1}
    claims = read(mint(MAC, asked), OctKey.import_key(SECRET)).claims
    assert claims == {"a": 1, "key": "jack-key", "exp": NOW + 600, "iat": NOW, "jti": "r1"}
    assert read(mint(SIGNED, {"iss": "someone-else"}), ECKey.import_key(PAIR.to_jwk())).claims["iss"] == "jane-key"


def test_a_credential_named_by_exp_does_not_make_a_token_for_ever() -> None:
    strange = replace(MAC, key_claim="exp")
    assert read(mint(strange), OctKey.import_key(SECRET)).claims["exp"] == NOW + 600


def test_the_key_for_its_algorithm_is_found_in_a_set() -> None:
    jwks = {"keys": [generate_key("RS256").to_private_jwk(), PAIR.public().to_jwk(), OTHER.to_private_jwk()]}
    token = mint(replace(SIGNED, private_key=KeyText(text=json.dumps(jwks))))
    assert read(token, ECKey.import_key(OTHER.to_jwk())).header["kid"] == OTHER.kid


def test_the_secret_of_a_set_signs_and_not_the_text_of_the_set() -> None:
    secret = generate_key("HS256")
    for jwk in (secret.to_private_jwk(), {"keys": [secret.to_private_jwk()]}):
        token = mint(replace(MAC, key=KeyText(text=json.dumps(jwk))))
        assert read(token, OctKey.import_key(secret.to_private_jwk())).header["kid"] == secret.kid


def test_a_key_with_a_name_keeps_it_so_that_the_token_is_verified_here() -> None:
    named, other = generate_key("ES256", kid="2024"), generate_key("ES256", kid="2023")
    jwks = json.dumps({"keys": [named.to_private_jwk(), other.to_private_jwk()]})
    source = replace(SIGNED, key=None, private_key=KeyText(text=jwks))
    token = UnverifiedToken.parse(mint(source), limit_bytes=4096)
    assert token.kid == "2024"
    held = credential_of(source, Consumer("jane", "id"), resolve)
    assert token.verify(credential_keys(held, token.alg, token.kid), held.algorithms).claims["iss"] == "jane-key"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_written_in_any_base64_signs(encode: Callable[[bytes], bytes]) -> None:
    secret = b"\xfb\xff" * 20
    token = mint(replace(MAC, key=KeyText(text=encode(secret).decode(), alg="HS256", base64url=True)))
    assert read(token, OctKey.import_key(secret)).header["kid"] == "jack-key"


@pytest.mark.parametrize(
    "source",
    [
        replace(SIGNED, private_key=None),
        replace(SIGNED, private_key=KeyText(text=PAIR.to_pem())),
        replace(SIGNED, private_key=KeyText(text="rubbish")),
        replace(SIGNED, private_key=KeyText(text="${env:GONE}")),
        replace(SIGNED, alg="RS256"),
        replace(MAC, key=None),
        replace(MAC, private_key=KeyText(text=PAIR.to_private_pem()), alg="none"),
        replace(MAC, name="k" * 300),
    ],
)
def test_a_credential_with_nothing_to_sign_with_is_a_fault(source: CredentialSource) -> None:
    with pytest.raises(DependencyFault) as caught:
        mint(source)
    assert caught.value.reason == "signer_unavailable"
    assert SECRET not in str(caught.value)


def test_claims_without_a_json_form_are_a_fault() -> None:
    with pytest.raises(DependencyFault):
        mint(MAC, {"a": "\ud800"})


def test_every_token_has_an_identifier_of_its_own() -> None:
    tokens = {mint_with_credential(MAC, {}, ttl_seconds=None, resolve=resolve, now=NOW) for _ in range(10)}
    assert len(tokens) == 10
