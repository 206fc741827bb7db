"""Remembered outcomes last as long as they may, and are nobody else's (SEC-67, 71, REL-18)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from jwtgate.jose.key import Key, generate_key

from .rig import (
    AUDIENCE,
    ISS,
    KEY,
    Client,
    Gateway,
    Message,
    Script,
    Served,
    Upstream,
    document,
    gateway_and_upstream,
    later,
    merged,
    request,
    response,
    say,
    token,
    until,
)

ROTATED = generate_key("ES256", kid="k2")


def slot(*sources: dict[str, str], **changes: str) -> dict[str, object]:
    return {"issuers": ["main"], "from": list(sources), **changes}


ROUTES = {
    "plain": {"path": "/plain/*", "auth": "required", "issuers": ["main"], "upstream": "echo"},
    "scoped": {
        "path": "/scoped/*",
        "auth": "required",
        "issuers": ["main"],
        "scope": "orders:write",
        "upstream": "echo",
    },
    "optional": {
        "path": "/optional/*",
        "auth": "optional",
        "issuers": ["main"],
        "headers": {"X-User-Id": {"claim": "sub"}},
        "upstream": "echo",
    },
    "two": {
        "path": "/two/*",
        "auth": "optional",
        "slots": {
            "user": slot({"header": "X-User-Token"}),
            "app": slot({"header": "X-App-Token"}, audience="https://apps.example"),
        },
        "headers": {"X-User-Name": {"claim": "sub", "slot": "user"}, "X-App-Name": {"claim": "sub", "slot": "app"}},
        "upstream": "echo",
    },
    "cookie": {
        "path": "/cookie/*",
        "auth": "required",
        "slots": {"c": slot({"cookie": "session"})},
        "upstream": "echo",
    },
    "query": {"path": "/query/*", "auth": "required", "slots": {"q": slot({"query": "token"})}, "upstream": "echo"},
    "varying": {
        "path": "/varying/*",
        "auth": "required",
        "issuers": ["main"],
        "issue": {"audience": "https://orders.internal", "set": {"path": {"request": "path"}}},
        "upstream": "echo",
    },
    "fresh": {
        "path": "/fresh/*",
        "auth": "required",
        "issuers": ["main"],
        "issue": {"audience": "https://orders.internal", "reuse": False},
        "upstream": "echo",
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(routes=ROUTES) as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Upstream:
    both[1].forget()
    return both[1]


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    with Client(both[0].port) as client:
        yield client


def hits(gateway: Gateway) -> int:
    return gateway.call(lambda: gateway.embedded.worker.count_now().remembered_hits)


def test_a_second_request_with_the_same_token_is_remembered(both: tuple[Gateway, Upstream], client: Client) -> None:
    before, bearer = hits(both[0]), token()
    for _ in range(3):
        assert client.ask(request("/plain/1", bearer=bearer)).status == 200
    assert hits(both[0]) == before + 2


def test_sec_71_a_remembered_token_ends_with_its_exp(client: Client, upstream: Upstream) -> None:
    asks = request("/plain/1", bearer=token(exp=int(time.time()) + 60))
    assert [client.ask(asks).status for _ in range(2)] == [200, 200]
    with later(60):
        answer = client.ask(asks)
        assert (answer.status, json.loads(answer.body)["message"]) == (401, "The token has expired.")
        assert client.ask(asks).status == 401


def test_sec_71_an_issued_token_is_replaced_before_it_ends() -> None:
    routes = {"orders": {"issue": {"ttl_seconds": 1, "audience": "https://orders.internal"}}}
    with gateway_and_upstream(routes=routes) as (gateway, upstream), Client(gateway.port) as client:
        bearer = token()
        sent: set[str | None] = set()

        def ask() -> bool:
            assert client.ask(request("/orders/1", bearer=bearer)).status == 200
            sent.add(upstream.requests[-1].value("X-JWT-Assertion"))
            return len(sent) > 1

        until(ask)


def test_sec_71_the_whole_token_counts(client: Client, upstream: Upstream) -> None:
    bearer = token()
    assert client.ask(request("/plain/1", bearer=bearer)).status == 200
    head, _, signature = bearer.rpartition(".")
    others = [
        f"{head}.{signature[:-2]}AA",
        f"{head}.{'A' * len(signature)}",
        head + ".",
        token(sub="bob").rpartition(".")[0] + "." + signature,
    ]
    for other in others:
        assert client.ask(request("/plain/1", bearer=other)).status == 401
    assert client.ask(request("/plain/1")).status == 401
    assert len(upstream.requests) == 1


def test_sec_71_a_route_remembers_nothing_for_another(client: Client) -> None:
    bearer = token(scope="orders:read")
    assert client.ask(request("/plain/1", bearer=bearer)).status == 200
    assert client.ask(request("/scoped/1", bearer=bearer)).status == 403
    assert client.ask(request("/plain/1", bearer=bearer)).status == 200
    assert client.ask(request("/scoped/1", bearer=bearer)).status == 403


def test_what_is_remembered_of_nobody_is_not_somebody(client: Client, upstream: Upstream) -> None:
    for bearer in (None, token(), None, token(sub="bob")):
        assert client.ask(request("/optional/1", bearer=bearer)).status == 200
    assert client.ask(request("/optional/1", bearer=token(exp=1))).status == 401
    assert [message.values("X-User-Id") for message in upstream.requests] == [[], ["alice"], [], ["bob"]]


def test_a_token_is_remembered_for_the_field_it_stood_in(client: Client, upstream: Upstream) -> None:
    user, app = token(), token(sub="app", aud="https://apps.example")
    good = [f"X-User-Token: {user}", f"X-App-Token: {app}"]
    swapped = [f"X-User-Token: {app}", f"X-App-Token: {user}"]
    assert client.ask(request("/two/1", *good)).status == 200
    assert client.ask(request("/two/1", *good[::-1])).status == 200
    assert client.ask(request("/two/1", *swapped)).status == 401
    assert client.ask(request("/two/1", *swapped[::-1])).status == 401
    assert client.ask(request("/two/1", good[0])).status == 200
    assert client.ask(request("/two/1", swapped[1])).status == 401
    names = [(message.value("X-User-Name"), message.value("X-App-Name")) for message in upstream.requests]
    assert names == [("alice", "app"), ("alice", "app"), ("alice", None)]


def test_tokens_in_cookies_and_queries_are_remembered_by_themselves(
    both: tuple[Gateway, Upstream], client: Client
) -> None:
    one, two = token(), token(exp=1)
    before = hits(both[0])
    for _ in range(2):
        assert client.ask(request("/cookie/1", f"Cookie: session={one}")).status == 200
        assert client.ask(request("/cookie/1", f"Cookie: session={two}")).status == 401
        assert client.ask(request("/cookie/1", f"Cookie: session={one}; session={one}")).status == 400
        assert client.ask(request(f"/query/1?token={one}")).status == 200
        assert client.ask(request(f"/query/1?token={two}")).status == 401
        assert client.ask(request(f"/query/1?token={one}&token={one}")).status == 400
    assert hits(both[0]) == before + 2


def test_what_depends_on_the_request_is_not_remembered(both: tuple[Gateway, Upstream], client: Client) -> None:
    both[1].forget()
    before, bearer = hits(both[0]), token()
    for path in ("/varying/1", "/varying/2", "/fresh/1", "/fresh/1"):
        assert client.ask(request(path, bearer=bearer)).status == 200
    assert hits(both[0]) == before
    assert len({message.value("X-JWT-Assertion") for message in both[1].requests}) == 4


def test_a_new_document_begins_with_an_empty_memory() -> None:
    with gateway_and_upstream() as (gateway, _), Client(gateway.port) as client:
        bearer = token(scope="orders:read")
        assert client.ask(request("/orders/1", bearer=bearer)).status == 200
        gateway.reload(merged(gateway.document, {"routes": {"orders": {"scope": "orders:write"}}}))
        assert client.ask(request("/orders/1", bearer=bearer)).status == 403


def jwks(*keys: Key) -> Script:
    body = json.dumps({"keys": [key.public().to_jwk() for key in keys]}).encode()
    return say(response(body, "Content-Type: application/json"))


def issuer(*keys: Key) -> Upstream:
    return Upstream(jwks(*keys))


def test_sec_67_a_key_that_is_taken_back_ends_what_was_remembered_with_it() -> None:
    with issuer(KEY, ROTATED) as server, Upstream() as upstream:
        main = {"issuer": ISS, "keys": {"url": server.url}, "algorithms": ["ES256"], "audience": AUDIENCE}
        changed = document(upstream.url)
        changed["issuers"]["main"] = {**main, "refresh_seconds": 1}
        with Gateway(changed) as gateway, Client(gateway.port) as client:
            old, new = token(), token(key=ROTATED)
            for bearer in (old, new, old, new):
                assert client.ask(request("/orders/1", bearer=bearer)).status == 200
            assert hits(gateway) == 2
            server.script = jwks(ROTATED)
            until(lambda: client.ask(request("/orders/1", bearer=old)).status == 401)
            assert client.ask(request("/orders/1", bearer=new)).status == 200


def test_rel_60_a_request_waits_for_a_new_key_and_keeps_its_body() -> None:
    fetched = threading.Event()

    def slowly(served: Served, message: Message) -> None:
        fetched.wait(10)
        jwks(KEY, ROTATED)(served, message)

    with issuer(KEY) as server, Upstream() as upstream:
        changed = document(upstream.url)
        changed["issuers"]["main"]["keys"] = {"url": server.url}
        with Gateway(changed) as gateway, Client(gateway.port) as client, Client(gateway.port) as other:
            server.script = slowly
            new = token(key=ROTATED)
            client.send(request("/orders/1", bearer=new, method="POST", body=b"x" * 300_000) + request("/open/next"))
            until(lambda: len(server.requests) == 2)
            assert other.ask(request("/orders/1", bearer=token())).status == 200
            assert not client.has_news()
            fetched.set()
            assert [client.answer().status, client.answer().status] == [200, 200]
            assert [len(message.body) for message in upstream.requests] == [0, 300_000, 0]


def test_rel_22_a_client_may_go_while_its_key_is_fetched() -> None:
    fetched = threading.Event()

    def slowly(served: Served, message: Message) -> None:
        fetched.wait(10)
        jwks(KEY, ROTATED)(served, message)

    with issuer(KEY) as server, Upstream() as upstream:
        changed = document(upstream.url)
        changed["issuers"]["main"]["keys"] = {"url": server.url}
        with Gateway(changed) as gateway:
            server.script = slowly
            with Client(gateway.port) as client:
                client.send(request("/orders/1", bearer=token(key=ROTATED)))
                until(lambda: len(server.requests) == 2)
            assert gateway.log()[0]["reason"] == "client_gone"
            fetched.set()
            with Client(gateway.port) as client:
                until(lambda: client.ask(request("/orders/1", bearer=token(key=ROTATED))).status == 200)
            assert len(upstream.requests) == 1


@pytest.mark.parametrize(("most", "remembered", "evictions"), [(0, 0, 0), (4, 4, 6)])
def test_rel_18_the_memory_is_as_small_as_is_said(most: int, remembered: int, evictions: int) -> None:
    with gateway_and_upstream(limits={"remembered_outcomes": most}) as (gateway, _), Client(gateway.port) as client:
        for number in range(10):
            assert client.ask(request("/orders/1", bearer=token(jti=str(number)))).status == 200
        counters = gateway.call(lambda: gateway.embedded.worker.count_now())
        assert counters.remembered_entries == remembered
        assert counters.remembered_evictions == evictions


def test_what_is_said_of_a_remembered_caller_is_what_is_said_of_one_decided_anew() -> None:
    told = {"status": 503, "headers": {"X-Who": {"claim": "sub"}}, "log": {"again": {"claim": "sub"}}}
    changes = {"routes": {"orders": {"log": {"who": {"claim": "sub"}}, "answers": {"upstream_malformed": told}}}}
    with (
        gateway_and_upstream(say(b"nonsense\r\n\r\n"), **changes) as (gateway, upstream),
        Client(gateway.port) as client,
    ):
        one, other = token(), token(sub="bob")
        upstream.play(say(response()))
        assert client.ask(request("/orders/1", bearer=one)).status == 200
        for bearer, who in ((one, "alice"), (other, "bob"), (one, "alice")):
            answer = client.ask(request("/orders/1", bearer=bearer))
            assert (answer.status, answer.values("X-Who")) == (503, [who])
            assert gateway.line_of(answer)["log"] == {"who": who, "again": who}
