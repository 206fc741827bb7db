"""All upstreams of a plan, from its beginning to its end."""

from __future__ import annotations

import asyncio

from tests.unit.gateway.parts import a_plan, wire
from tests.unit.gateway.upstreams.fakes import KINDS, a_connection

from jwtgate.gateway.upstreams.name_servers import Found
from jwtgate.gateway.upstreams.names import Name
from jwtgate.gateway.upstreams.upstreams import Upstreams

CALL = {"orders": {"calls": {"who": {"upstream": "other"}, "again": {"upstream": "echo"}}}}
OTHER = {"other": {"targets": "http://127.0.0.1:9030"}}


def upstreams(**changes: object) -> Upstreams:
    return Upstreams(a_plan(upstreams={**OTHER, **changes}, routes=CALL_ROUTE), KINDS)


CALL_ROUTE = {"orders": {"path": "/orders/*", "auth": "none", "upstream": "echo", **CALL["orders"]}}


def test_what_is_known_of_an_upstream_is_shared_by_all_its_uses() -> None:
    held = upstreams()
    assert (set(held.balancers), set(held.call_balancers)) == ({"echo"}, {"echo", "other"})
    assert held.balancers["echo"].roster is held.call_balancers["echo"].roster is held.rosters["echo"]
    assert len(list(held.pools())) == 3


def test_targets_that_trust_the_same_share_what_it_takes() -> None:
    names = {"one": {}, "two": {}, "three": {"protocol": "http2"}}
    said = {name: {"targets": f"https://{name}.example", **changes} for name, changes in names.items()}
    routes = {name: {"path": f"/{name}/*", "auth": "none", "upstream": name} for name in names}
    one, two, three = (
        each.pools[0].tls
        for each in Upstreams(a_plan(upstreams=said, routes=routes), KINDS).balancers.values()
        if each.pools[0].tls
    )
    assert one is two
    assert three is not one


def test_the_next_ones_know_what_these_knew() -> None:
    before, after = upstreams(), upstreams(more={"targets": "http://127.0.0.1:9040"})
    for standing in before.rosters["echo"].standings.values():
        standing.unreachable(0.0)
    after.begin(before)
    assert [standing.failures for standing in after.rosters["echo"].standings.values()] == [1]
    assert [standing.failures for standing in after.rosters["other"].standings.values()] == [0]


def test_what_was_idle_for_too_long_is_closed() -> None:
    held = upstreams()
    pool = held.balancers["echo"].pools[0]
    connection = a_connection(pool)
    pool.put(connection)
    held.look(connection.idle_since + 29.0)
    assert not wire(connection).closed
    held.look(connection.idle_since + 31.0)
    assert wire(connection).closed


def test_at_their_end_nothing_is_checked_or_kept() -> None:
    async def life() -> tuple[int, int]:
        held = upstreams(echo={"targets": "http://127.0.0.1:9020", "health_check": {}})
        connection = a_connection(held.balancers["echo"].pools[0])
        held.begin(None)
        begun = len(asyncio.all_tasks())
        held.close()
        await asyncio.sleep(0)
        held.balancers["echo"].pools[0].put(connection)
        assert wire(connection).closed
        return begun, len(asyncio.all_tasks())

    assert asyncio.run(life()) == (2, 1)


def test_rel_15_a_reload_leaves_nobody_waiting_for_a_name() -> None:
    async def look_up(host: str) -> Found:
        for _ in range(3):
            await asyncio.sleep(0)
        return Found(("10.0.0.1",))

    async def life() -> tuple[str, ...]:
        held = upstreams()
        roster = held.rosters["echo"]
        name = Name("a.example", every_seconds=30, stale_seconds=30, clock=roster.clock, look_up=look_up)
        roster.names = dict.fromkeys(roster.names, name)
        waiting = asyncio.create_task(name.in_turn())
        await asyncio.sleep(0)
        held.close()
        return await waiting

    assert asyncio.run(life()) == ("10.0.0.1",)
