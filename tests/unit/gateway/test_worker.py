"""One process of the data plane, on an event loop of its own and without a socket."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import weakref
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.control.samples import write_certificate
from tests.unit.gateway.house import Bound, House, Loop, play, until
from tests.unit.gateway.messages import head_of, status_of
from tests.unit.gateway.parts import (
    ISSUED,
    KEYS,
    OK,
    SLOW_SIGNER,
    SLOWLY_ISSUED,
    ScriptedBalancer,
    a_generation,
    a_plan,
    a_request,
    a_route,
    an_order,
    tell_of_the_end,
    wire,
)

from jwtgate.errors import DependencyFault, RequestRefused
from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.generation import LIVEZ, METRICS, OWN_KEYS, READYZ, Generation
from jwtgate.gateway.heads.fields import MOST_NAMES
from jwtgate.gateway.listening.admission import STATUS_CONNECTIONS
from jwtgate.gateway.listening.certificates import server_tls
from jwtgate.gateway.worker import HostNames
from jwtgate.jose.encoding import JSON
from jwtgate.policy.facts import NeedClaims, NeedSigned
from jwtgate.policy.plan import Listener, Route, Tls
from jwtgate.state.answers import Snapshot
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.signed_tokens import SignedTokens


def test_a_request_is_served_counted_and_logged() -> None:
    async def moves(house: House) -> None:
        client, transport = house.connect()
        client.data_received(an_order())
        await until(lambda: house.pool.made)
        house.pool.made[0].data_received(OK)
        assert status_of(transport.take()) == 200
        counters = house.worker.count_now()
        assert counters.requests.keys() == {("orders", 200, "")}
        assert (counters.connections, counters.connections_open, counters.remembered_entries) == (1, 1, 1)

    (line,) = play(moves)
    assert (line["route"], line["status"], line["generation"]) == ("orders", 200, 1)


def test_rel_17_one_connection_too_many_is_told_to_come_back() -> None:
    async def moves(house: House) -> None:
        _, first = house.connect()
        second, turned_away = house.connect()
        got = turned_away.take()
        assert status_of(got) == 503
        assert head_of(got)[1][b"retry-after"] == b"1"
        assert b'"overloaded"' in got
        assert turned_away.ended
        second.data_received(a_request())
        assert turned_away.take() == b""
        assert first.take() == b""
        second.deadline = 0.0
        await house.worker.listen([])
        house.worker._tick()
        assert turned_away.closed
        house.worker.closed(second)
        counters = house.worker.count_now()
        assert (counters.connections, counters.connections_refused, counters.connections_open) == (2, 1, 1)

    assert play(moves, a_generation(a_plan(limits={"connections": 1}))) == []


def test_rel_17_an_address_for_health_takes_a_few_connections_more() -> None:
    async def moves(house: House) -> None:
        house.connect()
        for _ in range(STATUS_CONNECTIONS):
            _, asking = house.connect(status_only=True)
            assert asking.take() == b""
        assert status_of(house.connect(status_only=True)[1].take()) == 503
        assert house.worker.count_now().overloaded == 1

    play(moves, a_generation(a_plan(limits={"connections": 1})))


def test_rel_17_requests_in_flight_are_counted_until_they_end() -> None:
    async def moves(house: House) -> None:
        client, _ = house.connect()
        other, _ = house.connect()
        client.data_received(a_request())
        other.data_received(a_request(start=b"GET /nowhere"))
        assert house.worker.count_now().requests_in_flight == 1
        await until(lambda: house.pool.made)
        client.connection_lost(None)
        assert house.worker.count_now().requests_in_flight == 0

    play(moves)


def test_rel_39_the_end_of_an_overload_is_noticed_by_the_clock() -> None:
    async def moves(house: House) -> None:
        house.worker.admission.refusal("requests", 1)
        await house.worker.listen([])
        house.worker._tick()
        assert house.worker.count_now().overloaded == 1
        house.worker.admission.look(time.monotonic() + 60)
        counters = house.worker.count_now()
        assert (counters.overloaded, counters.overloads) == (0, 1)

    play(moves)


def test_a_connection_that_closes_makes_room() -> None:
    async def moves(house: House) -> None:
        first, _ = house.connect()
        first.connection_lost(None)
        _, second = house.connect()
        assert second.take() == b""

    play(moves, a_generation(a_plan(limits={"connections": 1})))


def test_a_need_is_met_by_who_was_named_for_it() -> None:
    async def moves(house: House) -> None:
        house.replies = [KEYS]
        client, _ = house.connect()
        client.data_received(an_order())
        await until(lambda: house.pool.made)
        assert [need.issuer for need in house.asked] == ["main"]  # type: ignore[union-attr]

    play(moves, a_generation(keys=None))


def test_sec_143_a_need_that_cannot_be_met_is_a_503() -> None:
    async def moves(house: House) -> None:
        house.replies = [DependencyFault("issuer_unreachable")]
        client, transport = house.connect()
        client.data_received(an_order())
        await until(lambda: transport.sent)
        assert status_of(transport.take()) == 503

    (line,) = play(moves, a_generation(keys=None))
    assert line["reason"] == "issuer_unreachable"


def test_a_need_of_an_old_document_is_not_met_by_the_new() -> None:
    async def moves(house: House) -> None:
        client, transport = house.connect()
        client.data_received(an_order())
        house.worker.adopt(a_generation(number=2))
        await until(lambda: transport.sent)
        assert status_of(transport.take()) == 503
        assert house.asked == []

    (line,) = play(moves, a_generation(keys=None))
    assert (line["reason"], line["generation"]) == ("issuer_unreachable", 1)


def test_a_bug_while_a_need_is_met_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    async def moves(house: House) -> None:
        house.replies = [RuntimeError("a bug")]
        client, transport = house.connect()
        client.data_received(an_order())
        await until(lambda: transport.sent)
        assert status_of(transport.take()) == 500

    with caplog.at_level(logging.CRITICAL, logger="jwtgate.gateway"):
        (line,) = play(moves, a_generation(keys=None))
    assert line["reason"] == "internal"


def test_a_bug_after_an_exchange_has_ended_changes_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    async def moves(house: House) -> None:
        house.replies = [RuntimeError("a bug")]
        client, _ = house.connect()
        client.data_received(an_order())
        client.connection_lost(None)
        await until(lambda: house.asked)
        await asyncio.sleep(0)

    with caplog.at_level(logging.CRITICAL, logger="jwtgate.gateway"):
        (line,) = play(moves, a_generation(keys=None))
    assert (line["status"], line["reason"]) == (499, "client_gone")


def test_rel_21_a_slow_signature_is_made_on_a_thread() -> None:
    async def moves(house: House) -> None:
        client, _ = house.connect()
        client.data_received(an_order())
        assert house.pool.made == []
        await until(lambda: house.pool.made)
        await until(lambda: wire(house.pool.made[0]).sent)
        assert b"X-JWT-Assertion: " in wire(house.pool.made[0]).take()

    play(moves, a_generation(issued=SLOWLY_ISSUED))


def test_rel_21_a_slow_text_for_an_expression_is_signed_on_a_thread() -> None:
    async def moves(house: House) -> None:
        generation = house.worker.generation
        generation.signed_tokens = SignedTokens({"slow": Signer(SLOW_SIGNER, "RS256")})
        connection, _ = house.connect()
        answers: list[object] = []
        exchange = Exchange(connection, cast("Any", None))
        house.worker.meet(exchange, NeedSigned("slow", {}, {"sub": "alice"}), answers.append)
        assert answers == []
        await until(lambda: answers)
        assert str(answers[0]).count(".") == 2

    play(moves)


def test_rel_21_nothing_is_signed_for_who_has_gone_while_it_waited() -> None:
    release, signed = threading.Event(), []

    class Counting(SignedTokens):
        def sign(self, need: NeedSigned) -> str:
            release.wait(timeout=20)
            signed.append(need.key)
            return "a.b.c"

    async def moves(house: House) -> None:
        house.worker.generation.signed_tokens = Counting({})
        connection, _ = house.connect()
        answers: list[object] = []
        exchanges = [Exchange(connection, cast("Any", None)) for _ in range(6)]
        for number, exchange in enumerate(exchanges):
            house.worker.meet(exchange, NeedSigned(str(number), {}, {}), answers.append)
        for gone in exchanges[2:5]:
            gone.finished = True
        release.set()
        await until(lambda: len(answers) == 6)
        assert sorted(signed) == ["0", "1", "5"]

    play(moves)


def test_a_call_of_an_upstream_is_made_by_the_worker_itself() -> None:
    calls = {"one": {"upstream": "echo", "path": "/who"}}
    generation = a_generation(a_plan(routes=a_route(calls=calls)))
    balancer = ScriptedBalancer(generation.upstreams.call_balancers["echo"])
    generation.upstreams.call_balancers["echo"] = balancer

    async def moves(house: House) -> None:
        connection, _ = house.connect()
        connection.data_received(an_order())
        pool = balancer.pools[0]
        await until(lambda: pool.made)
        await until(lambda: wire(pool.made[0]).sent)
        assert wire(pool.made[0]).sent.startswith(b"GET /who HTTP/1.1\r\n")
        pool.made[0].data_received(b"nonsense\r\n\r\n")

    (line,) = play(moves, generation)
    assert (line["status"], line["reason"], line["detail"]["call"]) == (502, "upstream_malformed", "one")


def test_no_signature_waits_behind_a_plug_in_that_hangs() -> None:
    release = threading.Event()

    class Hanging(ClaimGenerators):
        def generate(self, need: NeedClaims) -> dict[str, JSON]:
            release.wait(timeout=20)
            return {}

    async def moves(house: House) -> None:
        house.worker.generation.claim_generators = Hanging(())
        client, transport = house.connect()
        for _ in range(8):
            hanging, _ = house.connect()
            exchange = Exchange(hanging, cast("Any", None))
            house.worker.meet(exchange, NeedClaims("slow", {}), lambda answer: None)
        client.data_received(an_order())
        await until(lambda: house.pool.made)
        house.pool.made[0].data_received(OK)
        assert status_of(transport.take()) == 200
        release.set()

    play(moves, a_generation(issued=SLOWLY_ISSUED))


def test_a_bug_behind_a_signature_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    async def moves(house: House) -> None:
        house.worker.generation.balancers.clear()
        client, transport = house.connect()
        client.data_received(an_order())
        await until(lambda: transport.sent)
        assert status_of(transport.take()) == 500

    with caplog.at_level(logging.CRITICAL, logger="jwtgate.gateway"):
        (line,) = play(moves, a_generation(issued=SLOWLY_ISSUED))
    assert line["reason"] == "internal"


def test_a_new_generation_is_served_from_the_next_request_on() -> None:
    async def moves(house: House) -> None:
        client, _ = house.connect()
        client.data_received(a_request())
        await until(lambda: house.pool.made)
        old = house.pool.made[0]
        house.worker.adopt(a_generation(a_plan(limits={"connections": 5}), number=2))
        assert house.worker.limits.connections == 5
        old.data_received(OK)
        assert wire(old).closed
        client.data_received(a_request(start=b"GET /nowhere"))

    lines = play(moves)
    assert [line["generation"] for line in lines] == [1, 2]


def test_evictions_of_earlier_generations_stay_counted() -> None:
    async def moves(house: House) -> None:
        for evicted in (3, 4):
            house.worker.adopt(a_generation(number=evicted))
            house.worker.generation.memory.evicted = house.worker.generation.heads.evicted = evicted
        counters = house.worker.count_now()
        assert (counters.remembered_evictions, counters.cache_evictions["request_heads"]) == (7, 7)

    play(moves)


def test_rel_21_a_former_generation_goes_without_a_garbage_collector() -> None:
    async def moves(house: House) -> None:
        gc.collect()
        gc.disable()
        try:
            house.worker.adopt(plain_generation(2))
            former = weakref.ref(house.worker.generation)
            client, _ = house.connect()
            client.data_received(a_request(start=b"GET /nowhere"))
            house.worker.adopt(plain_generation(3))
            assert former() is not None
            client.connection_lost(None)
            del client
            async with asyncio.timeout(30):
                while former() is not None:
                    await asyncio.sleep(0.001)
        finally:
            gc.enable()

    play(moves)


def test_rel_21_the_routes_of_a_former_generation_go_little_by_little(monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[dict[int, Route]] = []
    monkeypatch.setattr("jwtgate.gateway.worker.let_go", tables.append)

    async def moves(house: House) -> None:
        house.worker.adopt(plain_generation(2))
        routes = house.worker.generation.plan.routes
        tables.clear()
        client, _ = house.connect()
        house.worker.adopt(plain_generation(3))
        assert tables == []  # a client still holds it
        client.connection_lost(None)
        del client
        assert [tuple(table.values()) for table in tables] == [routes]

    play(moves)


def plain_generation(number: int) -> Generation:
    """A generation with pools that would make real connections."""
    return Generation(
        number,
        a_plan(),
        Snapshot({"main": KEYS}),
        issued_tokens=ISSUED,
        claim_generators=ClaimGenerators(()),
        keys_document=b"{}",
        metadata_document=None,
    )


def test_rel_18_each_memory_tells_how_full_it_is() -> None:
    async def moves(house: House) -> None:
        client, _ = house.connect()
        client.data_received(an_order())
        await until(lambda: house.pool.made)
        house.pool.made[0].data_received(OK)
        entries = house.worker.count_now().cache_entries
        assert entries.pop("issued_tokens") > 0
        assert entries == {"request_heads": 1, "answer_heads": 1, "callers": 0}

    play(moves)


def test_sec_67_a_change_of_keys_reaches_the_generation() -> None:
    async def moves(house: House) -> None:
        house.worker.generation.forget_outcomes()
        assert house.worker.generation.epoch == 1

    play(moves)


def test_rel_4_draining_lets_a_request_end_and_closes_who_is_idle() -> None:
    async def moves(house: House) -> None:
        (_, idle), (busy, transport) = house.connect(), house.connect()
        busy.data_received(a_request())
        await until(lambda: house.pool.made)
        draining = asyncio.ensure_future(house.worker.drain(60))
        await asyncio.sleep(0)
        assert (idle.closed, transport.closed) == (True, False)
        for connection in list(house.worker._connections):
            if connection is not busy:
                connection.connection_lost(None)
        house.pool.made[0].data_received(OK)
        assert b"Connection: close\r\n" in transport.take()
        tell_of_the_end(transport, busy)
        await draining
        assert wire(house.pool.made[0]).closed

    assert [line["status"] for line in play(moves)] == [200]


def test_rel_4_draining_ends_what_does_not_end_by_itself() -> None:
    async def moves(house: House) -> None:
        client, transport = house.connect()
        client.data_received(a_request(b"Content-Length: 5", start=b"POST /open/a"))
        _, turned_away = house.connect()
        await house.worker.drain(0)
        assert transport.aborted
        assert turned_away.aborted

    play(moves, a_generation(a_plan(limits={"connections": 1})))


def test_rel_4_draining_waits_for_no_key_that_does_not_come() -> None:
    async def moves(house: House) -> None:
        house.replies = [asyncio.Event()]
        client, transport = house.connect()
        client.data_received(an_order())
        await until(lambda: house.asked)
        await house.worker.drain(0)
        assert transport.aborted
        assert len(asyncio.all_tasks()) == 1

    play(moves, a_generation(keys=None))


def test_the_clock_is_looked_at_for_every_connection_and_pool() -> None:
    async def moves(house: House) -> None:
        idle = house.pool.new()
        house.pool.put(idle)
        idle.idle_since = time.monotonic() - 100
        client, transport = house.connect()
        client.deadline = 0.0
        await house.worker.listen([])
        house.worker._tick()
        assert wire(idle).closed
        assert transport.closed

    play(moves)


def test_a_bug_at_one_connection_stops_the_clock_for_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def moves(house: House) -> None:
        def stumble(now: float) -> None:
            raise RuntimeError("a bug")

        (broken, first), (slow, second) = house.connect(), house.connect()
        broken.check_time = stumble  # type: ignore[method-assign]
        slow.deadline = 0.0
        await house.worker.listen([])
        for _ in range(2):
            house.worker._tick()
        assert first.aborted
        assert second.closed
        assert house.worker._timer is not None
        assert "a bug" in caplog.text

    play(moves)


def test_rel_4_listeners_are_opened_with_their_tls_and_closed_first(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    write_certificate(certificate, key)
    tls = Tls(str(certificate), str(key))
    listeners = [Listener("", 0), Listener("", 0, tls=tls), Listener("", 0, status_only=True)]
    sockets: list[Any] = [Bound() for _ in listeners]

    async def moves(house: House) -> None:
        house.worker.generation.contexts = {listeners[1]: server_tls(tls)}
        await house.worker.listen(list(zip(listeners, sockets, strict=True)))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        options = [options for _, options in loop.servers]
        assert [each["sock"] for each in options] == sockets
        assert [each["protocol"].scheme for each in options] == ["http", "https", "http"]
        assert [each["protocol"].status_only for each in options] == [False, False, True]
        assert [each["ssl"] is not None for each in options] == [False, True, False]
        assert [each["ssl_handshake_timeout"] for each in options] == [None, house.worker.limits.head_seconds, None]
        assert not house.worker.is_own(LIVEZ, options[0]["protocol"])
        await house.worker.drain(0)
        assert all(server.closed for server, _ in loop.servers)
        assert all(bound.closed for bound in sockets)

    play(moves)


def test_no_two_requests_have_one_id() -> None:
    async def moves(house: House) -> None:
        ids = [house.worker.new_request_id() for _ in range(10_000)]  # more than one block of them
        assert len(set(ids)) == 10_000
        assert {len(each) for each in ids} == {16}

    play(moves)


@pytest.mark.parametrize("separate", [False, True])
def test_health_is_told_where_the_document_says(separate: bool) -> None:
    async def moves(house: House) -> None:
        house.worker._status_listener = separate
        worker = house.worker
        open_, status = (worker._protocol_for(Listener("", 0, status_only=only))() for only in (False, True))
        served = [worker.is_own(name, open_) for name in (LIVEZ, READYZ, METRICS, OWN_KEYS)]
        assert served == [not separate, not separate, not separate, True]
        assert [worker.is_own(name, status) for name in (LIVEZ, READYZ, METRICS, OWN_KEYS)] == [True, True, True, False]
        assert (open_.scheme, status.status_only) == ("http", True)
        assert worker._protocol_for(Listener("", 0, tls=Tls("c", "k")))().scheme == "https"

    play(moves)


def test_our_own_addresses_tell_of_the_whole_node() -> None:
    async def moves(house: House) -> None:
        client, transport = house.connect()
        client.data_received(a_request(start=b"GET /readyz"))
        await until(lambda: transport.sent)
        assert b'"generation": 9' in transport.take()

    play(moves, a_generation(number=9))


def test_sec_93_hosts_are_worked_out_once_and_within_bounds() -> None:
    names = HostNames()
    assert names[b"Gate.Example:1"] == "gate.example"
    assert b"Gate.Example:1" in names
    with pytest.raises(RequestRefused):
        names[b"a b"]
    for number in range(MOST_NAMES + 5):
        assert names[b"h%d" % number] == f"h{number}"
    assert len(names) == MOST_NAMES
