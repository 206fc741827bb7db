"""The OpenID provider the other tests rely on issues what they assume it issues."""

from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from .identity_provider import (
    AUDIENCE_ES256,
    AUDIENCE_OPAQUE,
    AUDIENCE_RS256,
    CLIENT_ID,
    IdentityProvider,
    missing,
    new_key_set,
)

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with IdentityProvider(tmp_path_factory.mktemp("idp"), new_key_set("first")) as running:
        yield running


@pytest.mark.parametrize(("alg", "audience"), [("RS256", AUDIENCE_RS256), ("ES256", AUDIENCE_ES256)])
def test_an_access_token_verifies_against_the_published_keys(
    provider: IdentityProvider, alg: str, audience: str
) -> None:
    token = jwt.decode(
        provider.token("orders:read orders:write", audience),
        KeySet.import_key_set(provider.jwks()),
        algorithms=[alg],
    )
    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == alg
    assert token.claims["iss"] == provider.issuer
    assert token.claims["aud"] == audience
    assert token.claims["client_id"] == CLIENT_ID
    assert token.claims["scope"] == "orders:read orders:write"


def test_an_unknown_audience_gets_no_token(provider: IdentityProvider) -> None:
    with pytest.raises(HTTPError) as refused:
        provider.token(audience="https://elsewhere.example")
    refused.value.close()
    assert refused.value.code == 400


def test_the_metadata_names_the_issuer_and_its_key_set(provider: IdentityProvider) -> None:
    metadata = provider.metadata()
    assert (metadata["issuer"], metadata["jwks_uri"]) == (provider.issuer, provider.jwks_uri)


def test_each_request_for_the_key_set_is_counted(provider: IdentityProvider) -> None:
    before = provider.jwks_requests()
    provider.jwks()
    provider.metadata()
    provider.jwks()
    assert provider.jwks_requests() == before + 2


def test_only_public_keys_are_published(provider: IdentityProvider) -> None:
    assert all(not {"d", "p", "q"} & key.keys() for key in provider.jwks()["keys"])


def test_a_restart_with_other_keys_is_a_rotation_at_the_same_address(tmp_path: Path) -> None:
    with IdentityProvider(tmp_path, new_key_set("old")) as provider:
        issuer, old_token = provider.issuer, provider.token()
        provider.restart(new_key_set("new"))
        key_set = KeySet.import_key_set(provider.jwks())
        assert provider.issuer == issuer
        assert jwt.decode(provider.token(), key_set, algorithms=["RS256"]).header["kid"] == "new-rs256"
        with pytest.raises(InvalidKeyIdError):
            jwt.decode(old_token, key_set, algorithms=["RS256"])


def test_an_opaque_token_is_no_jwt_and_can_be_revoked_without_a_word(provider: IdentityProvider) -> None:
    token = provider.token(audience=AUDIENCE_OPAQUE)
    assert token.count(".") == 0
    provider.revoke(token)
    provider.revoke("unknown")


def test_the_metadata_names_the_introspection_endpoint_and_its_requests_are_counted(provider: IdentityProvider) -> None:
    assert provider.metadata()["introspection_endpoint"] == provider.introspection_endpoint
    before = provider.introspection_requests()
    with pytest.raises(HTTPError) as refused:
        urlopen(provider.introspection_endpoint, data=b"token=x", timeout=30)
    refused.value.close()
    assert refused.value.code == 400
    assert provider.introspection_requests() == before + 1
