"""What becomes of a request once its head is read: remembered, decided, or answered with a token of ours."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.gateway.messages import head_of, status_of
from tests.unit.gateway.parts import (
    OK,
    SIGNER,
    SLOWLY_ISSUED,
    Gate,
    a_generation,
    a_plan,
    a_request,
    a_route,
    an_order,
)

from jwtgate.errors import DependencyFault, UpstreamFault
from jwtgate.gateway.mint import MOST_BODY_BYTES, Minted, NeedMinted
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.calls.call import Called, NeedCall
from jwtgate.policy.facts import Allowance, IssuedToken, NeedAllowance, NeedIssuedToken
from jwtgate.policy.plan import Plan
from jwtgate.policy.provisions import CredentialsOffered, Issue, Mint, QueryNames
from jwtgate.policy.rate_limits import RateLimit
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.forwarding import Rewriting
from jwtgate.policy.traffic.upstreams import NOWHERE

MINT = Mint(profiles=frozenset({"robots"}), credentials=CredentialsOffered.ANY, claims=frozenset({"sub"}))
PROFILE = Issue("robots", "", "default", "https://gate.example", ("internal",), ttl_seconds=300, reuse=False)
ASKED = {"profile": "robots", "claims": {"sub": "r2"}}


def minting_plan(**changes: Any) -> Plan:
    """The small document's plan, whose route `orders` answers with tokens of ours."""
    plan = a_plan()
    orders, other = plan.routes
    route = replace(orders, upstream=NOWHERE, issue=(), identity=(), mint=replace(MINT, **changes))
    router = Router()
    router.add(route, "/orders/*", methods=(), hosts=())
    return replace(plan, routes=(route, other), router=router, profiles={"robots": PROFILE})


def minting_gate(**options: Any) -> Gate:
    return Gate(a_generation(minting_plan(), **options))


def asking(content: object = ASKED, *fields: bytes, method: bytes = b"POST") -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    length = b"Content-Length: %d" % len(body)
    kind = () if any(field.lower().startswith(b"content-type") for field in fields) else (JSON,)
    return an_order(length, *kind, *fields, start=method + b" /orders/sign") + body


JSON = b"Content-Type: application/json; charset=utf-8"


def test_a_token_of_a_profile_is_signed_and_answered() -> None:
    gate = minting_gate()
    got = gate.send(asking()).transport.take()
    assert (status_of(got), head_of(got)[1][b"cache-control"]) == (200, b"no-store")
    answer = json.loads(got.partition(b"\r\n\r\n")[2])
    token = UnverifiedToken.parse(answer["token"]).verify([SIGNER], {"ES256"})
    assert token.claims["sub"] == "r2"
    assert (token.claims["iss"], token.claims["aud"]) == ("https://gate.example", "internal")
    assert token.claims["exp"] - token.claims["iat"] == answer["expires_in"] == 300  # type: ignore[operator]
    assert gate.outcomes == [(200, "")]


def test_no_two_requests_are_given_the_same_token() -> None:
    gate = minting_gate()
    assert gate.send(asking()).transport.take() != gate.send(asking()).transport.take()


def test_sec_147_whoever_is_not_allowed_is_refused_before_the_body_is_looked_at() -> None:
    gate = minting_gate()
    gate.send(a_request(b"Content-Length: 2", JSON, start=b"POST /orders/sign") + b"{}")
    assert gate.outcomes == [(401, "credential_missing")]


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_body_may_come_in_pieces(cut: int) -> None:
    gate, sent = minting_gate(), asking()
    gate.send(sent[:-cut])
    assert gate.outcomes == []
    assert status_of(gate.send(sent[-cut:]).transport.take()) == 200


def test_a_body_may_come_in_chunks() -> None:
    gate, body = minting_gate(), json.dumps(ASKED).encode()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    gate.send(an_order(b"Transfer-Encoding: chunked", JSON, start=b"POST /orders/sign") + chunks)
    assert gate.outcomes == [(200, "")]


def test_a_client_that_waits_for_word_is_told_to_go_on() -> None:
    gate, sent = minting_gate(), asking(ASKED, b"Expect: 100-continue")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert gate.send(head + b"\r\n\r\n").transport.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert status_of(gate.send(body).transport.take()) == 200


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (asking({"profile": "people"}), 400, "minting_refused"),
        (asking(b""), 400, "minting_refused"),
        (asking(ASKED, b"Content-Type: text/plain"), 400, "minting_refused"),
        (asking(b" " * (MOST_BODY_BYTES + 1)), 413, "request_too_large"),
        (an_order(start=b"GET /orders/sign"), 405, "method_not_permitted"),
    ],
)
def test_what_cannot_be_made_is_refused(sent: bytes, status: int, reason: str) -> None:
    gate = minting_gate()
    gate.send(sent)
    assert gate.outcomes == [(status, reason)]
    assert gate.desk.bugs == []


def test_a_wrong_method_is_told_the_right_one() -> None:
    got = minting_gate().send(an_order(start=b"GET /orders/sign")).transport.take()
    assert head_of(got)[1][b"allow"] == b"POST"


