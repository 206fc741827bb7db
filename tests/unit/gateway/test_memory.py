"""What is remembered, under which key, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import combinations, takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.messages import CUTS, EDITS, STATUSES, Edits, edited, head_of, pieces_of, without_dates
from tests.unit.gateway.parts import KEYS, OK, TOKEN, Gate, a_generation, a_plan, a_request, a_route, a_token, an_order
from tests.unit.policy.plans import principal, proven

from jwtgate.gateway import memory as memory_module
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.heads.fields import RequestFieldKinds
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.memory import (
    FOR_EVER,
    Key,
    Places,
    Recent,
    Remembered,
    answer_memory,
    head_memory,
    let_go,
    memory_key,
    outcome_memory,
    places_of,
)
from jwtgate.gateway.worker import HostNames
from jwtgate.policy.plan import Plan
from jwtgate.policy.request import STRICT_PATHS
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal

PLAN = a_plan()
TWO_SLOTS = {
    "access": {"from": [{"header": "X-Access"}], "issuers": ["main"]},
    "channel": {"from": [{"header": "X-Channel"}], "issuers": ["main"]},
}
BY_SLOTS: dict[str, Any] = {"issuers": None, "slots": TWO_SLOTS, "issue": None, "headers": {}}


def key_of(plan: Plan, *fields: tuple[bytes, bytes], method: str = "GET", target: bytes = b"/orders/1") -> Key | None:
    """What this request is remembered under on its route."""
    head = RequestHead(method, target, fields=[(b"Host", b"gate.example"), *fields], http_11=True)
    head.read(RequestFieldKinds(plan, trusted=False), HostNames(), paths=STRICT_PATHS)
    route = plan.router.find(method, head.host, head.path)
    assert route is not None
    return memory_key(route, places_of(route), head)


def test_the_key_of_a_bearer_is_its_whole_value() -> None:
    plan = PLAN
    one = key_of(plan, (b"Authorization", b"Bearer a.b.c"))
    assert one == key_of(plan, (b"authorization", b"Bearer a.b.c"), (b"Accept", b"*/*"), target=b"/orders/2?q=1")
    others = [
        key_of(plan, (b"Authorization", b"Bearer a.b.d")),
        key_of(plan, (b"Authorization", b"bearer a.b.c")),
        key_of(plan, (b"Authorization", b"")),
        key_of(plan),
    ]
    assert len({one, *others}) == 5


def test_sec_71_two_routes_never_share_an_entry() -> None:
    routes = {**a_route(), "bills": a_route(path="/bills/*")["orders"]}
    plan = a_plan(routes=routes)
    bearer = (b"Authorization", b"Bearer a.b.c")
    assert key_of(plan, bearer) != key_of(plan, bearer, target=b"/bills/1")


def test_sec_71_two_slots_never_share_an_entry_when_their_fields_are_swapped() -> None:
    plan = a_plan(routes=a_route(**BY_SLOTS))
    one, two = b"a.b.c", b"d.e.f"
    keys = [
        key_of(plan, (b"X-Access", one), (b"X-Channel", two)),
        key_of(plan, (b"X-Access", two), (b"X-Channel", one)),
        key_of(plan, (b"X-Access", one)),
        key_of(plan, (b"X-Channel", one)),
        key_of(plan, (b"X-Access", one + two)),
        key_of(plan, (b"X-Access", one), (b"X-Access", two)),
        key_of(plan),
    ]
    assert all(left != right for left, right in combinations(keys, 2))
    assert keys[0] == key_of(plan, (b"x-access", one), (b"X-Other", b"1"), (b"X-CHANNEL", two))


@pytest.mark.parametrize(
    ("source", "field", "target"),
    [("cookie", (b"Cookie", b"t=a.b.c"), b"/orders/1"), ("query", (b"Accept", b"*/*"), b"/orders/1?t=a.b.c")],
)
def test_every_place_a_slot_looks_at_is_part_of_the_key(source: str, field: tuple[bytes, bytes], target: bytes) -> None:
    looking = a_plan(routes=a_route(**{"from": ["bearer", {source: "t"}]}))
    assert key_of(looking, field, target=target) != key_of(looking)
    assert key_of(PLAN, field, target=target) == key_of(PLAN)


def test_what_depends_on_the_request_itself_has_no_key() -> None:
    assert key_of(a_plan(routes=a_route(issue={"audience": "internal", "set": {"at": {"request": "path"}}}))) is None
    assert key_of(a_plan(routes=a_route(issue={"audience": "internal", "reuse": False}))) is None
    assert key_of(PLAN) is not None


def test_two_authorization_fields_have_no_key() -> None:
    bearer = (b"Authorization", b"Bearer a.b.c")
    assert key_of(PLAN, bearer) is not None
    assert key_of(PLAN, bearer, bearer) is None
    assert key_of(PLAN, bearer, bearer, bearer) is None


def test_sec_118_a_preflight_has_no_key() -> None:
    forwarding = a_plan(routes=a_route(forward_cors_preflight=True))
    assert key_of(forwarding, method="OPTIONS") is None
    assert key_of(forwarding) is not None
    assert key_of(PLAN, method="OPTIONS") is not None


def test_sec_118_a_preflight_that_passed_lets_nobody_else_pass() -> None:
    gate = Gate(a_generation(a_plan(routes=a_route(forward_cors_preflight=True))))
    asked = (b"Origin: https://a.example", b"Access-Control-Request-Method: PUT")
    gate.send(a_request(*asked, start=b"OPTIONS /orders/1")).answer(OK)
    gate.send(a_request(start=b"OPTIONS /orders/1"))
    gate.send(a_request(start=b"GET /orders/1"))
    assert gate.outcomes == [(200, ""), (401, "credential_missing"), (401, "credential_missing")]
    assert len(gate.generation.memory) == 0


def test_places_are_those_of_all_slots_together() -> None:
    plan = a_plan(routes=a_route(**{"from": ["bearer", {"header": "X-T"}, {"cookie": "c"}, {"query": "q"}]}))
    assert places_of(plan.routes[0]) == Places(
        only_authorization=False, fields=frozenset({b"x-t"}), cookies=True, query=True
    )
    assert places_of(PLAN.routes[0]) == Places(True, frozenset(), cookies=False, query=False)


def test_an_allowed_outcome_is_remembered_and_used_again() -> None:
    gate = Gate()
    gate.send(an_order()).answer(OK)
    assert (len(gate.generation.memory), gate.desk.counters.remembered_hits) == (1, 0)
    first = gate.wire.take()
    gate.send(an_order()).answer(OK)
    assert gate.desk.counters.remembered_hits == 1
    told = [head_of(head)[1][b"x-user-id"] for head in (first, gate.wire.take())]
    assert told == [b"alice", b"alice"]
    assert [exchange.issuer for exchange in gate.desk.done] == ["main", "main"]


def test_a_refusal_is_not_remembered() -> None:
    gate = Gate()
    gate.send(an_order(token=a_token(exp=1)))
    assert gate.outcomes == [(401, "token_expired")]
    assert len(gate.generation.memory) == 0


def test_sec_71_an_outcome_is_remembered_no_longer_than_its_shortest_lived_token() -> None:
    plan = a_plan(routes=a_route(issue=None))
    gate = Gate(a_generation(plan))
    gate.send(an_order())
    key = key_of(plan, (b"Authorization", f"Bearer {TOKEN}".encode()))
    assert key is not None
    entry = gate.generation.memory.recall(key)
    assert entry is not None
    assert entry.until < FOR_EVER


def test_an_outcome_of_nobody_lasts_as_long_as_its_generation() -> None:
    gate = Gate()
    gate.send(a_request())
    key = key_of(gate.generation.plan, target=b"/open/a")
    assert key is not None
    entry = gate.generation.memory.recall(key)
    assert entry == Remembered(b"", FOR_EVER, "")


def test_sec_71_an_expired_outcome_is_decided_anew() -> None:
    gate = Gate()
    key = key_of(gate.generation.plan, (b"Authorization", f"Bearer {TOKEN}".encode()))
    assert key is not None
    stale = Remembered(b"X-User-Id: stale\r\n", until=1, issuer="stale")
    gate.generation.memory.remember(key, stale)
    gate.send(an_order())
    assert head_of(gate.wire.take())[1][b"x-user-id"] == b"alice"
    assert gate.generation.memory.recall(key) != stale
    assert gate.desk.counters.remembered_hits == 0
    gate.generation.memory.remember(key, Remembered(b"X-User-Id: held\r\n", FOR_EVER, "held"))
    gate.answer(OK)
    gate.send(an_order())
    assert head_of(gate.wire.take())[1][b"x-user-id"] == b"held"


def test_sec_67_nothing_is_remembered_when_keys_have_changed_meanwhile() -> None:
    kept, changed = Gate(a_generation(keys=None)), Gate(a_generation(keys=None))
    for gate in (kept, changed):
        gate.send(an_order())
        ((_, done),) = gate.desk.needs
        if gate is changed:
            gate.generation.forget_outcomes()
        done(KEYS)
        gate.settle()
        assert gate.wire.take().startswith(b"GET /orders/1 ")
    assert [len(gate.generation.memory) for gate in (kept, changed)] == [1, 0]


def a_table(entries: int = 4, size: int = 1000) -> Recent[int, bytes]:
    return Recent(entries, most_bytes=size, size_of=lambda _, entry: len(entry))


def test_rel_18_a_table_is_bounded_in_entries_and_forgets_the_oldest() -> None:
    table = a_table(entries=4)
    for number in range(5):
        table.remember(number, b"x")
    assert [table.recall(number) is not None for number in range(5)] == [False, False, True, True, True]
    assert len(table) <= 4
    assert table.evicted == 2


def test_rel_18_a_table_is_bounded_in_bytes() -> None:
    table = a_table(entries=100, size=100)
    for number in range(10):
        table.remember(number, b"x" * 20)
    assert len(table) * 20 <= 100
    table.remember(10, b"x" * 51)
    assert table.recall(10) is None
    table.remember(11, b"x" * 50)
    assert table.recall(11) is not None


def test_what_is_used_is_not_forgotten() -> None:
    table = a_table(entries=4)
    for number in range(20):
        table.remember(number, b"x")
        table.recall(0)
    assert table.recall(0) == b"x"
    assert table.recall(5) is None


def test_a_table_without_room_keeps_nothing() -> None:
    table = a_table(entries=0)
    table.remember(1, b"x")
    assert (table.recall(1), len(table), table.evicted) == (None, 0, 0)


def test_all_is_forgotten_at_once() -> None:
    table = a_table(entries=4)
    for number in range(4):
        table.remember(number, b"x")
    table.forget_all()
    assert len(table) == 0
    assert [table.recall(number) for number in range(4)] == [None] * 4


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60), st.booleans())), st.integers(0, 6))
def test_rel_18_a_table_holds_what_was_put_there_last_and_never_more_than_it_may(
    steps: list[tuple[int, int, bool]], most: int
) -> None:
    table, put = a_table(entries=most, size=200), {}
    for key, size, is_put in steps:
        if is_put:
            put[key] = b"x" * size
            table.remember(key, put[key])
        assert table.recall(key) in (None, put.get(key))
        assert len(table) <= most + most % 2


@pytest.mark.parametrize(("who", "times"), [(ANONYMOUS, 1), (principal(access=proven()), 9)])
def test_the_size_of_an_outcome_counts_the_whole_credential_and_what_it_says(who: Principal, times: int) -> None:
    memory = outcome_memory(1_000_000)
    for number in range(3000):
        fields = ((b"x-access", b"%d" % number + b"x" * 65_000), (b"x-channel", b""))
        memory.remember((1, None, fields, None, b""), Remembered(b"", FOR_EVER, "", principal=who))
    assert memory.evicted > 0
    assert len(memory) * times * 65_000 <= 128 * 1024 * 1024


@pytest.mark.parametrize("memory", [head_memory(), answer_memory()])
def test_rel_18_heads_are_remembered_within_bounds(memory: Recent[bytes, Any]) -> None:
    for number in range(600):
        memory.remember(b"%d" % number + b"x" * 32_000, object())
    assert memory.evicted > 0
    assert len(memory) * 4 * 32_000 <= 16 * 1024 * 1024
    for number in range(20_000):
        memory.remember(b"%d" % number, object())
    assert len(memory) <= 8192


# What is known of the fields of requests: the same bytes with and without it.

ENDED = {"request_malformed", "request_head_too_large", "path_not_canonical", "field_name_unusual"}
TRUSTING = a_plan(trusted_proxies=["10.0.0.0/8"])
FORGETFUL = replace(TRUSTING, limits=replace(TRUSTING.limits, remembered_outcomes=0))
STREAMS = st.lists(
    st.sampled_from(
        [
            a_request(),
            a_request(b"Cookie: a=b", b"Accept: */*", start=b"DELETE /open/b?c=d"),
            an_order(),
            an_order(b"X-Forwarded-For: 1.2.3.4", start=b"PUT /orders/2"),
            an_order(token="a.b.c"),
            a_request(b"Content-Length: 5", start=b"POST /open/a", body=b"GET /"),
            a_request(b"Transfer-Encoding: chunked", start=b"POST /open/a", body=b"3\r\nabc\r\n0\r\n\r\n"),
            a_request(b"Connection: close"),
            a_request(b"Connection: X-User-Id, Accept", b"Accept: x"),
            a_request(start=b"GET /nowhere"),
            a_request(start=b"GET http://gate.example/open/a"),
            a_request().replace(b"1.1", b"1.0"),
            b"\r\n",
        ]
    ),
    min_size=1,
    max_size=3,
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(STREAMS, EDITS, CUTS, st.sampled_from(["192.0.2.7", "10.0.0.1"]))
def test_a_request_is_read_alike_whether_its_fields_are_known_or_not(
    stream: bytes, edits: Edits, cuts: list[int], peer: str
) -> None:
    data = edited(stream, edits)
    warm, cold = a_generation(TRUSTING), a_generation(FORGETFUL)
    cold.heads = cold.trusted_heads = Recent(0, most_bytes=0, size_of=lambda *_: 0)
    for known in (stream, data):
        for other in ("192.0.2.7", "10.0.0.1"):
            Gate(warm, peer=other).serve([known])
    results = [everything(generation, pieces_of(data, cuts), peer) for generation in (warm, cold)]
    assert results[0] == results[1]


IDENTITY = {b"x-user-id", b"x-jwt-assertion"}


def everything(generation: Generation, pieces: list[bytes], peer: str) -> tuple[object, ...]:
    """All that a client and its upstream see of these bytes; whatever they are, none of it is nonsense."""
    gate = Gate(generation, peer=peer)
    seen = gate.serve(pieces)
    for first, fields, _ in seen:
        assert first.split(b" ")[1].startswith((b"/open/", b"/orders/"))
        assert fields.keys() & IDENTITY == (IDENTITY if b" /orders/" in first else set())
        assert fields.get(b"x-user-id", b"alice") == b"alice"
    assert all(status in STATUSES for status, _ in gate.outcomes)
    reasons = [reason for _, reason in gate.outcomes]
    good = list(takewhile(lambda reason: reason not in ENDED, reasons))
    assert len(good) >= len(reasons) - 1
    assert len(good) == len(reasons) or gate.transport.ended or gate.transport.closed
    ends = (gate.transport.ended, gate.transport.closed, gate.transport.aborted, gate.transport.reading)
    return (seen, without_dates(gate.transport.sent), gate.outcomes, *ends)


def test_a_head_that_is_known_is_not_read_again() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(a_request(start=b"PUT /open/b?c=d")).answer(OK)
    one, two = gate.desk.done
    assert two.head.fields is one.head.fields
    assert (two.head.method, two.head.path, two.head.query) == ("PUT", "/open/b", b"c=d")


NARROW = a_plan(limits={"head_bytes": 1024, "request_line_bytes": 800})
NEARLY_1024 = b"X: " + b"x" * 900


@pytest.mark.parametrize(
    "change", [(b"/a", b'/"'), (b"GET", b"BREW"), (b"/a", b"/" + b"a" * 801), (b"/a", b"/" + b"a" * 90)]
)
def test_a_known_head_excuses_no_request_line(change: tuple[bytes, bytes]) -> None:
    known, unknown = Gate(a_generation(NARROW)), Gate(a_generation(NARROW))
    known.send(a_request(NEARLY_1024)).answer(OK)
    for gate in (known, unknown):
        gate.send(a_request(NEARLY_1024).replace(*change))
    assert known.outcomes[1:] == unknown.outcomes
    assert known.outcomes[-1][0] in (400, 431, 501)


def test_sec_110_a_known_head_excuses_no_path() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(a_request(start=b"GET /open/%2e%2e/orders/1"))
    assert gate.outcomes[-1] == (400, "path_not_canonical")
    assert gate.desk.done[-1].head.path == ""
    assert gate.transport.ended


@pytest.mark.parametrize(
    "line",
    [b"Content-Length: 0", b"Connection: close", b"Expect: 100-continue", b"Upgrade: h2c", b"X_Y: 1", b"Host: b"],
)
def test_a_head_that_is_not_plain_is_not_remembered(line: bytes) -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request(line))
    assert len(gate.generation.heads) == 0


def test_sec_114_a_head_of_a_trusted_client_means_nothing_for_another() -> None:
    generation = a_generation(TRUSTING)
    sent = a_request(b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Proto: https")
    told = {}
    for peer in ("10.0.0.1", "192.0.2.7", "10.0.0.1"):
        ((_, fields, _),) = Gate(generation, peer=peer).serve([sent])
        told[peer] = (fields[b"x-forwarded-for"], fields[b"x-forwarded-proto"])
    assert told == {"10.0.0.1": (b"1.2.3.4, 10.0.0.1", b"https"), "192.0.2.7": (b"192.0.2.7", b"http")}


def test_a_method_that_is_not_permitted_is_decided_each_time() -> None:
    permitted = a_plan(routes=a_route(methods_permitted=["GET"]))
    token = (b"Authorization", b"Bearer abc")
    assert key_of(permitted, token) is not None
    assert key_of(permitted, token, method="POST") is None
    assert key_of(PLAN, token, method="POST") is not None


def test_rel_21_a_large_table_is_let_go_of_little_by_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_LET_GO_SECONDS", 0.0)

    async def moves() -> None:
        memory = Recent[int, int](20_000, most_bytes=10**9, size_of=lambda *_: 1)
        for number in range(9_000):
            memory.remember(number, number)
        table = memory._young
        memory.forget_all()
        assert (len(memory), memory.recall(1)) == (0, None)
        sizes = {len(table)}
        async with asyncio.timeout(30):
            while table:
                await asyncio.sleep(0.001)
                sizes.add(len(table))
        assert sizes > {9_000, 8_900, 8_800}

    asyncio.run(moves())


def test_a_table_is_let_go_of_at_once_where_nobody_is_held_up() -> None:
    table = dict.fromkeys(range(9_000))
    let_go(table)
    assert table == {}
