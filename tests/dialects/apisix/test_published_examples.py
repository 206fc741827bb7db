"""The examples of the plug-in's page, as printed there but for ports and the address of the upstream: S1 to S5."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from tests.dialects.apisix.apisix_process import Answer, ApisixProcess
from tests.integration.vault_server import VaultModel, VaultServer

PUBLISH = """curl "http://127.0.0.1:9180/apisix/admin/routes/jwt-auth-api" -X PUT \\
-H "X-API-KEY: ${ADMIN_API_KEY}" \\
-d '{"uri": "/apisix/plugin/jwt/sign", "plugins": {"public-api": {}}}'"""
CONSUMER = """curl "http://127.0.0.1:9180/apisix/admin/consumers" -X PUT \\
-H "X-API-KEY: ${ADMIN_API_KEY}" \\
-d '{"username": "jack", "plugins": {"jwt-auth": JWT_AUTH}}'"""
ROUTE = """curl "http://127.0.0.1:9180/apisix/admin/routes" -X PUT \\
-H "X-API-KEY: ${ADMIN_API_KEY}" \\
-d '{
"id": "jwt-route", "uri": "URI", "plugins": {"jwt-auth": JWT_AUTH},
"upstream": {"type": "roundrobin", "nodes": {"httpbin.org:80": 1}}
}'"""
SIGN = """curl "http://127.0.0.1:9080/apisix/plugin/jwt/sign?key=KEY" """
SECRET = """curl "http://127.0.0.1:9180/apisix/admin/secrets/vault/jwt" -X PUT \\
-H "X-API-KEY: ${ADMIN_API_KEY}" \\
-d '{"uri": "URI", "prefix": "kv/apisix", "token": "root"}'"""
FAILED = {"message": "failed to verify jwt"}


def consumer(apisix: ApisixProcess, **jwt_auth: Any) -> Answer:
    return apisix.sh(CONSUMER.replace("JWT_AUTH", json.dumps(jwt_auth)))


def route(apisix: ApisixProcess, uri: str, **jwt_auth: Any) -> Answer:
    return apisix.sh(ROUTE.replace("URI", uri).replace("JWT_AUTH", json.dumps(jwt_auth)))


def sign(apisix: ApisixProcess, key: str) -> Answer:
    return apisix.sh(SIGN.replace("KEY", key))


def claims(token: str) -> dict[str, Any]:
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def signed(apisix: ApisixProcess, key: str, lives: int) -> str:
    """A token for this key, which says nothing but that and when it ends."""
    began = int(time.time())
    answer = sign(apisix, key)
    assert answer.status == 200, answer
    found = claims(answer.body)
    assert found == {"key": key, "exp": found["exp"]}
    assert began <= found["exp"] - lives <= time.time()
    return answer.body