def test_a_slow_signature_is_waited_for() -> None:
    gate = minting_gate(issued=SLOWLY_ISSUED)
    gate.send(asking())
    ((need, done),) = gate.desk.needs
    assert isinstance(need, NeedIssuedToken)
    done(IssuedToken("a.b.c", 0))
    assert b'"token":"a.b.c"' in gate.transport.take()


def test_a_token_of_a_credential_is_asked_for() -> None:
    gate = minting_gate()
    gate.send(asking({"credential": "key-1", "ttl_seconds": 5}, b"Accept: text/plain"))
    ((need, done),) = gate.desk.needs
    assert need == NeedMinted("key-1", None, {}, 5)
    done(Minted("a.b.c", 5))
    assert gate.transport.take().endswith(b"\r\n\r\na.b.c")


def test_sec_143_a_token_that_cannot_be_had_is_a_503() -> None:
    gate = minting_gate()
    gate.send(asking({"credential": "key-1"}))
    gate.desk.needs[0][1](DependencyFault("signer_unavailable"))
    assert gate.outcomes == [(503, "signer_unavailable")]


def test_whoever_forwards_is_no_less_remembered() -> None:
    gate = Gate()
    gate.idle()
    for _ in range(2):
        gate.send(an_order()).answer(OK)
    assert gate.desk.counters.remembered_hits == 1
    assert [exchange.consumer for exchange in gate.desk.done] == ["", ""]


QUERY = {"profiles": frozenset[str](), "by_query": QueryNames("key", "payload")}


def asking_by_query(query: bytes, start: bytes = b"GET") -> tuple[Gate, bytes]:
    gate = Gate(a_generation(minting_plan(**QUERY)))
    return gate, gate.send(an_order(start=b"%b /orders/sign?%b" % (start, query))).transport.take()


def test_a_token_may_be_asked_for_by_query_and_is_answered_alone() -> None:
    gate, _ = asking_by_query(b"key=key%2D1&payload=%7B%22sub%22%3A%22r2%22%7D")
    ((need, done),) = gate.desk.needs
    assert need == NeedMinted("key-1", None, {"sub": "r2"}, 3600)
    done(Minted("a.b.c", 5))
    got = gate.transport.take()
    assert got.endswith(b"\r\n\r\na.b.c")
    assert head_of(got)[1][b"content-type"].startswith(b"text/plain")


@pytest.mark.parametrize(
    ("query", "start", "status", "reason"),
    [
        (b"", b"GET", 400, "minting_credential_missing"),
        (b"key=a&key=b", b"GET", 400, "minting_credential_unknown"),
        (b"key=a&payload=x", b"GET", 400, "minting_claims_refused"),
        (b"key=a", b"POST", 405, "method_not_permitted"),
        (b"key=a", b"HEAD", 405, "method_not_permitted"),
    ],
)
def test_what_a_query_cannot_ask_for_is_refused(query: bytes, start: bytes, status: int, reason: str) -> None:
    gate, _ = asking_by_query(query, start)
    assert gate.outcomes == [(status, reason)]


def gate_of(**changes: Any) -> Gate:
    """A gate whose route `orders` differs by these."""
    plan = a_plan()
    orders, other = plan.routes
    route, router = replace(orders, **changes), Router()
    router.add(route, "/orders/*", methods=(), hosts=())
    return Gate(a_generation(replace(plan, routes=(route, other), router=router)))


def limited_gate(**changes: Any) -> Gate:
    return gate_of(rate_limit=RateLimit(3, 30), **changes)


def leave(gate: Gate, answer: object) -> Gate:
    ((need, done),) = gate.send(an_order()).desk.needs
    assert isinstance(need, NeedAllowance)
    done(answer)
    gate.settle()
    return gate


def test_an_answer_of_the_upstream_says_what_a_limit_leaves() -> None:
    gate = leave(limited_gate(), Allowance(True, 2, 12))
    fields = head_of(gate.answer(OK))[1]
    assert (fields[b"x-ratelimit-limit"], fields[b"x-ratelimit-remaining"], fields[b"x-ratelimit-reset"]) == (
        *(b"3", b"2", b"12"),
    )


def test_so_does_a_refusal_of_ours() -> None:
    gate = leave(limited_gate(), Allowance(False, 0, 12))
    got = gate.transport.take()
    assert (status_of(got), head_of(got)[1][b"x-ratelimit-remaining"], head_of(got)[1][b"retry-after"]) == (
        *(429, b"0", b"12"),
    )
    assert gate.outcomes == [(429, "rate_limit_exceeded")]


def test_sec_143_who_cannot_be_counted_is_let_through_by_nobody() -> None:
    gate = leave(limited_gate(), DependencyFault("requests_not_counted"))
    assert b"x-ratelimit" not in gate.transport.take().lower()
    assert gate.outcomes == [(503, "requests_not_counted")]


def test_what_holds_for_one_request_alone_is_not_remembered() -> None:
    gate = limited_gate(remembered=True)
    leave(gate, Allowance(True, 2, 12))
    assert len(gate.desk.generation.memory) == 0


