"""One request and its answer: decided, forwarded, answered, and every way it can end."""

from __future__ import annotations

import time

import pytest
from tests.unit.gateway.messages import head_of, status_of
from tests.unit.gateway.parts import (
    DOCUMENT,
    KEYS,
    OK,
    OTHER_KEY,
    SIGNER,
    SLOWLY_ISSUED,
    TOKEN,
    Gate,
    a_generation,
    a_plan,
    a_request,
    a_route,
    a_token,
    an_order,
    wire,
)

from jwtgate.errors import DependencyFault, UpstreamFault
from jwtgate.gateway.exchange import NEED_SECONDS
from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.facts import NeedIssuedToken, NeedKeys
from jwtgate.state.issued_tokens import IssuedTokens

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
TWO_TARGETS = {"echo": {"targets": ["http://127.0.0.1:9020", "http://127.0.0.1:9021"]}}
UNREACHABLE, SLOW = UpstreamFault("upstream_unreachable"), UpstreamFault("upstream_slow", phase="connect")


def later(seconds: float) -> float:
    return time.monotonic() + seconds


def test_an_allowed_request_reaches_the_upstream_with_a_token_of_ours() -> None:
    gate = Gate()
    gate.idle()
    first, fields = head_of(gate.send(an_order(b"Accept: */*")).wire.take())
    assert first == b"GET /orders/1 HTTP/1.1"
    assert fields[b"x-user-id"] == b"alice"
    token = UnverifiedToken.parse(fields[b"x-jwt-assertion"].decode()).verify([SIGNER], {"ES256"})
    assert (token.claims["iss"], token.claims["sub"]) == ("https://gate.example", "alice")
    assert fields[b"accept"] == b"*/*"
    assert b"authorization" not in fields
    got = gate.answer(OK)
    assert head_of(got)[1][b"x-request-id"] == fields[b"x-request-id"]
    assert head_of(got)[1][b"cache-control"] == b"private"
    assert gate.outcomes == [(200, "")]


def test_sec_117_an_answer_to_nobody_in_particular_is_left_to_caches() -> None:
    assert b"private" not in Gate().send(a_request()).answer(OK)
    shared = Gate(a_generation(a_plan(routes=a_route(private_responses=False))))
    assert b"private" not in shared.send(an_order()).answer(OK)


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (a_request(start=b"GET /orders/1"), 401, "credential_missing"),
        (an_order(token=a_token(key=OTHER_KEY)), 401, "signature_wrong"),
        (an_order(token=a_token(exp=1)), 401, "token_expired"),
        (an_order(b"Authorization: Bearer a.b.c"), 400, "credential_repeated"),
        (a_request(start=b"GET /nowhere"), 404, "route_unknown"),
        (a_request(start=b"POST /livez"), 501, "method_refused"),
        (a_request(b"Content-Length: 99999999", start=b"POST /open/a"), 413, "request_too_large"),
    ],
)
def test_sec_111_what_is_refused_never_reaches_an_upstream(sent: bytes, status: int, reason: str) -> None:
    gate = Gate()
    idle = gate.idle()
    gate.send(sent)
    assert gate.outcomes == [(status, reason)]
    assert status_of(gate.transport.take()) == status
    assert wire(idle).sent == b""


def test_a_refusal_ends_neither_the_connection_nor_the_one_behind_it() -> None:
    gate = Gate()
    gate.send(a_request(start=b"GET /nowhere") + a_request(start=b"GET /livez"))
    assert gate.outcomes == [(404, "route_unknown"), (200, "")]
    assert not gate.transport.ended


def test_the_refusal_of_head_has_no_body() -> None:
    got = Gate().send(a_request(start=b"HEAD /nowhere")).transport.take()
    assert head_of(got)[1][b"content-length"] != b"0"
    assert got.endswith(b"\r\n\r\n")


def waiting(sent: bytes = an_order()) -> Gate:
    """A request that waits for a key set."""
    gate = Gate(a_generation(keys=None))
    gate.idle()
    gate.send(sent)
    ((need, _),) = gate.desk.needs
    assert need == NeedKeys("main", "k1", "192.0.2.7")
    return gate


def test_a_key_that_is_missing_is_waited_for() -> None:
    gate = waiting()
    gate.desk.needs[0][1](KEYS)
    assert gate.wire.take().startswith(b"GET /orders/1 ")


def test_sec_143_a_key_that_cannot_be_had_is_a_503_and_never_a_yes() -> None:
    gate = waiting()
    gate.desk.needs[0][1](DependencyFault("issuer_unreachable", retry_after_seconds=3))
    got = gate.transport.take()
    assert (status_of(got), head_of(got)[1][b"retry-after"]) == (503, b"3")
    assert gate.outcomes == [(503, "issuer_unreachable")]
    assert gate.wire.sent == b""


