"""The keys new tokens are signed with: scenarios E7, E8 and E12."""

from __future__ import annotations

import jwt
import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import CERTS, KEY, OTHER_KEY, PRIVATE, Neighbours, token
from tests.dialects.kong.seen import key_of, new_token, verified

from jwtgate.jose.key import generate_key

TWELVE = ["HS256", "HS384", "HS512", "RS256", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"]


def test_e7_a_rotated_set_keeps_its_last_keys_once(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    first = new_token(kong.get(bearer=token()))
    before = kong.send("GET", "/jwt-signer/jwks/kong").value["keys"]
    rotated = kong.send("POST", "/jwt-signer/jwks/kong/rotate")
    assert rotated.status == 200
    assert rotated.value["previous"] == before
    second = new_token(kong.get(bearer=token()))
    assert verified(kong, second)
    assert jwt.get_unverified_header(second)["kid"] != jwt.get_unverified_header(first)["kid"]
    old = key_of(kong, first, part="previous")
    assert old is not None
    assert jwt.decode(first, jwt.PyJWK(old), algorithms=["RS256"], options={"verify_aud": False})["sub"] == "alice"
    (listed,) = [each for each in kong.send("GET", "/jwt-signer/jwks").value["data"] if each["name"] == "kong"]
    assert kong.send("POST", f"/jwt-signer/jwks/{listed['id']}/rotate").status == 200
    assert key_of(kong, first) is key_of(kong, first, part="previous") is None
    assert key_of(kong, second, part="previous") is not None


def test_e7_a_set_nobody_knows_is_a_404(kong: KongProcess) -> None:
    assert kong.send("POST", "/jwt-signer/jwks/nobody/rotate").status == 404


def test_e8_a_set_comes_to_be_by_its_name(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.access_token_keyset=my-company")
    assert "my-company" in [each["name"] for each in kong.send("GET", "/jwt-signer/jwks").value["data"]]
    assert verified(kong, new_token(kong.get(bearer=token())), name="my-company")["iss"] == "kong"
    published = kong.send("GET", "/jwt-signer/jwks/my-company")
    assert published.field("content-type") == "application/jwk-set+json"
    assert {key["alg"] for key in published.value["keys"]} >= set(TWELVE)
    assert not {"d", "p", "q", "k"} & {name for key in published.value["keys"] for name in key}
    assert kong.send("DELETE", "/jwt-signer/jwks/no-company").status == 404


def test_e8_a_set_may_be_somebody_else_s(kong: KongProcess, neighbours: Neighbours) -> None:
    private = generate_key("RS256", kid="external-1")
    neighbours.key_sets[PRIVATE] = [{**private.to_private_jwk(), "alg": "RS256", "x-unknown": True}]
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        f"config.access_token_keyset={neighbours.url}{PRIVATE}",
        "config.access_token_keyset_client_username=user",
        "config.access_token_keyset_client_password=secret",
    )
    signed = new_token(kong.get(bearer=token()))
    assert jwt.get_unverified_header(signed)["kid"] == "external-1"
    public = jwt.PyJWK(private.public().to_jwk())
    assert jwt.decode(signed, public, algorithms=["RS256"], options={"verify_aud": False})["iss"] == "kong"
    assert (PRIVATE, "Basic dXNlcjpzZWNyZXQ=") in neighbours.fetched


def test_e8_a_set_that_is_not_there_is_a_500(kong: KongProcess, neighbours: Neighbours) -> None:
    answer = kong.post(
        "/plugins",
        "name=jwt-signer",
        f"config.access_token_jwks_uri={neighbours.certs}",
        f"config.access_token_keyset={neighbours.url}/nowhere/else",
        "config.channel_token_optional=true",
    )
    assert answer.status == 201, answer
    assert kong.get(bearer=token()).status == 500


@pytest.mark.parametrize("alg", TWELVE)
def test_e12_new_tokens_are_signed_with_the_algorithm_asked_for(
    kong: KongProcess, neighbours: Neighbours, alg: str
) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", f"config.access_token_signing_algorithm={alg}")
    signed = new_token(kong.get(bearer=token()))
    assert jwt.get_unverified_header(signed)["alg"] == alg
    if alg.startswith("HS"):
        key = key_of(kong, signed)  # what verifies it is a secret, and is not published
        assert key is not None
        assert "k" not in key
        return
    assert verified(kong, signed)["iss"] == "kong"


@pytest.mark.parametrize("alg", ["RS1", "none", "HS1", "rs256"])
def test_e12_another_algorithm_is_a_schema_violation(kong: KongProcess, alg: str) -> None:
    answer = kong.post("/plugins", "name=jwt-signer", f"config.access_token_signing_algorithm={alg}")
    assert (answer.status, answer.value["code"]) == (400, 2)
    assert "access_token_signing_algorithm" in answer.value["fields"]["config"]


def test_a_set_is_rotated_by_itself(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.access_token_keyset=aging",
        "config.access_token_keyset_rotate_period=1",
    )
    before = kong.send("GET", "/jwt-signer/jwks/aging").value["keys"]
    kong.until(lambda: before[0]["kid"] != kong.send("GET", "/jwt-signer/jwks/aging").value["keys"][0]["kid"])


def test_keys_are_fetched_with_a_name_and_a_password(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.access_token_jwks_uri_client_username=user",
        "config.access_token_jwks_uri_client_password=secret",
    )
    assert kong.get(bearer=token()).status == 200
    assert neighbours.fetched[-1] == (CERTS, "Basic dXNlcjpzZWNyZXQ=")


def test_a_key_of_an_issuer_that_is_new_is_fetched_once(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}?new")
    assert kong.get(bearer=token()).status == 200
    fresh = generate_key("ES256", kid="issuer-2")
    neighbours.key_sets[CERTS] += [fresh.public().to_jwk()]
    assert kong.get(bearer=token(fresh, "ES256")).status == 200
    count = len(neighbours.fetched)
    for _ in range(3):
        assert kong.get(bearer=token(generate_key("ES256", kid="nobody"), "ES256")).status == 401
    assert len(neighbours.fetched) <= count + 1


def test_keys_of_an_issuer_are_fetched_again_after_a_while(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}?periodic",
        "config.access_token_jwks_uri_rotate_period=1",
    )
    assert kong.get(bearer=token()).status == 200
    count = len(neighbours.fetched)
    kong.until(lambda: len(neighbours.fetched) > count)


def test_keys_that_changed_under_the_same_name_are_fetched_again(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}?changing")
    assert kong.get(bearer=token()).status == 200
    neighbours.key_sets[CERTS] = [OTHER_KEY.public().to_jwk()]
    assert kong.get(bearer=token(OTHER_KEY)).status == 200
    assert kong.get(bearer=token(KEY)).status == 401


@pytest.mark.parametrize("switch", ["false", "true"])
def test_a_mac_is_refused_even_where_it_is_asked_for_since_a_secret_is_never_fetched(
    kong: KongProcess, neighbours: Neighbours, switch: str
) -> None:
    secret = generate_key("HS256", kid="shared")
    neighbours.key_sets["/hs"] = [{**secret.to_private_jwk(), "alg": "HS256"}, KEY.public().to_jwk()]
    kong.signer(f"config.access_token_jwks_uri={neighbours.url}/hs", f"config.enable_hs_signatures={switch}")
    assert kong.get(bearer=token(secret, "HS256")).status == 401
    assert kong.get(bearer=token()).status == 200
