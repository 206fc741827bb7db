"""What a client may read, what the log and the metrics say, and the addresses of our own (SEC-140 to 145)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken

from .rig import (
    AUDIENCE,
    KEY,
    OTHER_KEY,
    Client,
    Gateway,
    Message,
    Upstream,
    document,
    gateway_and_upstream,
    request,
    response,
    say,
    token,
    until,
)

SECRET = "s3cret-of-the-test"
ISSUER = {"algorithms": ["ES256"], "audience": AUDIENCE}
UNREACHABLE = {"issuer": "https://away.example", "keys": {"url": "http://127.0.0.1:9/jwks"}, **ISSUER}
CHANGES = {
    "issuers": {"away": UNREACHABLE},
    "upstreams": {"gone": {"targets": ["http://127.0.0.1:9"]}},
    "routes": {
        "orders": {"scope": "orders:read", "realm": "orders"},
        "away": {"path": "/away/*", "auth": "required", "issuers": ["away"], "upstream": "echo"},
        "gone": {"path": "/gone", "auth": "none", "upstream": "gone"},
        "url": {
            "path": "/url/*",
            "auth": "required",
            "slots": {"access": {"issuers": ["main"], "from": [{"query": "token"}]}},
            "upstream": "echo",
        },
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(**CHANGES) as both:
        yield both


@pytest.fixture
def gateway(both: tuple[Gateway, Upstream]) -> Gateway:
    return both[0]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with Client(gateway.port) as client:
        yield client


def error_of(answer: Message) -> tuple[int, str, str]:
    body = json.loads(answer.body)
    assert set(body) == {"error", "message", "request_id"}
    assert body["request_id"] == answer.value("X-Request-Id")
    return answer.status, body["error"], body["message"]


# Refusals.


def test_sec_141_no_token_is_a_challenge_without_an_error(client: Client) -> None:
    answer = client.ask(request("/orders/1"))
    assert error_of(answer) == (401, "credential_missing", "A token is needed.")
    assert answer.value("WWW-Authenticate") == 'Bearer realm="orders"'
    assert answer.value("Cache-Control") == "no-store"


def bad_tokens() -> dict[str, str]:
    good = token()
    return {
        "bad signature": token(key=OTHER_KEY),
        "unknown key": token(key=KEY.with_kid("k9")),
        "unknown issuer": token(iss="https://other.example"),
        "no issuer": token(iss=None),
        "no signature": good.rpartition(".")[0] + ".",
        "two segments": good.rpartition(".")[0],
        "another algorithm": "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".",
        "too long": good + "A" * 20_000,
    }


@pytest.mark.parametrize("name", bad_tokens())
def test_sec_141_every_bad_token_gets_the_same_answer(client: Client, name: str) -> None:
    answer = client.ask(request("/orders/1", bearer=bad_tokens()[name]))
    assert error_of(answer) == (401, "invalid_token", "The token is not valid.")
    challenge = 'Bearer realm="orders", error="invalid_token", error_description="The token is not valid."'
    assert answer.value("WWW-Authenticate") == challenge


def test_sec_141_an_expired_token_is_told_so(client: Client) -> None:
    answer = client.ask(request("/orders/1", bearer=token(exp=1_000_000)))
    assert error_of(answer) == (401, "invalid_token", "The token has expired.")


def test_sec_142_too_little_scope_is_told_with_the_scope_that_is_enough(client: Client) -> None:
    answer = client.ask(request("/orders/1", bearer=token(scope="orders:list")))
    assert error_of(answer)[:2] == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in (answer.value("WWW-Authenticate") or "")
    assert (answer.value("WWW-Authenticate") or "").endswith('scope="orders:read"')


@pytest.mark.parametrize("credential", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "bearer \xe9"])
def test_sec_142_a_malformed_credential_is_a_malformed_request(client: Client, credential: str) -> None:
    answer = client.ask(request("/orders/1", f"Authorization: {credential}"))
    assert error_of(answer)[:2] == (400, "invalid_request")
    assert answer.values("WWW-Authenticate") == []


def test_sec_143_a_token_that_cannot_be_judged_is_neither_refused_nor_let_in(
    both: tuple[Gateway, Upstream], client: Client
) -> None:
    both[1].forget()
    answer = client.ask(request("/away/1", bearer=token(iss="https://away.example")))
    assert error_of(answer) == (503, "issuer_unreachable", "The token cannot be checked at the moment.")
    assert int(answer.value("Retry-After") or "") >= 1
    assert answer.values("WWW-Authenticate") == []
    assert both[1].requests == []


def test_sec_140_an_upstream_that_is_not_there_is_not_named(client: Client) -> None:
    answer = client.ask(request("/gone"))
    assert error_of(answer) == (502, "upstream_unreachable", "The upstream could not be reached.")


def every_refusal(client: Client) -> Iterator[Message]:
    yield client.ask(request("/nowhere/" + SECRET, f"Cookie: {SECRET}"))
    yield client.ask(request("/orders/" + SECRET))
    yield client.ask(request("/orders/1", bearer=token(sub=SECRET, exp=1)))
    yield client.ask(request("/orders/1", bearer=token(sub=SECRET, scope="")))
    yield client.ask(request("/url/1?token=" + SECRET))
    yield client.ask(request("/away/1", bearer=token(iss="https://away.example")))
    yield client.ask(request("/gone"))


def test_sec_140_no_answer_tells_more_than_its_sentence(gateway: Gateway, client: Client) -> None:
    for answer in every_refusal(client):
        whole = answer.raw_head + answer.body
        for hidden in (SECRET, "127.0.0.1", "jwks", "Traceback", "Errno", "/src/", ".py", "away", "main", "echo", "k1"):
            assert hidden.encode() not in whole, (hidden, whole)
        assert answer.values("Server") == []


def test_a_refusal_of_head_has_a_length_and_no_body(client: Client) -> None:
    answer = client.ask(request("/nowhere", method="HEAD"))
    assert (answer.status, int(answer.value("Content-Length") or "") > 0) == (404, True)
    assert client.ask(request("/open/a")).status == 200


@pytest.mark.parametrize("methods", [("HEAD", "GET"), ("GET", "HEAD")])
@pytest.mark.parametrize("path", ["/open//a", "/nowhere"])
def test_the_same_fields_under_another_method_are_answered_by_that_method(
    gateway: Gateway, methods: tuple[str, str], path: str
) -> None:
    fields = f"X-Same: {methods}{path}"
    for method, target in zip(methods, ("/open/a", path), strict=True):
        with Client(gateway.port) as client:
            client.send(request(target, fields, method=method))
            answer = client.answer(bodiless=method == "HEAD")
            assert answer.complete
            assert (answer.body == b"") == (method == "HEAD")
            assert client.ahead == b""


# The access log.


def test_sec_144_a_line_names_what_happened_and_nothing_secret() -> None:
    with gateway_and_upstream(**CHANGES) as (gateway, _), Client(gateway.port) as client:
        bearer = token(sub="alice")
        client.ask(request("/orders/1?code=" + SECRET, f"Cookie: {SECRET}", f"User-Agent: {SECRET}", bearer=bearer))
        client.ask(request(f"/url/a?token={bearer}"))
        client.ask(request("/orders/1", bearer=token(exp=1)))
        client.ask(request("/nowhere"))
        first, second, third, fourth = gateway.log(4)
        raw = gateway.raw_log()
    assert set(first) == {
        *("time", "id", "route", "method", "path", "status", "reason", "issuer", "consumer"),
        *("client", "ms", "generation"),
    }
    said = ("route", "method", "path", "status", "reason", "issuer", "client", "generation")
    assert [first[name] for name in said] == ["orders", "GET", "/orders/1", 200, "", "main", "127.0.0.1", 1]
    assert (second["path"], second["status"]) == ("/url/a", 200)
    assert (third["reason"], third["issuer"], third["status"]) == ("token_expired", "", 401)
    assert (fourth["reason"], fourth["route"]) == ("route_unknown", "")
    for hidden in (SECRET, bearer, bearer.rpartition(".")[2], "alice"):
        assert hidden.encode() not in raw


def test_sec_144_what_a_client_writes_stays_one_line_of_ascii() -> None:
    with gateway_and_upstream() as (gateway, _):
        for raw in (
            request("/open/%1b%5b"),
            request("/open/%22,%22status%22:1"),
            request("/open/%E2%80%A8"),
            request("/open/" + "a" * 5000),
            b"GET /\x1b[31m\r\n\r\n",
            b"\x1b[31m",
            request("/open/a", 'X-Request-Id: "}'),
        ):
            with Client(gateway.port) as client:
                client.send(raw)
                assert client.answer().status in (200, 400)
        lines = gateway.log(7)
        assert gateway.raw_log().isascii()
        assert b"\x1b" not in gateway.raw_log()
    assert max(len(line["path"]) for line in lines) <= 1024
    assert {line["status"] for line in lines} == {200, 400}


FRONT = {
    "request_malformed": (400, request("/open/a", "Host: other.example")),
    "path_not_canonical": (400, request("/open//a")),
    "field_name_unusual": (400, request("/open/a", "X_A: b")),
    "credential_repeated": (400, request("/orders/1", "Authorization: Bearer a", bearer="b")),
    "credential_malformed": (400, request("/orders/1", "Authorization: Bearer a b")),
    "request_head_too_large": (431, request("/open/" + "a" * 9000)),
    "request_too_large": (413, request("/open/a", "Content-Length: 20000000", method="POST")),
    "method_refused": (501, request(method="TRACE")),
    "route_unknown": (404, request("/nowhere")),
    "credential_missing": (401, request("/orders/1")),
}


@pytest.mark.parametrize("reason", FRONT)
def test_sec_2_the_log_has_the_reason_of_every_refusal(reason: str) -> None:
    status, raw = FRONT[reason]
    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(raw).status == status
        (line,) = gateway.log()
        assert (line["reason"], line["status"]) == (reason, status)
        assert upstream.requests == []


def test_the_id_of_an_answer_is_that_of_its_line_and_of_its_request_upstream() -> None:
    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        ids = {client.ask(request()).value("X-Request-Id") for _ in range(3)}
        assert {line["id"] for line in gateway.log(3)} == ids
        assert {message.value("X-Request-Id") for message in upstream.requests} == ids
    assert len(ids) == 3


# Our own addresses.


def metrics(client: Client) -> dict[str, list[tuple[dict[str, str], float]]]:
    answer = client.ask(request("/metrics"))
    assert answer.status == 200
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_sec_145_labels_come_from_the_document_and_never_from_a_request() -> None:
    with gateway_and_upstream(**CHANGES) as (gateway, _), Client(gateway.port) as client:
        for number in range(20):
            client.ask(request(f"/nowhere/{number}", f"X-{number}: a"))
            client.ask(request("/orders/1", bearer=token(sub=f"user-{number}", jti=str(number))))
            client.ask(request(f"/url/{number}?token=a{number}"))
        found = metrics(client)
    labels = {name: {tuple(sorted(each.items())) for each, _ in samples} for name, samples in found.items()}
    assert labels["jwtgate_requests_total"] == {
        (("reason", ""), ("route", "orders"), ("status", "200")),
        (("reason", "route_unknown"), ("route", ""), ("status", "404")),
        (("reason", "token_malformed"), ("route", "url"), ("status", "401")),
    }
    assert {name for samples in labels.values() for pairs in samples for name, _ in pairs} == {
        *("reason", "route", "status", "issuer", "cause", "keys", "origin", "le", "upstream", "target", "cache")
    }
    assert sum(value for _, value in found["jwtgate_requests_total"]) == 60
    assert found["jwtgate_connections_open"] == [({}, 1.0)]


def test_health_is_told(client: Client) -> None:
    assert client.ask(request("/livez")).body == b"alive\n"
    ready = client.ask(request("/readyz"))
    state = json.loads(ready.body)
    assert (ready.status, state["ready"], state["generation"]) == (200, True, 1)
    issuers = {each["issuer"]: each["keys"] for each in state["issuers"]}
    assert issuers == {"main": 1, "away": 0}
    assert state["consumers"] == {"document": 0, "store": 0}
    health = json.loads(client.ask(request("/healthz?verbose")).body)
    assert {each["issuer"]: each["last_failure"] for each in health["issuers"]} == {"main": "", "away": "refused"}
    assert [each["keys"] for each in health["signing"]] == ["default"]


@pytest.mark.parametrize("path", ["/readyz", "/healthz?verbose", "/metrics"])
def test_sec_140_where_targets_are_is_told_on_this_machine_alone(
    both: tuple[Gateway, Upstream], client: Client, path: str
) -> None:
    address = f"127.0.0.1:{both[1].port}".encode()
    for through_a_proxy in ("X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 front"):
        answer = client.ask(request(path, through_a_proxy))
        assert address not in answer.body
        assert b"echo" in answer.body or path != "/metrics"
    assert address in client.ask(request(path)).body


def test_rel_39_an_endpoint_that_is_gone_stands_in_the_log_in_readiness_and_in_the_metrics() -> None:
    introspection = {"endpoint": "http://127.0.0.1:9/introspect", "client_id": "gate", "client_secret": SECRET}
    route = {"path": "/opaque", "auth": "required", "issuers": ["opaque"], "introspect": "always", "upstream": "echo"}
    changes = {
        "issuers": {"opaque": {"audience": AUDIENCE, "introspection": introspection}},
        "routes": {"opaque": route},
    }
    with gateway_and_upstream(**changes) as (gateway, _), Client(gateway.port) as client:
        answers = [client.ask(request("/opaque", bearer="made-up")) for _ in range(6)]
        lines = [gateway.line_of(answer) for answer in answers]
        state = json.loads(client.ask(request("/readyz")).body)
        found = metrics(client)
        raw = gateway.raw_log()
    assert [line["detail"]["issuer"] for line in lines] == ["opaque"] * 6
    assert [line["detail"]["cause"] for line in lines][-1] == "left_alone"
    assert {(line["status"], line["reason"]) for line in lines} == {(503, "introspection_unreachable")}
    assert (state["ready"], state["degraded"]) == (True, True)
    assert [each["left_alone"] for each in state["introspection"]] == [True]
    assert found["jwtgate_introspection_left_alone"] == [({"issuer": "opaque"}, 1.0)]
    assert found["jwtgate_introspection_failures_total"] == [
        ({"issuer": "opaque", "cause": "refused"}, 5.0),
        ({"issuer": "opaque", "cause": "left_alone"}, 1.0),
    ]
    assert SECRET.encode() not in raw
    assert b"made-up" not in raw


def test_our_public_keys_verify_what_we_issue(both: tuple[Gateway, Upstream], client: Client) -> None:
    both[1].forget()
    client.ask(request("/orders/1", bearer=token()))
    issued = both[1].one_request().value("X-JWT-Assertion") or ""
    answer = client.ask(request("/.well-known/jwks.json"))
    assert answer.value("Content-Type") == "application/jwk-set+json"
    assert answer.value("Cache-Control") == "public, max-age=300"
    (jwk,) = json.loads(answer.body)["keys"]
    assert "d" not in jwk
    keys, _ = KeySet.parse_remote(answer.body)
    unverified = UnverifiedToken.parse(issued)
    verified = unverified.verify(keys.bound(frozenset({"ES256"})).candidates("ES256", unverified.kid), {"ES256"})
    assert (verified.claims["sub"], verified.claims["iss"]) == ("alice", "https://gate.example")


def test_our_metadata_names_us_and_our_keys(client: Client) -> None:
    answer = client.ask(request("/.well-known/openid-configuration"))
    assert (answer.status, answer.value("Content-Type")) == (200, "application/json")
    body = json.loads(answer.body)
    assert body["issuer"] == "https://gate.example"
    assert body["jwks_uri"] == "https://gate.example/.well-known/jwks.json"


def test_our_addresses_are_for_reading(client: Client) -> None:
    assert client.ask(request("/livez", method="HEAD")).status == 200
    assert client.ask(request("/livez", method="POST", body=b"x")).status == 501
    assert client.ask(request("/livez")).status == 200


def test_a_route_of_the_path_of_health_keeps_it_where_clients_ask() -> None:
    routes = {"health": {"path": "/healthz", "auth": "none", "respond": {"status": 200, "body": "theirs"}}}
    with gateway_and_upstream(routes=routes, status_listen="127.0.0.1:0") as (gateway, _):
        main, status = (port for _, port in gateway.addresses)
        with Client(main) as client:
            assert client.ask(request("/healthz")).body == b"theirs"
        with Client(status) as client:
            assert json.loads(client.ask(request("/healthz")).body)["ready"]
    with gateway_and_upstream(routes=routes) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(request("/healthz")).body == b"theirs"
    with gateway_and_upstream() as (gateway, _), Client(gateway.port) as client:
        assert json.loads(client.ask(request("/healthz")).body)["ready"]


def test_health_and_metrics_have_their_own_listener_where_that_is_said() -> None:
    with gateway_and_upstream(status_listen="127.0.0.1:0") as (gateway, upstream):
        main, status = (port for _, port in gateway.addresses)
        with Client(main) as client:
            for path in ("/livez", "/readyz", "/metrics"):
                assert client.ask(request(path)).status == 404
            assert client.ask(request("/.well-known/jwks.json")).status == 200
        with Client(status) as client:
            for path in ("/livez", "/readyz", "/metrics"):
                assert client.ask(request(path)).status == 200
            for path in ("/.well-known/jwks.json", "/open/a"):
                assert client.ask(request(path)).status == 404
        assert upstream.requests == []


def test_our_addresses_may_lie_elsewhere_or_nowhere() -> None:
    with Upstream() as upstream:
        changed = document(upstream.url)
        changed["own"] = {"keys": "/keys", "metadata": None, "keys_max_age_seconds": 60}
        with Gateway(changed) as gateway, Client(gateway.port) as client:
            assert client.ask(request("/keys")).value("Cache-Control") == "public, max-age=60"
            assert client.ask(request("/.well-known/jwks.json")).status == 404
            assert client.ask(request("/.well-known/openid-configuration")).status == 404


# Too many.


def test_rel_17_one_connection_too_many_is_told_to_come_back() -> None:
    with gateway_and_upstream(limits={"connections": 2}) as (gateway, _):
        with Client(gateway.port) as one, Client(gateway.port) as two:
            assert [one.ask(request()).status, two.ask(request()).status] == [200, 200]
            with Client(gateway.port) as three:
                three.send(request())
                answer = three.answer()
                assert answer.status == 503
                assert json.loads(answer.body)["error"] == "overloaded"
                assert (answer.value("Retry-After"), answer.value("Connection")) == ("1", "close")
                assert three.ended() == "eof"
            assert one.ask(request()).status == 200
        until(lambda: gateway.call(lambda: gateway.embedded.worker.count_now().connections_open) == 0)
        with Client(gateway.port) as four:
            assert four.ask(request()).status == 200
            assert metrics(four)["jwtgate_connections_refused_total"] == [({}, 1.0)]


def test_upstream_answers_pass_unchanged_whatever_their_status(both: tuple[Gateway, Upstream], client: Client) -> None:
    for status in ("201 Created", "301 Moved Permanently", "418 I'm a Teapot", "500 Internal Server Error", "599 "):
        both[1].play(say(response(b"theirs", "Server: theirs", "Set-Cookie: a=b", status=status)))
        answer = client.ask(request())
        assert (answer.status, answer.body) == (int(status[:3]), b"theirs")
        assert (answer.value("Server"), answer.value("Set-Cookie")) == ("theirs", "a=b")