def test_a_key_that_the_issuer_does_not_have_refuses_the_token() -> None:
    gate = waiting()
    gate.desk.needs[0][1](KeySet((OTHER_KEY.public(),)))
    assert gate.outcomes == [(401, "signature_wrong")]


def test_rel_22_an_answer_for_a_client_that_is_gone_is_nobodys() -> None:
    gate = waiting()
    gate.transport.abort()
    gate.settle()
    gate.desk.needs[0][1](KEYS)
    assert gate.outcomes == [(499, "client_gone")]
    assert gate.wire.sent == b""


def test_what_is_waited_for_too_long_is_a_503() -> None:
    gate = waiting()
    gate.client.check_time(later(NEED_SECONDS - 1))
    assert gate.outcomes == []
    gate.client.check_time(later(NEED_SECONDS + 1))
    assert gate.outcomes == [(503, "overloaded")]
    gate.desk.needs[0][1](KEYS)
    assert gate.wire.sent == b""


class Calling:
    """A call that goes on, and what it was told."""

    name = "one"

    def __init__(self) -> None:
        self.told: list[str] = []

    def fail(self, fault: UpstreamFault) -> None:
        self.told.append(fault.reason)

    def drop(self) -> None:
        self.told.append("dropped")


@pytest.mark.parametrize("ends", ["late", "gone"])
def test_a_call_ends_when_its_time_is_up_and_when_nobody_waits_for_it(ends: str) -> None:
    gate = Gate(a_generation(a_plan(routes=a_route(calls={"one": {"upstream": "echo"}}))))
    gate.send(an_order())
    assert gate.client._exchange is not None
    call = gate.client._exchange.call = Calling()  # type: ignore[assignment] # as much of one as is looked at
    if ends == "late":
        gate.client.check_time(later(NEED_SECONDS + 1))
        assert (call.told, gate.outcomes) == (["upstream_slow"], [])
        return
    gate.transport.abort()
    gate.settle()
    assert (call.told, gate.outcomes) == (["dropped"], [(499, "client_gone")])


def test_a_slow_signature_is_waited_for() -> None:
    gate = Gate(a_generation(issued=SLOWLY_ISSUED))
    gate.send(an_order())
    ((need, done),) = gate.desk.needs
    assert isinstance(need, NeedIssuedToken)
    done(SLOWLY_ISSUED.issue(need, int(time.time())))
    gate.settle()
    assert b"X-JWT-Assertion: " in gate.wire.take()


def test_sec_143_a_signature_that_cannot_be_made_is_a_503() -> None:
    gate = Gate(a_generation(issued=IssuedTokens({})))
    gate.send(an_order())
    assert gate.outcomes == [(503, "signer_unavailable")]
    assert gate.desk.bugs == []


@pytest.mark.parametrize("address", ["/livez", "/readyz", "/metrics", "/.well-known/jwks.json"])
def test_our_own_addresses_are_answered_by_us(address: str) -> None:
    gate = Gate()
    got = gate.send(a_request(start=b"GET " + address.encode())).transport.take()
    head = gate.send(a_request(start=b"HEAD " + address.encode())).transport.take()
    assert status_of(got) == status_of(head) == 200
    assert head.endswith(b"\r\n\r\n")
    assert gate.pool.made == []


def test_a_listener_for_status_serves_nothing_else() -> None:
    gate = Gate(status_only=True)
    gate.send(a_request(start=b"GET /livez") + a_request())
    assert gate.outcomes == [(200, ""), (404, "route_unknown")]


def test_what_is_not_served_on_a_listener_is_a_path_like_any_other() -> None:
    gate = Gate()
    gate.desk.owns = False
    gate.send(a_request(start=b"GET /livez"))
    assert gate.outcomes == [(404, "route_unknown")]


def test_an_answer_of_ours_for_a_client_that_is_gone_is_dropped() -> None:
    gate = Gate()
    gate.client.data_received(a_request(start=b"GET /livez"))
    gate.transport.abort()
    gate.client.connection_lost(None)
    gate.desk.run_tasks()
    assert gate.outcomes == [(499, "client_gone")]


@pytest.mark.parametrize(("fault", "status"), [(UNREACHABLE, 502), (SLOW, 504)])
def test_an_upstream_that_takes_no_connection_is_told_without_its_name(fault: UpstreamFault, status: int) -> None:
    gate = Gate()
    gate.pool.failures.append(fault)
    got = gate.send(a_request()).transport.take()
    assert status_of(got) == status
    assert b'"error":"%b"' % fault.reason.encode() in got
    assert b"9020" not in got
    assert gate.outcomes == [(status, fault.reason)]


