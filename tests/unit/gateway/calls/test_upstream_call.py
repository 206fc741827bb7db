"""One call of an upstream, without sockets: what is sent, what is kept, and how it ends, once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.unit.gateway.parts import Desk, ScriptedBalancer, ScriptedPool, a_generation, a_plan, a_route, wire

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.calls.upstream_call import UpstreamCall
from jwtgate.gateway.heads.answer_head import AnswerHead
from jwtgate.gateway.heads.fields import CallFieldKinds
from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE
from jwtgate.policy.calls.call import Called, NeedCall

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n\r\nok"


class Asking:
    """In the place of an exchange that waits for a call."""

    request_id = "0007"
    id_field = ("X-Request-Id", "0007")
    deadline = float("inf")

    def __init__(self, upstream: dict[str, Any], call: dict[str, Any]) -> None:
        plan = a_plan(
            upstreams={"echo": {"targets": ["http://127.0.0.1:9020"], **upstream}},
            routes=a_route(calls={"one": {"upstream": "echo", **call}}),
        )
        self.generation = a_generation(plan)
        self.balancer = ScriptedBalancer(self.generation.upstreams.call_balancers["echo"])
        self.generation.upstreams.call_balancers["echo"] = self.balancer
        self.worker = Desk(self.generation)
        self.call: UpstreamCall | None = None
        self.said: list[Any] = []
        (self.planned,) = next(route for route in plan.routes if route.calls).calls

    def ask(self, method: str = "GET", target: str = "/a?b", **changes: Any) -> UpstreamCall:
        need = NeedCall(self.planned, method, target, **changes)
        self.call = UpstreamCall(need, self, self.said.append)  # type: ignore[arg-type] # all of it that is looked at
        self.call.begin()
        self.worker.run_tasks()
        return self.call

    @property
    def pool(self) -> ScriptedPool:
        pool: ScriptedPool = self.balancer.pools[0]
        return pool

    def sent(self) -> bytes:
        return wire(self.pool.made[-1]).take()

    def answer(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.pool.made[-1].data_received(piece)
        self.worker.run_tasks()

    def fault(self) -> tuple[str, dict[str, object]]:
        (fault,) = self.said
        assert isinstance(fault, UpstreamFault)
        assert self.call is None
        return fault.reason, dict(fault.detail)


def asking(*, upstream: dict[str, Any] | None = None, **call: Any) -> Asking:
    return Asking(upstream or {}, call)


def test_a_call_is_one_request_and_its_answer_is_kept_whole() -> None:
    exchange = asking(timeout_seconds=3)
    before = time.monotonic()
    exchange.ask(fields=((b"X-B", b"c"),))
    assert before + 3 <= exchange.deadline <= time.monotonic() + 3
    assert exchange.sent() == (b"GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:9020\r\nX-B: c\r\nX-Request-Id: 0007\r\n\r\n")
    exchange.answer(*(ANSWER[at : at + 1] for at in range(len(ANSWER))))
    assert exchange.said == [Called(200, {"x-a": ("1", "2"), "content-length": ("2",)}, b"ok")]
    assert exchange.call is None
    exchange.ask()
    assert len(exchange.pool.made) == 1, "the connection was not kept"


@pytest.mark.parametrize(
    ("method", "body", "lines"),
    [
        ("POST", b"abc", b"Content-Length: 3\r\n"),
        ("POST", b"", b"Content-Length: 0\r\n"),
        ("PUT", None, b"Content-Length: 0\r\n"),
        ("GET", b"a", b"Content-Length: 1\r\n"),
        ("DELETE", None, b""),
    ],
)
def test_a_body_is_sent_with_its_length(method: str, body: bytes | None, lines: bytes) -> None:
    exchange = asking()
    exchange.ask(method, "/", body=body)
    head, _, sent = exchange.sent().partition(b"\r\n\r\n")
    assert (head.startswith(b"%b / HTTP/1.1\r\n" % method.encode()), sent) == (True, body or b"")
    assert head.count(b"Content-Length") == bool(lines)
    assert lines in head


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
    ],
)
def test_every_framing_is_read(answer: bytes, body: bytes) -> None:
    exchange = asking()
    exchange.ask()
    exchange.answer(answer)
    assert exchange.said[0].body == body


def test_an_answer_may_end_with_its_connection() -> None:
    exchange = asking()
    exchange.ask()
    exchange.answer(b"HTTP/1.1 200 OK\r\n\r\nab", b"c")
    exchange.pool.made[0].eof_received()
    assert exchange.said[0].body == b"abc"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"HTTP/2 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", "an answer larger than the call allows"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
            "an answer larger than the call allows",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "an upgrade nobody asked for",
        ),
    ],
)
def test_sec_98_an_answer_that_will_not_do_ends_call_and_connection(answer: bytes, cause: str | None) -> None:
    exchange = asking(most_bytes=3)
    exchange.ask()
    exchange.answer(answer)
    reason, detail = exchange.fault()
    assert (reason, detail["call"]) == ("upstream_malformed", "one")
    assert cause in (None, detail["cause"])
    assert wire(exchange.pool.made[0]).aborted


def test_rel_11_what_cannot_be_connected_to_is_tried_elsewhere_and_then_a_fault() -> None:
    targets = {"targets": ["http://127.0.0.1:9020", "http://127.0.0.1:9021"]}
    exchange = asking(upstream=targets)
    exchange.balancer.pools[0].failures.append(UpstreamFault("upstream_unreachable", cause="refused"))
    exchange.ask()
    assert exchange.balancer.pools[1].made
    assert exchange.balancer.roster.budget.made == 1
    for pool in exchange.balancer.pools:
        pool.failures.extend([UpstreamFault("upstream_unreachable", cause="refused")] * 2)
    exchange.said.clear()
    exchange.ask()
    assert exchange.fault() == ("upstream_unreachable", {"cause": "refused", "call": "one"})


def test_an_upstream_may_say_that_nothing_is_tried_again() -> None:
    targets = {"targets": ["http://127.0.0.1:9020", "http://127.0.0.1:9021"], "retries": 0}
    exchange = asking(upstream=targets)
    exchange.balancer.pools[0].failures.append(UpstreamFault("upstream_unreachable"))
    exchange.ask()
    assert exchange.fault() == ("upstream_unreachable", {"call": "one"})
    assert exchange.balancer.pools[1].made == []


@pytest.mark.parametrize(
    ("method", "body", "sent_again"), [("GET", None, True), ("GET", b"a", False), ("POST", None, False)]
)
def test_rel_12_only_what_does_nothing_twice_is_asked_again(method: str, body: bytes | None, sent_again: bool) -> None:
    exchange = asking()
    exchange.pool.put(exchange.pool.new())
    exchange.ask(method, body=body)
    exchange.pool.made[0].connection_lost(None)
    exchange.worker.run_tasks()
    assert len(exchange.pool.made) == 1 + sent_again
    if not sent_again:
        assert exchange.fault()[0] == "upstream_malformed"


def test_an_answer_that_has_begun_is_never_asked_for_again() -> None:
    exchange = asking()
    exchange.ask()
    exchange.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    exchange.pool.made[0].connection_lost(None)
    assert exchange.fault() == ("upstream_malformed", {"call": "one", "cause": "the connection ended early"})


def test_a_call_that_takes_too_long_ends_with_its_connection_and_says_so_once() -> None:
    exchange = asking()
    call = exchange.ask()
    call.fail(UpstreamFault("upstream_slow", call="one"))
    call.fail(UpstreamFault("upstream_slow", call="one"))
    assert exchange.fault() == ("upstream_slow", {"call": "one"})
    assert wire(exchange.pool.made[0]).aborted


def test_rel_22_a_call_nobody_waits_for_is_dropped_and_says_nothing() -> None:
    exchange = asking()
    exchange.ask().drop()
    exchange.pool.made[0].connection_lost(None)
    assert wire(exchange.pool.made[0]).aborted
    need = NeedCall(exchange.planned, "GET", "/")
    for failure in (None, UpstreamFault("upstream_unreachable")):
        if failure is not None:
            exchange.pool.failures.append(failure)
        call = UpstreamCall(need, exchange, exchange.said.append)  # type: ignore[arg-type]
        call.begin()
        call.drop()
        exchange.worker.run_tasks()
    assert wire(exchange.pool.made[1]).aborted
    assert exchange.said == []


def test_rel_11_the_retry_of_a_call_nobody_waits_for_is_over() -> None:
    exchange = asking()
    for _ in range(LEAST_AT_ONCE):
        call = exchange.ask()
        exchange.pool.made[-1].connection_lost(None)
        exchange.worker.run_tasks()
        call.drop()
        call.drop()
    budget = exchange.balancer.roster.budget
    assert budget.made == LEAST_AT_ONCE
    assert [budget.take(0, 0.0) for _ in range(LEAST_AT_ONCE + 1)] == [True] * LEAST_AT_ONCE + [False]


def test_a_slow_target_holds_nobody_and_nothing_is_ever_switched() -> None:
    exchange = asking()
    call = exchange.ask()
    exchange.pool.made[0].pause_writing()
    exchange.pool.made[0].resume_writing()
    head = AnswerHead(101, [], CallFieldKinds())
    with pytest.raises(Malformed):
        call.switching_head(head)
    with pytest.raises(Malformed):
        call.begin_tunnel(exchange.pool.made[0], b"")