class Counting(Router):
    """A router that counts how often it is asked."""

    asked = 0

    def find(self, *asked: Any) -> Any:
        self.asked += 1
        return super().find(*asked)


def test_the_route_of_a_request_is_looked_for_once() -> None:
    plan, router = a_plan(), Counting()
    router.add(plan.routes[0], "/orders/*", methods=(), hosts=())
    gate = Gate(a_generation(replace(plan, router=router)))
    gate.idle()
    gate.send(an_order()).answer(OK)
    assert (gate.outcomes, router.asked) == ([(200, "")], 1)


class Moving:
    """A pattern that knows what it was asked."""

    literal = ""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def end(self, path: str) -> None:
        raise NotImplementedError

    def replaced(self, path: str) -> str:
        self.asked.append(path)
        return path.replace("/orders/bad", "/..").replace("/orders", "/moved")


@pytest.mark.parametrize("remembered", [True, False])
def test_a_path_is_rewritten_once_for_each_request_remembered_or_not(remembered: bool) -> None:
    gate = gate_of(rewriting=Rewriting(pattern=(pattern := Moving())), remembered=remembered)
    gate.idle()
    for path in (b"/orders/1", b"/orders/2"):
        gate.send(an_order(start=b"GET " + path))
        assert gate.wire.take().startswith(path.replace(b"/orders", b"GET /moved") + b" HTTP/1.1\r\n")
        gate.answer(OK)
    assert pattern.asked == ["/orders/1", "/orders/2"]
    assert gate.desk.counters.remembered_hits == remembered


@pytest.mark.parametrize("remembered", [True, False])
def test_sec_110_what_a_path_is_rewritten_to_is_refused_remembered_or_not(remembered: bool) -> None:
    gate = gate_of(rewriting=Rewriting(pattern=Moving()), remembered=remembered)
    gate.idle()
    gate.send(an_order()).answer(OK)
    gate.send(an_order(start=b"GET /orders/bad"))
    assert gate.outcomes == [(200, ""), (400, "path_not_canonical")]


def test_a_call_is_made_before_a_request_goes_on_and_nothing_is_remembered_of_it() -> None:
    calls = {"one": {"upstream": "echo", "path": "/who"}}
    gate = Gate(a_generation(a_plan(routes=a_route(calls=calls))))
    for _ in range(2):
        gate.send(an_order())
        need, done = gate.desk.needs.pop()
        assert isinstance(need, NeedCall)
        assert (need.method, need.target) == ("GET", "/who")
        done(Called(200, {}, b""))
        gate.settle()
        assert gate.answer(OK).startswith(b"HTTP/1.1 200")


def test_a_call_that_fails_is_a_fault_of_the_upstream() -> None:
    gate = Gate(a_generation(a_plan(routes=a_route(calls={"one": {"upstream": "echo"}}))))
    gate.send(an_order())
    gate.desk.needs[0][1](UpstreamFault("upstream_slow", call="one"))
    assert gate.outcomes == [(504, "upstream_slow")]
    assert gate.pool.made == []


def first_read(**changes: Any) -> Gate:
    """A gate whose route `orders` reads bodies of 5 bytes before it decides, and asks that they begin with `a`."""
    return Gate(a_generation(a_plan(routes=a_route(body_read_before_decision_bytes=5, **changes))))


def test_the_decision_sees_the_whole_body_and_the_upstream_gets_it() -> None:
    gate = first_read()
    gate.send(an_order(b"Content-Length: 5", start=b"POST /orders/1"), b"ab")
    assert gate.pool.made == []
    gate.send(b"cde")
    assert gate.client._exchange is not None
    assert gate.client._exchange.view().body == b"abcde"
    assert gate.wire.sent.endswith(b"\r\n\r\nabcde")
    assert gate.answer(OK).startswith(b"HTTP/1.1 200")


def test_sec_92_a_body_of_no_chunks_ends_once() -> None:
    gate = first_read()
    gate.send(an_order(b"Transfer-Encoding: chunked", start=b"POST /orders/1"), b"0\r\n\r\n")
    assert gate.wire.sent.endswith(b"\r\n\r\n0\r\n\r\n")
    assert gate.wire.sent.count(b"0\r\n\r\n") == 1


def test_a_request_without_a_body_is_decided_at_once_and_seen_with_none() -> None:
    gate = first_read()
    gate.send(an_order())
    assert gate.client._exchange is not None
    assert gate.client._exchange.view().body == b""
    other = Gate().send(an_order())
    assert other.client._exchange is not None
    assert other.client._exchange.view().body is None


def test_sec_95_a_body_beyond_what_is_read_first_is_refused() -> None:
    told = first_read().send(an_order(b"Content-Length: 6", start=b"POST /orders/1"))
    assert told.outcomes == [(413, "request_too_large")]
    found = first_read().send(an_order(b"Transfer-Encoding: chunked", start=b"POST /orders/1"), b"6\r\nabcdef\r\n")
    assert found.outcomes == [(413, "request_too_large")]