def test_another_target_is_tried_once() -> None:
    gate = Gate(a_generation(a_plan(upstreams=TWO_TARGETS)))
    one, two = gate.generation.balancers["echo"].pools
    one.failures.append(UNREACHABLE)  # type: ignore[attr-defined]
    two.failures.extend([SLOW, SLOW])  # type: ignore[attr-defined]
    gate.send(a_request())
    assert gate.outcomes == [(504, "upstream_slow")]
    assert gate.generation.balancers["echo"].roster.budget.made == 1


@pytest.mark.parametrize("fails", [False, True])
def test_rel_22_a_connection_for_a_client_that_is_gone_is_dropped(fails: bool) -> None:
    gate = Gate()
    gate.pool.failures.extend([UNREACHABLE] * fails)
    gate.client.data_received(a_request())
    gate.transport.abort()
    gate.client.connection_lost(None)
    gate.desk.run_tasks()
    assert gate.outcomes == [(499, "client_gone")]
    assert [wire(made).aborted for made in gate.pool.made] == ([] if fails else [True])


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"])
def test_rel_12_a_request_that_met_the_end_of_its_connection_is_sent_once_more(method: bytes) -> None:
    gate = Gate()
    gate.idle()
    gate.send(a_request(start=method + b" /open/a"))
    first = gate.wire.take()
    gate.lose_upstream()
    assert gate.wire.take() == first
    assert gate.generation.balancers["echo"].roster.budget.made == 1
    gate.lose_upstream()
    assert gate.outcomes == [(502, "upstream_malformed")]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (a_request(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"),
        (
            a_request(b"Connection: Upgrade", b"Upgrade: websocket"),
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ),
    ],
)
def test_rel_11_an_answer_that_goes_on_for_long_keeps_nothing_of_the_budget(request_: bytes, answer: bytes) -> None:
    upgrading = {"open": {"path": "/open/*", "auth": "none", "upstream": "echo", "upgrade": "websocket"}}
    generation, gates = a_generation(a_plan(routes=upgrading)), []
    budget = generation.balancers["echo"].roster.budget
    for _ in range(LEAST_AT_ONCE):
        gates.append(gate := Gate(generation))
        gate.idle()
        gate.send(request_)
        gate.lose_upstream()
        assert gate.answer(answer)
    assert budget.made == LEAST_AT_ONCE
    assert budget.take(0, 0.0)
    budget.give_back(1)
    for gate in gates:
        gate.transport.abort()
        gate.settle()
    assert [budget.take(0, 0.0) for _ in range(LEAST_AT_ONCE + 1)] == [True] * LEAST_AT_ONCE + [False]


@pytest.mark.parametrize("sent", [b"POST", b"PATCH"])
def test_rel_12_what_might_happen_twice_is_not_sent_again(sent: bytes) -> None:
    gate = Gate()
    gate.idle()
    gate.send(a_request(start=sent + b" /open/a"))
    gate.lose_upstream()
    assert gate.outcomes == [(502, "upstream_malformed")]
    assert len(gate.pool.made) == 1


def test_rel_12_neither_is_a_body_nor_what_was_answered_in_part() -> None:
    body, answered = Gate(), Gate()
    body.send(a_request(b"Content-Length: 1", start=b"PUT /open/a", body=b"x"))
    answered.send(a_request())
    answered.answer(b"HTTP")
    for gate in (body, answered):
        gate.lose_upstream()
        assert gate.outcomes == [(502, "upstream_malformed")]
        assert len(gate.pool.made) == 1


def test_rel_22_the_request_of_a_client_that_goes_is_dropped_at_the_upstream() -> None:
    gate = Gate()
    gate.send(a_request())
    gate.transport.abort()
    gate.settle()
    assert gate.wire.aborted
    assert gate.outcomes == [(499, "client_gone")]


def test_rel_22_who_goes_during_an_answer_is_logged_with_its_status() -> None:
    gate = Gate()
    gate.send(a_request()).answer(CHUNKED[:-5])
    gate.transport.abort()
    gate.settle()
    assert gate.wire.aborted
    assert gate.outcomes == [(200, "client_gone")]


TIMES = a_plan(
    upstreams={
        "echo": {**DOCUMENT["upstreams"]["echo"], "connect_seconds": 2, "first_byte_seconds": 30, "idle_seconds": 60}
    }
)


def test_rel_10_a_first_byte_that_does_not_come_is_a_504() -> None:
    gate = Gate(a_generation(TIMES))
    gate.send(a_request())
    gate.client.check_time(later(29))
    assert gate.outcomes == []
    gate.client.check_time(later(31))
    assert gate.outcomes == [(504, "upstream_slow")]
    assert gate.wire.aborted
    assert not gate.transport.is_closing()


def test_rel_10_an_answer_that_pauses_is_broken_off() -> None:
    gate = Gate(a_generation(TIMES))
    gate.send(a_request()).answer(CHUNKED[:-5])
    gate.client.check_time(later(59))
    assert gate.outcomes == []
    gate.client.check_time(later(61))
    assert gate.outcomes == [(200, "upstream_slow")]
    assert (gate.transport.aborted, gate.wire.aborted) == (True, True)


