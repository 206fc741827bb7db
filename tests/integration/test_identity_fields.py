"""Paths, header fields and identity between a client and an upstream (SEC-110 to 118)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from jwtgate.jose.encoding import base64url_decode

from .rig import ISS, Client, Gateway, Message, Upstream, gateway_and_upstream, request, response, say, token

ROUTES = {
    "orders": {
        "headers": {
            "X-User-Id": {"claim": "sub"},
            "X-Groups": {"claim": "groups"},
            "X-Claims": {"claims": True},
            "X-Nickname": {"claim": "nickname"},
        }
    },
    "optional": {"path": "/optional/*", "auth": "optional", "issuers": ["main"], "upstream": "echo"},
    "places": {
        "path": "/places/*",
        "auth": "required",
        "slots": {
            "first": {"issuers": ["main"], "from": [{"header": "X-Token", "prefix": "JWT "}]},
            "second": {"issuers": ["main"], "from": [{"cookie": "session"}], "auth": "optional"},
            "third": {"issuers": ["main"], "from": [{"query": "access_token"}], "auth": "optional"},
        },
        "headers": {"X-First": {"claim": "sub", "slot": "first"}, "X-Third": {"claim": "sub", "slot": "third"}},
        "upstream": "echo",
    },
    "forwarding": {
        "path": "/forwarding/*",
        "auth": "required",
        "issuers": ["main"],
        "forward_token": True,
        "upstream": "echo",
    },
    "health": {"path": "/health", "auth": "none", "upstream": "echo"},
    "admin": {
        "path": "/admin/*",
        "auth": "required",
        "issuers": ["main"],
        "hosts": ["admin.example"],
        "upstream": "echo",
    },
    "reading": {"path": "/reading", "auth": "none", "methods": ["GET"], "upstream": "echo"},
    "shared": {
        "path": "/shared/*",
        "auth": "required",
        "issuers": ["main"],
        "private_responses": False,
        "upstream": "echo",
    },
    "browsers": {
        "path": "/browsers/*",
        "auth": "required",
        "issuers": ["main"],
        "forward_cors_preflight": True,
        "upstream": "echo",
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(routes=ROUTES) as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Iterator[Upstream]:
    both[1].forget()
    yield both[1]
    both[1].script = say(response())


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    with Client(both[0].port) as client:
        yield client


def target_of(message: Message) -> str:
    return message.start.split()[1].decode()


# Paths and routes.


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("/open/a-b_c.d~e", "/open/a-b_c.d~e"),
        ("/open/%41%2d%7E", "/open/A-~"),
        ("/open/%e2%82%ac", "/open/%E2%82%AC"),
        ("/x/../open/./a/../b", "/open/b"),
        ("/open/a/", "/open/a/"),
        ("/open/a?x=%2e%2e&y=//z", "/open/a?x=%2e%2e&y=//z"),
    ],
)
def test_sec_110_the_path_that_is_matched_is_the_path_that_is_sent(
    client: Client, upstream: Upstream, asked: str, sent: str
) -> None:
    assert client.ask(request(asked)).status == 200
    assert target_of(upstream.one_request()) == sent


@pytest.mark.parametrize(
    "path",
    [
        "/open/%2f",
        "/open/%5C",
        "/open/%00",
        "/open/%2e%2e/orders/1",
        "/open/.%2E/orders/1",
        "/open\\..\\orders",
        "/open//a",
        "//open/a",
        "/open/a;b=c",
        "/open/a#b",
        "/open/%ff",
        "/open/%252e",
        "/open/%2",
        "/open/%zz",
        "/../orders",
        "/open/%0d%0aA:b",
    ],
)
def test_sec_110_a_path_with_two_readings_is_refused(client: Client, upstream: Upstream, path: str) -> None:
    assert client.ask(request(path)).status == 400
    assert upstream.requests == []


def test_sec_110_a_document_may_keep_what_is_refused_by_default() -> None:
    paths = {"repeated_slashes": "merge", "encoded_slashes": "keep", "parameters": "keep"}
    with gateway_and_upstream(paths=paths) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request("/open//a%2fb;c=d")).status == 200
        assert target_of(upstream.one_request()) == "/open/a%2Fb;c=d"
        assert client.ask(request("/orders//a")).status == 401


@pytest.mark.parametrize(
    "path", ["/", "/healthy", "/health/", "/health/x", "/Health", "/open", "/openx/a", "/nowhere?a=/open/a"]
)
def test_sec_111_what_no_route_takes_is_refused(client: Client, upstream: Upstream, path: str) -> None:
    assert client.ask(request(path)).status == 404
    assert upstream.requests == []


def test_sec_111_an_exemption_ends_at_its_segment(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/health")).status == 200
    assert client.ask(request("/health/../orders/1")).status == 401
    assert client.ask(request("/open/../orders/1")).status == 401


def test_sec_111_the_method_is_part_of_the_match(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/reading")).status == 200
    assert client.ask(request("/reading", method="POST", body=b"")).status == 404


@pytest.mark.parametrize("host", ["admin.example", "ADMIN.example", "admin.example.", "admin.example:443"])
def test_sec_111_the_host_is_part_of_the_match_however_it_is_written(
    client: Client, upstream: Upstream, host: str
) -> None:
    assert client.ask(request("/admin/a", host=host)).status == 401
    assert client.ask(request("/admin/a", host="gate.example")).status == 404


# Identity.

_SPELLINGS = ["X-User-Id", "x-user-id", "X-USER-ID", "X_User_Id", "X.User.Id", "x-user_id", "X!User!Id", "X^User|Id"]


@pytest.mark.parametrize("name", _SPELLINGS)
@pytest.mark.parametrize("path", ["/open/a", "/health", "/optional/a", "/orders/1", "/shared/1"])
def test_sec_112_no_client_says_who_it_is_on_any_route(
    client: Client, upstream: Upstream, name: str, path: str
) -> None:
    bearer = token() if path in ("/orders/1", "/shared/1") else None
    assert client.ask(request(path, f"{name}: root", "X-JWT-Assertion: forged", bearer=bearer)).status == 200
    sent = upstream.one_request()
    told = {name.lower(): value for name, value in sent.fields}
    assert told.get(b"x-user-id") == (b"alice" if path == "/orders/1" else None)
    assert told.get(b"x-jwt-assertion") != b"forged"
    assert b"root" not in sent.raw_head


@pytest.mark.parametrize("name", ["X_Other", "X.Other", "Content_Length", "A!", "A*b", "a~"])
def test_sec_113_an_unusual_field_name_is_refused(client: Client, upstream: Upstream, name: str) -> None:
    assert client.ask(request("/open/a", f"{name}: b")).status == 400
    assert upstream.requests == []


def test_sec_113_unusual_names_may_be_dropped_instead() -> None:
    changes = {"unusual_names": "drop"}
    with gateway_and_upstream(fields=changes) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request("/open/a", "X_Other: 1", "X-Other: 2")).status == 200
        assert upstream.one_request().raw_head.lower().count(b"other") == 1


_ABOUT_THE_CLIENT = [
    "Forwarded: for=192.0.2.1",
    "X-Forwarded-For: 192.0.2.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: admin.example",
    "X-Forwarded-Prefix: /x",
    "X-Forwarded-Client-Cert: x",
    "X-Real-IP: 192.0.2.1",
    "X-Original-URL: /admin",
    "X-Original-Method: GET",
    "X-Rewrite-URL: /admin",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X-Envoy-Original-Path: /admin",
    "X-SSL-Client-Verify: SUCCESS",
    "X-Client-Cert: x",
    "Client-Cert: x",
    "True-Client-IP: 192.0.2.1",
    "X-Request-Id: chosen",
]


def test_sec_114_an_untrusted_client_says_nothing_about_itself(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/open/a", *_ABOUT_THE_CLIENT)).status == 200
    sent = upstream.one_request()
    assert sent.values("X-Forwarded-For") == ["127.0.0.1"]
    assert sent.values("X-Forwarded-Proto") == ["http"]
    assert sent.values("X-Forwarded-Host") == ["gate.example"]
    assert sent.value("X-Request-Id") != "chosen"
    told = {name.lower() for name, _ in sent.fields}
    assert told == {b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"}


def test_sec_114_what_is_said_about_a_request_never_chooses_its_route(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/orders/1", "X-Original-URL: /open/a", "X-Forwarded-Host: x")).status == 401
    assert client.ask(request("/reading", "X-HTTP-Method-Override: GET", method="POST", body=b"")).status == 404


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "X-User-Id", "x-original-url", "X-SSL-Client-Verify"])
def test_sec_112_sec_114_what_a_client_says_of_itself_meets_no_condition(name: str) -> None:
    asked = f"'{name.lower()}' in request.headers && request.headers['{name.lower()}'] == 'https'"
    routes = {"guarded": {"path": "/guarded", "auth": "none", "upstream": "echo", "require": [asked]}}
    told = request("/guarded", f"{name}: https")
    with gateway_and_upstream(routes=routes) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(told).status == 403
        assert upstream.requests == []
    trusted = {"trusted_proxies": ["127.0.0.0/8"]}
    with gateway_and_upstream(routes=routes, **trusted) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(told).status == (403 if name == "X-User-Id" else 200)


def test_sec_114_a_trusted_proxy_is_believed_and_the_list_grows() -> None:
    trusted = {"trusted_proxies": ["127.0.0.0/8"]}
    with gateway_and_upstream(**trusted) as (gateway, upstream), Client(gateway.port) as client:
        fields = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Request-Id: theirs", "X-User-Id: root"]
        answer = client.ask(request("/open/a", "Connection: X-Forwarded-For", *fields))
        sent = upstream.one_request()
        assert sent.values("X-Forwarded-For") == ["192.0.2.1", "127.0.0.1"]
        assert (sent.value("X-Forwarded-Proto"), sent.value("X-Request-Id")) == ("https", "theirs")
        assert sent.values("X-User-Id") == []
        assert answer.value("X-Request-Id") == "theirs"


def test_sec_114_trust_ends_with_the_document_that_gave_it() -> None:
    trusted = {"trusted_proxies": ["127.0.0.0/8"]}
    with gateway_and_upstream(**trusted) as (gateway, upstream), Client(gateway.port) as client:
        client.ask(request("/open/a", "X-Forwarded-For: 192.0.2.1"))
        document = gateway.document
        del document["trusted_proxies"]
        gateway.reload(document)
        client.ask(request("/open/a", "X-Forwarded-For: 192.0.2.1"))
        assert [message.values("X-Forwarded-For") for message in upstream.requests] == [
            ["192.0.2.1", "127.0.0.1"],
            ["127.0.0.1"],
        ]


def test_sec_115_claims_become_values_without_line_ends(client: Client, upstream: Upstream) -> None:
    bearer = token(sub="a\r\nX-Role: root", groups=["a,b", "ü", 3, True])
    assert client.ask(request("/orders/1", bearer=bearer)).status == 200
    sent = upstream.one_request()
    assert sent.value("X-User-Id") == "a%0D%0AX-Role: root"
    assert sent.value("X-Groups") == "a%2Cb,%C3%BC,3,true"
    claims = json.loads(base64url_decode(sent.value("X-Claims") or ""))
    assert (claims["iss"], claims["sub"]) == (ISS, "a\r\nX-Role: root")
    assert sent.values("X-Nickname") == sent.values("X-Role") == []


def test_sec_115_a_claim_that_cannot_be_a_value_refuses_the_token(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/orders/1", bearer=token(groups={"a": "b"}))).status == 401
    assert client.ask(request("/orders/1", bearer=token(nickname="x" * 9000))).status == 401
    assert upstream.requests == []


# Where the caller's token goes.


def test_sec_116_the_token_stays_here_and_ours_goes_on(client: Client, upstream: Upstream) -> None:
    bearer = token()
    client.ask(request("/orders/1", bearer=bearer))
    sent = upstream.one_request()
    assert sent.values("Authorization") == []
    assert bearer.encode() not in sent.raw_head
    assert len((sent.value("X-JWT-Assertion") or "").split(".")) == 3


def test_sec_116_tokens_are_taken_out_of_every_place(client: Client, upstream: Upstream) -> None:
    first, second, third = token(sub="one"), token(sub="two"), token(sub="three")
    target = f"/places/a?b=c&access_token={third}&d=e"
    fields = [f"X-Token: JWT {first}", f"Cookie: theme=dark; session={second}; lang=en", "Cookie: session_of=x"]
    assert client.ask(request(target, *fields)).status == 200
    sent = upstream.one_request()
    assert target_of(sent) == "/places/a?b=c&d=e"
    assert (sent.value("X-First"), sent.value("X-Third")) == ("one", "three")
    assert sent.value("Cookie") == "theme=dark; lang=en; session_of=x"
    assert sent.values("X-Token") == []
    assert not any(secret.encode() in sent.raw_head for secret in (first, second, third))


def test_sec_116_a_cookie_field_of_tokens_alone_does_not_go_on(client: Client, upstream: Upstream) -> None:
    fields = [f"X-Token: JWT {token()}", f"Cookie: session={token()}"]
    assert client.ask(request(f"/places/a?access_token={token()}", *fields)).status == 200
    sent = upstream.one_request()
    assert (sent.values("Cookie"), target_of(sent)) == ([], "/places/a")


def test_sec_116_a_route_may_send_the_token_on(client: Client, upstream: Upstream) -> None:
    bearer = token()
    client.ask(request("/forwarding/1", "Connection: Authorization", bearer=bearer))
    assert upstream.one_request().value("Authorization") == f"Bearer {bearer}"


def test_sec_18_two_tokens_for_one_slot_are_refused(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/orders/1", f"Authorization: Bearer {token()}", bearer=token())).status == 400
    assert client.ask(request("/places/1", f"X-Token: JWT {token()}", f"X-Token: JWT {token()}")).status == 400
    assert upstream.requests == []


def test_every_slot_of_a_route_is_looked_at(client: Client, upstream: Upstream) -> None:
    good, bad = token(), token(exp=1)
    assert client.ask(request("/places/1", f"Cookie: session={good}")).status == 401
    assert client.ask(request("/places/1", f"X-Token: JWT {good}", f"Cookie: session={bad}")).status == 401
    assert client.ask(request("/places/1", f"X-Token: JWT {good}", f"Cookie: session={good}")).status == 200


def test_sec_52_a_bad_token_is_refused_where_none_is_needed(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/optional/a")).status == 200
    assert client.ask(request("/optional/a", bearer=token(exp=1))).status == 401
    assert len(upstream.requests) == 1


def test_a_token_in_authorization_may_be_replaced_by_ours() -> None:
    issue = {"audience": "https://orders.internal", "header": "Authorization", "scheme": "Bearer", "copy": ["sub"]}
    with (
        gateway_and_upstream(routes={"orders": {"issue": issue}}) as (gateway, upstream),
        Client(gateway.port) as client,
    ):
        for bearer in (token(), token(sub="bob")):
            assert client.ask(request("/orders/1", bearer=bearer)).status == 200
            assert upstream.requests[-1].value("Authorization") not in (None, f"Bearer {bearer}")
        assert client.ask(request("/orders/1")).status == 401
        assert client.ask(request("/open/1", bearer=token())).status == 200
        assert upstream.requests[-1].values("Authorization") == []
        first, second, _ = upstream.requests
        assert first.value("Authorization") != second.value("Authorization")


# Answers.


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ([], ["private"]),
        (["max-age=60"], ["max-age=60", "private"]),
        (["public, max-age=60"], ["public, max-age=60", "private"]),
        (['private="x-a"'], ['private="x-a"', "private"]),
        (["private, max-age=60"], ["private, max-age=60"]),
        (["max-age=60", "No-Store"], ["max-age=60", "No-Store"]),
    ],
)
def test_sec_117_no_shared_cache_keeps_an_answer_to_a_proven_caller(
    client: Client, upstream: Upstream, theirs: list[str], ours: list[str]
) -> None:
    upstream.script = say(response(b"ok", *(f"Cache-Control: {value}" for value in theirs), "Vary: Accept"))
    answer = client.ask(request("/orders/1", bearer=token()))
    assert answer.values("Cache-Control") == ours
    assert answer.value("Vary") == "Accept"


def test_sec_117_a_route_may_leave_caching_to_its_upstream(client: Client, upstream: Upstream) -> None:
    upstream.script = say(response(b"ok", "Cache-Control: max-age=60"))
    assert client.ask(request("/shared/1", bearer=token())).values("Cache-Control") == ["max-age=60"]
    assert client.ask(request("/open/1")).values("Cache-Control") == ["max-age=60"]


def test_sec_117_an_upstream_does_not_tell_the_client_what_it_was_told(client: Client, upstream: Upstream) -> None:
    echoed = ["X-User-Id: alice", "x_user_id: alice", "X-JWT-Assertion: a.b.c", "X-Request-Id: theirs", "X-Other: 1"]
    upstream.script = say(response(b"ok", *echoed))
    answer = client.ask(request("/open/1"))
    assert [name for name, _ in answer.fields] == [b"X-Other", b"Content-Length", b"X-Request-Id"]
    assert answer.value("X-Request-Id") != "theirs"


# Preflights.

PREFLIGHT = ["Origin: https://app.example", "Access-Control-Request-Method: POST"]


def test_sec_118_a_preflight_passes_where_that_is_said(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/browsers/1", *PREFLIGHT, method="OPTIONS")).status == 200
    assert upstream.one_request().values("X-JWT-Assertion") == []


@pytest.mark.parametrize(
    ("path", "method", "fields"),
    [
        ("/orders/1", "OPTIONS", PREFLIGHT),
        ("/browsers/1", "OPTIONS", PREFLIGHT[:1]),
        ("/browsers/1", "OPTIONS", PREFLIGHT[1:]),
        ("/browsers/1", "OPTIONS", [*PREFLIGHT, "Origin: https://other.example"]),
        ("/browsers/1", "GET", PREFLIGHT),
    ],
)
def test_sec_118_nothing_else_passes_as_a_preflight(
    client: Client, upstream: Upstream, path: str, method: str, fields: list[str]
) -> None:
    assert client.ask(request("/browsers/1", *PREFLIGHT, method="OPTIONS")).status == 200
    assert client.ask(request(path, *fields, method=method)).status == 401
    assert len(upstream.requests) == 1
