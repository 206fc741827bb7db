"""How many requests a caller may make: counted over every worker, to the last one, and said in every answer."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rig import (
    AUDIENCE,
    OUR_ISS,
    Client,
    Document,
    Gateway,
    Message,
    Upstream,
    document,
    request,
    response,
    say,
    token,
)

from jwtgate.jose.key import Key
from jwtgate.jose.token import sign_token

from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer

SECRET = "a secret of a consumer of the tests, all their own"
HOUR = {"window_seconds": 3600}
"""No test lasts as long."""
SHOWN = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def whole(upstream: str) -> Document:
    made = document(upstream)
    credential = {"alg": "HS256", "secret": SECRET}
    made["consumers"] = {
        "ann": {"rate_limit": {"requests": 3, **HOUR}, "credentials": {"ann-key": credential}},
        "bob": {"credentials": {"bob-key": credential}},
        "nobody": {"rate_limit": {"requests": 1, **HOUR, "show_headers": False, "body": {"slow": "down"}}},
    }
    made["issuers"]["own"] = {"consumers": {"claim": "key"}, "audience": AUDIENCE, "leeway_seconds": 0}
    whom = {"auth": "required", "issuers": ["own"], "upstream": "echo"}
    answers = {"rate_limit_exceeded": {"status": 420, "body": "calm"}, "rate_refused": {"status": 421}}
    tight = {"requests": 1, **HOUR}
    made["routes"] |= {
        "callers": {"path": "/callers/*", **whom, "rate_limit": {"requests": 5, **HOUR}},
        "people": {
            "path": "/people/*",
            "auth": "required",
            "issuers": ["main"],
            "upstream": "echo",
            "rate_limit": {"requests": 2, **HOUR},
        },
        "anyone": {"path": "/anyone/*", **whom, "auth": "optional", "anonymous_consumer": "nobody"},
        "tenants": {
            "path": "/tenants/*",
            "auth": "none",
            "upstream": "echo",
            "rate_limit": {
                **tight,
                "by": {"header": "x-tenant"},
                "status": 503,
                "body": "wait",
                "content_type": "text/x",
            },
            "answers": answers,
        },
        "worded": {"path": "/worded/*", "auth": "none", "upstream": "echo", "rate_limit": tight, "answers": answers},
        "sign": {
            "path": "/sign",
            "auth": "none",
            "rate_limit": {"requests": 2, **HOUR},
            "mint": {
                "credentials": "any",
                "by_query": {"credential": "key"},
                "unauthenticated_minting_allowed": True,
            },
        },
        "closed": {
            "path": "/closed/*",
            "auth": "none",
            "upstream": "echo",
            "require": "false",
            "rate_limit": tight,
        },
    }
    return made


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    with Gateway(whole(upstream.url)) as gateway:
        yield gateway


def of(credential: str) -> str:
    claims = {"key": credential, "aud": AUDIENCE, "exp": int(time.time()) + 300}
    return sign_token(claims, Key.secret(SECRET.encode(), alg="HS256"), alg="HS256")


def ask(gateway: Gateway, path: str, *fields: str, bearer: str | None = None, method: str = "GET") -> Message:
    with Client(gateway.port) as client:
        return client.ask(request(path, *fields, bearer=bearer, method=method))


def shown(answer: Message) -> tuple[str | None, ...]:
    return tuple(answer.value(name) for name in SHOWN)


def test_every_answer_says_what_is_left_until_nothing_is(gateway: Gateway, upstream: Upstream) -> None:
    alice = token(sub="alice")
    upstream.forget()
    answers = [ask(gateway, "/people/a", bearer=alice) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert [shown(answer)[:2] for answer in answers] == [("2", "1"), ("2", "0"), ("2", "0"), ("2", "0")]
    assert all(3500 < int(answer.value("X-RateLimit-Reset") or "") <= 3600 for answer in answers)
    assert answers[2].value("Retry-After") == answers[2].value("X-RateLimit-Reset")
    assert answers[2].value("WWW-Authenticate") is None
    told = json.loads(answers[2].body)
    assert (told["error"], told["message"]) == ("rate_limit_exceeded", "Too many requests were made.")
    assert len(upstream.requests) == 2
    assert gateway.line_of(answers[2])["reason"] == "rate_limit_exceeded"
    assert ask(gateway, "/people/a", bearer=token(sub="bob")).status == 200
    assert b"jwtgate_rate_limit_entries 2.0\n" in ask(gateway, "/metrics").body


def test_a_consumer_s_own_limit_stands_instead_of_the_route_s_and_on_every_route(gateway: Gateway) -> None:
    ann, bob = of("ann-key"), of("bob-key")
    assert [ask(gateway, f"/{where}/a", bearer=ann).status for where in ("callers", "anyone", "callers", "anyone")] == [
        *(200, 200, 200, 429)
    ]
    assert [ask(gateway, "/callers/a", bearer=bob).status for _ in range(6)] == [200] * 5 + [429]
    assert [ask(gateway, "/anyone/a", bearer=bob).status for _ in range(3)] == [200] * 3
    assert shown(ask(gateway, "/anyone/a", bearer=bob)) == (None, None, None)


def test_a_consumer_with_a_limit_is_counted_also_where_others_are_remembered(gateway: Gateway) -> None:
    ann, bob = of("ann-key"), of("bob-key")
    with Client(gateway.port) as client:
        statuses = [client.ask(request("/anyone/a", bearer=who)).status for who in (bob, ann) * 5]
    assert Counter(statuses) == {200: 8, 429: 2}
    assert gateway.embedded.worker.counters.remembered_hits == 4


def test_the_anonymous_consumer_has_a_limit_too_and_words_of_its_own(gateway: Gateway) -> None:
    first, second = (ask(gateway, "/anyone/a") for _ in range(2))
    assert (first.status, second.status) == (200, 429)
    assert shown(first) == shown(second) == (None, None, None)
    assert (second.value("Content-Type"), json.loads(second.body)) == ("application/json", {"slow": "down"})
    assert second.value("Retry-After") is not None
    assert ask(gateway, "/anyone/a", bearer=of("bob-key")).status == 200


def test_a_limit_is_answered_as_it_says_and_else_as_its_route_does(gateway: Gateway) -> None:
    acme, beta = "X-Tenant: acme", "X-Tenant: beta"
    answers = [ask(gateway, "/tenants/a", field) for field in (acme, beta, acme)]
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert (answers[2].body, answers[2].value("Content-Type")) == (b"wait", "text/x")
    assert shown(answers[2])[:2] == ("1", "0")
    worded = [ask(gateway, "/worded/a") for _ in range(2)][1]
    assert (worded.status, worded.body, shown(worded)[:2]) == (420, b"calm", ("1", "0"))


def test_a_request_that_is_refused_before_is_not_counted(gateway: Gateway) -> None:
    assert [ask(gateway, "/closed/a").status for _ in range(3)] == [403] * 3
    assert [ask(gateway, "/people/a", bearer=token(exp=1)).status for _ in range(3)] == [401] * 3
    assert shown(ask(gateway, "/people/a", bearer=token()))[1] == "1"


def test_a_route_that_mints_has_a_limit_too(gateway: Gateway) -> None:
    answers = [ask(gateway, f"/sign?key={key}") for key in ("ann-key", "nothing", "ann-key")]
    assert [answer.status for answer in answers] == [200, 400, 429]
    assert [shown(answer)[1] for answer in answers] == ["1", "0", "0"]


def test_what_the_upstream_refuses_says_what_is_left_as_well(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(say(response(b"no", status="404 Not Found")))
    answer = ask(gateway, "/people/a", bearer=token(sub="carol"))
    assert (answer.status, shown(answer)[1]) == (404, "1")


def test_a_new_document_with_another_limit_counts_anew_and_with_the_same_goes_on(gateway: Gateway) -> None:
    assert [ask(gateway, "/worded/a").status for _ in range(2)] == [200, 420]
    changed = gateway.document
    gateway.reload(changed)
    assert ask(gateway, "/worded/a").status == 420
    changed["routes"]["worded"]["rate_limit"] = {"requests": 2, **HOUR}
    gateway.reload(changed)
    assert [ask(gateway, "/worded/a").status for _ in range(3)] == [200, 200, 420]


GRANTED, CLIENTS, EACH = 37, 4, 20


def document_of_process(upstream: str) -> str:
    route: dict[str, Any] = {"path": "/*", "auth": "none", "upstream": "echo"}
    route["rate_limit"] = {"requests": GRANTED, "window_seconds": 3600, "by": "route"}
    whole = {
        "listen": ["127.0.0.1:0"],
        "status_listen": "127.0.0.1:0",
        "signing": {"issuer": OUR_ISS},
        "upstreams": {"echo": {"targets": upstream}},
        "routes": {"all": route},
    }
    return json.dumps(whole)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[GatewayProcess]:
    with LoopbackServer() as server, GatewayProcess(tmp_path, document_of_process(server.url), workers=2) as node:
        yield node


def test_two_workers_grant_as_many_as_one_and_not_one_more(node: GatewayProcess) -> None:
    found: list[tuple[int, str | None]] = []

    def ask_many() -> None:
        for _ in range(EACH):
            connection = node.connect()
            try:
                found.append(answer_of(connection))
            finally:
                connection.close()

    threads = [threading.Thread(target=ask_many) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(status for status, _ in found) == {200: GRANTED, 429: CLIENTS * EACH - GRANTED}
    left = sorted(int(remaining or "") for status, remaining in found if status == 200)
    assert left == list(range(GRANTED))
    assert node.reload()["event"] == "reloaded"
    assert node.get("/a")[0] == 429


def answer_of(connection: http.client.HTTPConnection) -> tuple[int, str | None]:
    connection.request("GET", "/a")
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("X-RateLimit-Remaining")


def test_an_answer_tells_of_our_limit_alone() -> None:
    theirs = say(response(b"ok", "X-RateLimit-Limit: 9", "x-ratelimit-remaining: 8", "X-Other: 7"))
    free = {"path": "/free", "auth": "none", "upstream": "echo"}
    with Upstream(theirs) as upstream:
        whole = document(upstream.url, routes={"open": {"rate_limit": {"requests": 2, **HOUR}}, "free": free})
        with Gateway(whole) as gateway, Client(gateway.port) as client:
            ours, upstreams = client.ask(request("/open/a")), client.ask(request("/free"))
    assert [ours.value(name) for name in (*SHOWN[:2], "X-Other")] == ["2", "1", "7"]
    assert [upstreams.value(name) for name in SHOWN[:2]] == ["9", "8"]