def test_s1_the_signing_endpoint_is_published_and_knows_nobody(apisix: ApisixProcess) -> None:
    answers = [apisix.sh(PUBLISH) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    assert {answer.value["key"] for answer in answers} == {"/apisix/routes/jwt-auth-api"}
    assert sign(apisix, "jack-key").status == 404
    assert apisix.sh('curl "http://127.0.0.1:9080/apisix/plugin/jwt/sign"').status == 404


def test_s1_nothing_signs_that_was_not_published(apisix: ApisixProcess) -> None:
    consumer(apisix, key="jack-key")
    answer = sign(apisix, "jack-key")
    assert (answer.status, answer.value) == (404, {"error_msg": "404 Route Not Found"})


def test_s2_a_consumer_is_known_by_its_token(apisix: ApisixProcess) -> None:
    apisix.sh(PUBLISH)
    made = consumer(apisix, key="jack-key", exp=30)
    assert (made.status, made.value["key"]) == (201, "/apisix/consumers/jack")
    assert made.value["value"]["plugins"]["jwt-auth"]["secret"]
    routed = route(apisix, "/headers")
    assert (routed.status, routed.value["key"]) == (201, "/apisix/routes/jwt-route")
    token = signed(apisix, "jack-key", 30)
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/headers" -H "Authorization: ${jwt_token}"', jwt_token=token)
    assert answer.seen["Authorization"] == token
    assert answer.seen["Host"].partition(":")[0] == answer.seen["X-Forwarded-Host"].partition(":")[0] == "127.0.0.1"
    assert answer.seen["X-Consumer-Username"] == "jack"


def test_s2_a_token_is_refused_when_it_has_expired(apisix: ApisixProcess) -> None:
    apisix.sh(PUBLISH)
    consumer(apisix, key="jack-key", exp=1)
    route(apisix, "/headers")
    token = signed(apisix, "jack-key", 1)
    time.sleep(max(0.0, claims(token)["exp"] - time.time()) + 0.1)
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/headers" -H "Authorization: ${jwt_token}"', jwt_token=token)
    assert (answer.status, answer.value) == (401, FAILED)
    assert answer.field("www-authenticate") == 'Bearer realm="jwt"'


@pytest.fixture
def elsewhere(apisix: ApisixProcess) -> str:
    """A token for the route whose tokens stand in places of their own."""
    apisix.sh(PUBLISH)
    consumer(apisix, key="jack-key", exp=30)
    assert consumer(apisix, key="jack-key").status == 200
    placed = route(apisix, "/get", header="jwt-auth-header", query="jwt-query", cookie="jwt-cookie")
    assert placed.status in (200, 201)
    return signed(apisix, "jack-key", 86400)


def test_s3a_a_token_may_stand_in_a_named_field(apisix: ApisixProcess, elsewhere: str) -> None:
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get" -H "jwt-auth-header: ${jwt_token}"', jwt_token=elsewhere)
    assert (answer.seen["Jwt-Auth-Header"], answer.value["args"]) == (elsewhere, {})


def test_s3b_a_token_may_stand_in_the_query(apisix: ApisixProcess, elsewhere: str) -> None:
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get?jwt-query=${jwt_token}"', jwt_token=elsewhere)
    assert answer.value["args"] == {"jwt-query": elsewhere}
    assert elsewhere in answer.value["url"]


def test_s3c_a_token_may_stand_in_a_cookie(apisix: ApisixProcess, elsewhere: str) -> None:
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get" --cookie jwt-cookie=${jwt_token}', jwt_token=elsewhere)
    assert answer.seen["Cookie"] == f"jwt-cookie={elsewhere}"


def test_s3_the_usual_field_is_not_looked_at_then(apisix: ApisixProcess, elsewhere: str) -> None:
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get" -H "Authorization: ${jwt_token}"', jwt_token=elsewhere)
    assert (answer.status, answer.value) == (401, {"message": "Missing JWT token in request"})


def test_s4_a_key_may_be_kept_in_a_variable(apisix: ApisixProcess) -> None:
    apisix.sh(PUBLISH)
    assert consumer(apisix, key="$ENV://JACK_JWT_AUTH_KEY").status == 201
    shown = apisix.admin("GET", "/consumers/jack").value["value"]["plugins"]["jwt-auth"]
    assert shown["key"] == "$ENV://JACK_JWT_AUTH_KEY"
    route(apisix, "/get")
    token = signed(apisix, "jack-key", 86400)
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get" -H "Authorization: ${jwt_token}"', jwt_token=token)
    assert answer.seen["X-Consumer-Username"] == "jack"


def test_s4_what_refers_to_a_key_is_none(apisix: ApisixProcess) -> None:
    apisix.sh(PUBLISH)
    consumer(apisix, key="$ENV://JACK_JWT_AUTH_KEY")
    assert sign(apisix, "%24ENV%3A%2F%2FJACK_JWT_AUTH_KEY").status == 404


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with VaultServer(VaultModel()) as server:
        server.model.tokens["root"] = server.model.tokens.pop("hvs.root")
        yield server


def kept_in_vault(apisix: ApisixProcess, uri: str) -> None:
    apisix.sh(PUBLISH)
    # As printed the command ends before its body.
    cut = apisix.sh(SECRET.partition(" \\\n-d")[0])
    assert (cut.status, cut.value) == (400, {"error_msg": "missing configurations"})
    made = apisix.sh(SECRET.replace("URI", uri))
    assert (made.status, made.value["key"]) == (201, "/apisix/secrets/vault/jwt")
    assert made.value["value"]["id"] == "vault/jwt"
    assert consumer(apisix, key="$secret://vault/jwt/jack/jwt-key").status == 201
    assert route(apisix, "/get").status == 201


def test_s5_a_key_may_be_kept_in_a_vault_that_learns_it_later(apisix: ApisixProcess, vault: VaultServer) -> None:
    kept_in_vault(apisix, vault.url)
    assert sign(apisix, "jwt-vault-key").status == 404
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    apisix.until(lambda: sign(apisix, "jwt-vault-key").status == 200)  # what nobody has is looked for once a second
    token = signed(apisix, "jwt-vault-key", 86400)
    assert "GET kv/apisix/jack" in vault.model.asked
    answer = apisix.sh('curl -i "http://127.0.0.1:9080/get" -H "Authorization: ${jwt_token}"', jwt_token=token)
    assert answer.seen["Authorization"] == token


def test_s5_a_key_written_before_it_is_asked_for_works_at_once(apisix: ApisixProcess, vault: VaultServer) -> None:
    kept_in_vault(apisix, vault.url)
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    assert signed(apisix, "jwt-vault-key", 86400)


def test_s5_a_vault_without_tls_is_not_trusted_as_one_with(apisix: ApisixProcess, vault: VaultServer) -> None:
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    before = len(apisix.journal())
    kept_in_vault(apisix, vault.url.replace("http:", "https:"))
    assert sign(apisix, "jwt-vault-key").status == 404
    apisix.until(lambda: "it does not speak TLS" in apisix.journal()[before:])
    assert vault.model.asked == []
