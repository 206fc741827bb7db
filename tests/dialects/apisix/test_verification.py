"""What a token has to be: found where it is looked for, signed by its consumer's key, and in its time."""

from __future__ import annotations

from base64 import b64encode

import pytest
from tests.dialects.apisix.apisix_process import Answer, ApisixProcess
from tests.dialects.apisix.tokens import LONG_SECRET, SECRET, pair, soon, tampered, token

MISSING = (401, {"message": "Missing JWT token in request"})
INVALID = (401, {"message": "JWT token invalid"})
FAILED = (401, {"message": "failed to verify jwt"})
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def told(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.value


@pytest.fixture
def jack(apisix: ApisixProcess) -> ApisixProcess:
    """The gateway with jack, his secret and the route."""
    apisix.consumer(key="jack-key", secret=SECRET)
    apisix.route()
    return apisix


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_a_scheme_before_the_token_is_taken_off(jack: ApisixProcess, prefix: str) -> None:
    assert jack.get(token=prefix + token()).status == 200


@pytest.mark.parametrize("prefix", ["BEARER ", "Bearer  ", "Basic "])
def test_no_other_scheme_is_taken_off(jack: ApisixProcess, prefix: str) -> None:
    assert told(jack.get(token=prefix + token())) == INVALID


def test_a_token_may_stand_in_the_query_and_in_a_cookie(jack: ApisixProcess) -> None:
    assert jack.get(f"/get?jwt={token()}").status == 200
    assert jack.get("/get", f"Cookie: jwt={token()}").status == 200
    assert told(jack.get("/get", f"Cookie: JWT={token()}")) == MISSING


def test_the_first_place_that_is_there_counts(jack: ApisixProcess) -> None:
    good = token()
    assert told(jack.get(f"/get?jwt={good}", "Authorization: Basic eA==")) == INVALID
    assert told(jack.get(f"/get?jwt={good}", "Authorization;")) == INVALID
    assert told(jack.get("/get?jwt=x", f"Cookie: jwt={good}")) == INVALID
    assert jack.get("/get?jwt=x", token=good).status == 200


@pytest.mark.parametrize("query", ["jwt={0}&jwt={0}", "jwt", "jwt="])
def test_an_argument_holds_one_token(jack: ApisixProcess, query: str) -> None:
    assert told(jack.get("/get?" + query.format(token()))) == INVALID


@pytest.mark.parametrize(
    "bad",
    ["a.b.c", "x", "e30.e30", "eyJhbGciOiJIUzI1NiJ9.W10.e30", "eyJhbGciOiJIUzI1NiJ9.eA.e30", "..", token() + ".x", "é"],
)
def test_what_is_no_token_is_told_so(jack: ApisixProcess, bad: str) -> None:
    assert told(jack.get(token=bad)) == INVALID


def test_a_token_says_whose_it_is(jack: ApisixProcess) -> None:
    assert told(jack.get(token=token(key=None))) == (401, {"message": "missing user key in JWT token"})
    assert told(jack.get(token=token(key=None, header={"key": "jack-key"})))[1] == {
        "message": "missing user key in JWT token"
    }
    assert told(jack.get(token=token(key="rose-key"))) == (401, {"message": "Invalid user key in JWT token"})


@pytest.mark.parametrize("key", ["", 5, True, ["jack-key"], {"jack-key": 1}])
def test_what_names_nobody_is_nobodys_key(jack: ApisixProcess, key: object) -> None:
    assert told(jack.get(token=token(key=key))) == (401, {"message": "Invalid user key in JWT token"})


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_secret_verifies(apisix: ApisixProcess, alg: str) -> None:
    apisix.consumer(key="jack-key", secret=LONG_SECRET, algorithm=alg)
    apisix.route()
    good = token(LONG_SECRET, alg)
    assert apisix.get(token=good).status == 200
    assert told(apisix.get(token=tampered(good))) == FAILED
    assert told(apisix.get(token=token(SECRET * 3, alg))) == FAILED


@pytest.mark.parametrize("alg", SIGNATURES)
def test_a_public_key_verifies(apisix: ApisixProcess, alg: str) -> None:
    private, public = pair(alg)
    apisix.consumer(key="jack-key", public_key=public, algorithm=alg)
    apisix.route()
    good = token(private, alg)
    assert apisix.get(token=good).status == 200
    assert told(apisix.get(token=tampered(good))) == FAILED
    assert told(apisix.get(token=token(pair(alg)[0], alg))) == FAILED


def test_a_consumer_has_one_algorithm(apisix: ApisixProcess) -> None:
    private, public = pair("RS256")
    apisix.consumer(key="jack-key", public_key=public, algorithm="RS256")
    apisix.route()
    assert told(apisix.get(token=token(private, "RS512"))) == FAILED
    assert told(apisix.get(token=token(private, "PS256"))) == FAILED
    unsigned = "eyJhbGciOiJub25lIn0.eyJrZXkiOiJqYWNrLWtleSJ9."
    assert told(apisix.get(token=unsigned))[0] == 401


def test_a_secret_may_be_base64(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=b64encode(SECRET.encode()).decode(), base64_secret=True)
    apisix.route()
    assert apisix.get(token=token()).status == 200
    assert told(apisix.get(token=token(b64encode(SECRET.encode())))) == FAILED


def test_a_token_is_good_in_its_time_and_needs_to_say_none(jack: ApisixProcess) -> None:
    for good in (token(), token(exp=soon()), token(nbf=soon(-60))):
        assert jack.get(token=good).status == 200
    for bad in (token(exp=soon(-1)), token(nbf=soon()), token(exp="soon"), token(nbf="now")):
        assert told(jack.get(token=bad)) == FAILED


def test_when_a_token_was_made_is_not_looked_at(jack: ApisixProcess) -> None:
    assert jack.get(token=token(iat=soon(3600))).status == 200


def test_a_grace_period_stretches_the_time(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET, lifetime_grace_period=30)
    apisix.route()
    for good in (token(exp=soon(-20)), token(nbf=soon(20))):
        assert apisix.get(token=good).status == 200
    for bad in (token(exp=soon(-40)), token(nbf=soon(40))):
        assert told(apisix.get(token=bad)) == FAILED


def test_times_that_are_to_be_verified_have_to_be_said(jack: ApisixProcess) -> None:
    jack.route(claims_to_verify=["nbf"])
    assert told(jack.get(token=token())) == FAILED
    assert jack.get(token=token(nbf=soon(-1))).status == 200
    jack.route(claims_to_verify=[])
    assert jack.get(token=token()).status == 200


def test_a_refusal_is_plain_text_with_a_challenge(jack: ApisixProcess) -> None:
    answer = jack.get()
    assert answer.body == '{"message":"Missing JWT token in request"}\n'
    assert answer.field("content-type") == "text/plain; charset=utf-8"
    assert answer.field("www-authenticate") == 'Bearer realm="jwt"'


def test_a_plugin_may_be_off_or_answer_otherwise(jack: ApisixProcess) -> None:
    jack.route(_meta={"disable": True})
    assert jack.get().status == 200
    jack.route(_meta={"error_response": {"message": "no"}})
    assert told(jack.get()) == (401, {"message": "no"})


def test_one_of_several_plugins_is_enough(jack: ApisixProcess) -> None:
    jack.put("/consumers/rose", {"username": "rose", "plugins": {"key-auth": {"key": "rose-api-key"}}})
    jack.routed({"multi-auth": {"auth_plugins": [{"key-auth": {}}, {"jwt-auth": {}}]}})
    assert jack.get(token=token()).seen["X-Consumer-Username"] == "jack"
    assert jack.get("/get", "apikey: rose-api-key").seen["X-Consumer-Username"] == "rose"
    for bad in (jack.get(), jack.get("/get", "apikey: other"), jack.get(token=tampered(token()))):
        assert told(bad) == (401, {"message": "Authorization Failed"})


def test_what_the_consumer_says_counts_before_what_the_route_says(apisix: ApisixProcess) -> None:
    def limit(count: int) -> dict[str, object]:
        return {"limit-count": {"count": count, "time_window": 30, "rejected_code": 429}}

    conf = {"jwt-auth": {"key": "jack-key", "secret": SECRET}}
    apisix.put("/consumers", {"username": "jack", "plugins": {**conf, **limit(1)}})
    apisix.consumer("rose", key="rose-key", secret=SECRET)
    apisix.routed({"jwt-auth": {}, **limit(2)})
    assert [apisix.get(token=token()).status for _ in range(3)] == [200, 429, 429]
    assert [apisix.get(token=token(key="rose-key")).status for _ in range(3)] == [200, 200, 429]


def test_a_route_says_more_than_its_plugin_config_and_that_more_than_its_service(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET)
    nodes = {"nodes": {apisix.places["httpbin.org:80"]: 1}}
    apisix.put("/services/s", {"upstream": nodes, "plugins": {"jwt-auth": {"realm": "service"}}})
    apisix.put("/plugin_configs/p", {"plugins": {"jwt-auth": {"realm": "plugin-config"}}})
    route = {"uri": "/get", "service_id": "s"}
    realms = []
    for more in ({}, {"plugin_config_id": "p"}, {"plugin_config_id": "p", "plugins": {"jwt-auth": {"realm": "route"}}}):
        apisix.put("/routes/jwt-route", {**route, **more})
        realms.append(apisix.get().field("www-authenticate"))
        assert apisix.get(token=token()).status == 200
    assert realms == [f'Bearer realm="{name}"' for name in ("service", "plugin-config", "route")]


def test_what_a_token_says_may_be_told_to_the_upstream(jack: ApisixProcess) -> None:
    jack.route(store_in_ctx=True, claims_to_headers={"X-Role": "role"})
    lie = "X-Role: admin"
    assert jack.get("/get", lie, token=token(role="editor")).seen["X-Role"] == "editor"
    assert "X-Role" not in jack.get("/get", lie, token=token()).seen
