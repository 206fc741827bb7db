"""Callers with JWTs of issuers: what of their claims the backend receives."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.material import CERTIFICATE, ISSUER_KEY, SIGNING_KEY
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import D, claims, of_dialect
from tests.dialects.wso2.records import toml, xml
from tests.dialects.wso2.wso2_process import Wso2Process

from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token

ISS = "https://idp.example/oauth2/token"


@pytest.fixture
def gateway(served: Served, backend: Backend) -> Wso2Process:
    """A gateway that takes tokens of an issuer, and renames one of its claims."""
    backend.keys = [dict(ISSUER_KEY.public().to_jwk())]
    lines = (
        "[apim.jwt.gateway_generator]",
        'excluded_claims = ["mobileno"]',
        "[[apim.jwt.issuer]]",
        f'name = "{ISS}"',
        "[apim.jwt.issuer.jwks]",
        f'url = "{backend.url}/jwks"',
        "[[apim.jwt.issuer.claim_mapping]]",
        'remote_claim = "first_name"',
        f'local_claim = "{D}givenname"',
    )
    return served(toml(*lines))


def jwt(key: Key = ISSUER_KEY, **more: Any) -> str:
    """A token of the issuer."""
    now = int(time.time())
    said = {"iss": ISS, "sub": "sumedha", "aud": "app", "azp": "ck2", "iat": now, "exp": now + 3600, "jti": "j", **more}
    return sign_token({name: value for name, value in said.items() if value is not None}, key, alg="RS256")


def test_s11_the_caller_s_jwt_says_who_the_user_is(gateway: Wso2Process) -> None:
    token = gateway.token(jwt())
    assert claims(token)["sub"] == "sumedha"
    assert claims(token)["jti"] != "j"
    assert of_dialect(token)["enduser"] == "sumedha@carbon.super"
    assert of_dialect(token)["applicationname"] == "app2"


def test_s33_claims_are_copied_save_those_that_must_not_be(gateway: Wso2Process) -> None:
    said = claims(
        gateway.token(jwt(email="s@x.y", dept="it", mobileno="1", organizations=["a"], aut="APPLICATION_USER"))
    )
    assert (said["email"], said["dept"], said["organizations"]) == ("s@x.y", "it", ["a"])
    assert said.keys().isdisjoint({"mobileno", "aud", "nbf", "aut"})
    assert said["iss"] == "wso2.org/products/am"


def test_s34_an_issuer_s_claims_are_renamed(gateway: Wso2Process) -> None:
    said = claims(gateway.token(jwt(first_name="Sum", last_name="Edha")))
    assert said[f"{D}givenname"] == "Sum"
    assert said["last_name"] == "Edha"
    assert "first_name" not in said


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (jwt(azp="nobody's"), 403, "900908"),
        (jwt(azp=None), 403, "900908"),
        (jwt(azp="user:sumedha"), 403, "900908"),
        (jwt(generate_key("RS256", kid="issuer-1")), 401, "900901"),
        (jwt(iss="https://stranger.example"), 401, "900901"),
        (jwt(exp=1), 401, "900901"),
    ],
)
def test_s34_strangers_are_refused(gateway: Wso2Process, backend: Backend, token: str, status: int, code: str) -> None:
    before = backend.requests
    answer = gateway.ask(token)
    assert (answer.status, answer.value["code"]) == (status, code)
    assert backend.requests == before


def test_s35_texts_become_what_they_stand_for(gateway: Wso2Process) -> None:
    said = claims(gateway.token(jwt(o='{"a":1}', l='["x","y"]', t="{oops", n=3, k=["z"])))
    assert (said["o"], said["l"], said["t"], said["n"], said["k"]) == ({"a": 1}, ["x", "y"], "{oops", 3, ["z"])
    assert "the claim t is no JSON object, and stays text" in gateway.said()


def test_a_jwt_of_an_application_is_told_by_its_claim(gateway: Wso2Process) -> None:
    found = of_dialect(gateway.token(jwt(aut="APPLICATION")))
    assert found["enduser"] == "admin@carbon.super"


def test_the_consumer_key_may_stand_in_other_claims(gateway: Wso2Process) -> None:
    assert of_dialect(gateway.token(jwt(azp=None, consumerKey="ck2-sandbox")))["keytype"] == "SANDBOX"


def test_issuers_may_stand_in_records_with_a_certificate(served: Served) -> None:
    issuers = [{"name": ISS, "certificate": CERTIFICATE, "consumer_key_claim": "aud"}]
    gateway = served(xml(), issuers=issuers)
    key = Key.from_pem(SIGNING_KEY.encode())
    assert of_dialect(gateway.token(jwt(key, azp=None, aud=["ck2"])))["enduser"] == "sumedha@carbon.super"
    assert of_dialect(gateway.token(jwt(key, azp=None, aud="ck2")))["applicationname"] == "app2"
    assert "email" not in claims(gateway.token(jwt(key, azp=None, aud="ck2", email="x")))


def test_scopes_of_a_resource_are_asked_for(served: Served, backend: Backend) -> None:
    backend.keys = [dict(ISSUER_KEY.public().to_jwk())]
    apis = [
        {
            "name": "PlaceFinder",
            "context": "/placeFinder",
            "version": "1.0.0",
            "endpoint": backend.url,
            "resources": [{"path": "/find", "methods": ["GET"], "scopes": ["find", "all"]}],
        }
    ]
    gateway = served(xml(), apis=apis, issuers=[{"name": ISS, "jwks": f"{backend.url}/jwks"}])
    assert gateway.ask(jwt(scope="find other")).status == 200
    refused = gateway.ask(jwt(scope="other"))
    assert (refused.status, refused.value["code"]) == (403, "900910")
    assert gateway.ask(jwt(scope="all"), path="/placeFinder/1.0.0/lose").status == 404