def test_a_client_that_takes_nothing_is_the_slow_one() -> None:
    gate = Gate(a_generation(TIMES))
    gate.send(a_request()).answer(CHUNKED[:-5])
    gate.client.pause_writing()
    gate.client.check_time(later(61))
    assert gate.outcomes == [(200, "client_slow")]


@pytest.mark.parametrize(("keys", "status", "reason"), [(KEYS, 504, "upstream_slow"), (None, 503, "overloaded")])
def test_rel_10_a_whole_request_may_be_limited(keys: KeySet | None, status: int, reason: str) -> None:
    gate = Gate(a_generation(a_plan(routes=a_route(request_seconds=5)), keys=keys))
    gate.send(an_order())
    gate.client.check_time(later(4))
    assert gate.outcomes == []
    gate.client.check_time(later(6))
    assert gate.outcomes == [(status, reason)]


def test_an_old_client_gets_no_chunks_and_the_end_of_its_connection() -> None:
    gate = Gate()
    got = gate.send(a_request().replace(b"1.1", b"1.0")).answer(CHUNKED)
    assert b"Transfer-Encoding" not in got
    assert b"Connection: close\r\n" in got
    assert got.endswith(b"\r\n\r\nabc")
    assert gate.transport.closed


def test_an_old_client_that_asks_for_it_keeps_its_connection() -> None:
    gate = Gate()
    got = gate.send(a_request(b"Connection: keep-alive").replace(b"1.1", b"1.0")).answer(OK)
    assert b"Connection: keep-alive\r\n" in got
    assert not gate.transport.is_closing()


def test_a_client_that_says_close_is_closed_with() -> None:
    gate = Gate()
    assert b"Connection: close\r\n" in gate.send(a_request(b"Connection: close")).answer(OK)
    assert gate.transport.closed


def test_rel_4_who_is_served_while_we_stop_is_told_to_close() -> None:
    gate = Gate()
    gate.send(a_request())
    gate.desk.draining = True
    assert b"Connection: close\r\n" in gate.answer(OK)
    assert gate.transport.closed
    refused = Gate()
    refused.desk.draining = True
    assert b"Connection: close\r\n" in refused.send(a_request(start=b"GET /nowhere")).transport.take()


def test_chunks_of_an_answer_are_made_anew() -> None:
    gate = Gate()
    got = gate.send(a_request()).answer(CHUNKED[:-5].replace(b"3\r\n", b"003;x\r\n"), b"0\r\nX: 1\r\n\r\n")
    assert got.endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


@pytest.mark.parametrize(("peer", "told"), [("10.0.0.1", b"their-id"), ("192.0.2.7", b"0000000000000001")])
def test_the_id_of_a_trusted_client_is_kept(peer: str, told: bytes) -> None:
    gate = Gate(a_generation(a_plan(trusted_proxies=["10.0.0.0/8"])), peer=peer)
    gate.send(a_request(b"X-Request-Id: their-id"))
    assert head_of(gate.wire.take())[1][b"x-request-id"] == told
    assert head_of(gate.answer(OK))[1][b"x-request-id"] == told


def test_sec_140_a_bug_is_a_500_that_says_nothing_of_itself() -> None:
    class Broken:
        def key_set(self, issuer: str) -> KeySet | None:
            raise RuntimeError(f"secret {TOKEN}")

    gate = Gate()
    gate.generation.facts = Broken()
    got = gate.send(an_order()).transport.take()
    assert status_of(got) == 500
    assert b"secret" not in got
    assert gate.outcomes == [(500, "internal")]
    assert [str(bug) for bug in gate.desk.bugs] == [f"secret {TOKEN}"]
    assert gate.transport.closed


def test_rel_17_one_request_too_many_is_told_to_come_back_and_keeps_its_connection() -> None:
    gate = Gate(a_generation(a_plan(limits={"requests": 2})))
    gate.desk.in_flight = 2
    refused = gate.send(a_request()).transport.take()
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in refused
    assert gate.outcomes == [(503, "overloaded")]
    gate.desk.in_flight = 1
    assert gate.send(a_request()).answer(OK).startswith(b"HTTP/1.1 200 ")
    assert gate.desk.in_flight == 1


@pytest.mark.parametrize("address", ["/livez", "/readyz", "/metrics"])
def test_rel_17_how_we_are_is_told_however_much_there_is_to_do(address: str) -> None:
    gate = Gate(a_generation(a_plan(limits={"requests": 1})))
    gate.desk.in_flight = 100
    gate.send(a_request(start=f"GET {address}".encode()))
    assert gate.transport.take().startswith(b"HTTP/1.1 200 ")
