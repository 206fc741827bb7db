"""The endpoint that makes tokens in a consumer's place."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.apisix.tokens import SECRET, pair, soon


def said(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    return found


@pytest.fixture
def jack(apisix: ApisixProcess) -> ApisixProcess:
    """The gateway with jack, his secret and the endpoint."""
    apisix.publish()
    apisix.consumer(key="jack-key", secret=SECRET)
    return apisix


def test_a_token_is_all_that_is_answered(jack: ApisixProcess) -> None:
    answer = jack.sign("jack-key")
    assert jwt.decode(answer.body, SECRET, algorithms=["HS256"])["key"] == "jack-key"
    assert (answer.field("content-type") or "").startswith("text/plain")


def test_a_caller_may_add_claims_and_none_that_are_ours(jack: ApisixProcess) -> None:
    wanted = {"role": "editor", "sub": "a", "key": "rose-key", "exp": soon(10**6)}
    for payload in (quote(json.dumps(wanted)), quote(quote(json.dumps(wanted)))):
        claims = said(jack.signed("jack-key", f"&payload={payload}"))
        assert (claims["role"], claims["sub"], claims["key"]) == ("editor", "a", "jack-key")
        assert claims["exp"] < soon(86401)


@pytest.mark.parametrize("payload", ["x", "%5B1%5D", "1", "%7B"])
def test_claims_are_an_object(jack: ApisixProcess, payload: str) -> None:
    assert jack.sign("jack-key", f"&payload={payload}").status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?key=nobody", 404), ("?key=jack-key&key=jack-key", 404), ("?key=jack", 404)],
)
def test_a_key_is_named_once_and_known(jack: ApisixProcess, query: str, status: int) -> None:
    assert jack.get(f"/apisix/plugin/jwt/sign{query}").status == status


def test_nothing_but_get_signs(jack: ApisixProcess) -> None:
    asked = 'curl "http://127.0.0.1:9080/apisix/plugin/jwt/sign?key=jack-key" -X POST'
    assert jack.sh(asked).status == 404


def test_a_secret_is_made_for_who_has_none(apisix: ApisixProcess) -> None:
    apisix.publish()
    apisix.consumer(key="jack-key")
    secret = apisix.admin("GET", "/consumers/jack").value["value"]["plugins"]["jwt-auth"]["secret"]
    assert len(secret) == 44
    assert jwt.decode(apisix.signed("jack-key"), secret, algorithms=["HS256"])["key"] == "jack-key"
    apisix.put("/consumers", {"username": "jack"})
    assert apisix.sign("jack-key").status == 404


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_token_shows_the_public_key_it_is_verified_with(apisix: ApisixProcess, alg: str) -> None:
    private, public = pair(alg)
    apisix.publish()
    apisix.route()
    apisix.consumer(key="jack-key", algorithm=alg, public_key=public, private_key=private)
    token = apisix.signed("jack-key")
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": alg, "x5c": [public]}
    assert jwt.decode(token, public, algorithms=[alg])["key"] == "jack-key"
    assert apisix.get(token=token).status == 200


def test_who_has_no_private_key_has_no_tokens_made(apisix: ApisixProcess) -> None:
    apisix.publish()
    apisix.consumer(key="jack-key", algorithm="RS256", public_key=pair("RS256")[1])
    answer = apisix.sign("jack-key")
    assert (answer.status, answer.body.strip()) == (503, "failed to sign jwt")


def test_the_endpoint_may_have_another_path(jack: ApisixProcess) -> None:
    plugins = {"public-api": {"uri": "/apisix/plugin/jwt/sign"}}
    jack.put("/routes/renamed", {"uri": "/get_token", "plugins": plugins})
    assert said(jack.get("/get_token?key=jack-key").body)["key"] == "jack-key"
    jack.put("/routes/renamed", {"uri": "/get_token", "plugins": {"public-api": {}}})
    assert jack.get("/get_token?key=jack-key").status == 404


def test_another_plugin_may_guard_the_endpoint(jack: ApisixProcess) -> None:
    jack.put("/consumers/rose", {"username": "rose", "plugins": {"key-auth": {"key": "rose-api-key"}}})
    guarded = {"uri": "/apisix/plugin/jwt/sign", "plugins": {"public-api": {}, "key-auth": {}}}
    jack.put("/routes/jwt-auth-api", guarded)
    answer = jack.sign("jack-key")
    assert (answer.status, answer.value) == (401, {"message": "Missing API key in request"})
    wrong = jack.get("/apisix/plugin/jwt/sign?key=jack-key", "apikey: x")
    assert (wrong.status, wrong.value) == (401, {"message": "Invalid API key in request"})
    assert said(jack.get("/apisix/plugin/jwt/sign?key=jack-key", "apikey: rose-api-key").body)["key"] == "jack-key"
