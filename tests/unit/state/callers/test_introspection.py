"""What is remembered, for how long, and how often the issuer is asked, in virtual time."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.policy.facts import Introspected, NeedIntrospection
from jwtgate.policy.sources import ClientAuth, IntrospectionSource
from jwtgate.state.callers.introspection import MOST_WAITING, Introspections
from jwtgate.state.http_client import FetchFailed

from ..virtual_time import live, now
from .authorization_server import (
    ACTIVE,
    INACTIVE,
    NOON,
    SOURCE,
    Asked,
    Server,
    Wall,
    introspections,
    only,
    reply,
)

DOWN = FetchFailed("refused")


def need(token: str = "t1", hint: str | None = None) -> NeedIntrospection:
    return NeedIntrospection("main", token, hint)


async def fault(asking: Awaitable[Introspected]) -> DependencyFault:
    with pytest.raises(DependencyFault) as caught:
        await asking
    assert caught.value.reason == "introspection_unreachable"
    return caught.value


def played(
    life: Callable[[Introspections], Awaitable[None]], server: Server, *sources: IntrospectionSource, **more: Any
) -> None:
    """A life with what asks this server, closed at its end."""

    async def whole() -> None:
        asking = introspections(server, *sources, **more)
        try:
            await life(asking)
        finally:
            await asking.close()
        assert server.open_lines == 0

    live(whole())


def test_what_the_issuer_says_comes_without_the_word_active() -> None:
    async def life(asking: Introspections) -> None:
        assert await asking.ask(need()) == Introspected(True, {"sub": "ann"}, NOON + 45, NOON + 61)

    played(life, Server())


def test_an_inactive_token_has_no_claims_and_holds_for_seconds() -> None:
    async def life(asking: Introspections) -> None:
        answer = await asking.ask(need())
        assert (answer.active, dict(answer.claims), answer.until) == (False, {}, NOON + 5)

    played(life, Server(reply({"active": False, "sub": "ann"})))


@pytest.mark.parametrize("members", [{"active": "true"}, {}, [], {"active": 1, "sub": "ann"}, "active"])
def test_sec_68_an_unknown_shape_is_inactive_and_counted(members: object) -> None:
    async def life(asking: Introspections) -> None:
        answer = await asking.ask(need())
        assert (answer.active, dict(answer.claims), answer.until) == (False, {}, NOON + 5)
        assert only(asking.report()).not_understood == 1

    played(life, Server(reply(members)))


def test_sec_70_an_answer_is_remembered_for_its_time_and_asked_for_again_a_little_before() -> None:
    async def life(asking: Introspections) -> None:
        first = await asking.ask(need())
        await asyncio.sleep(44.9)
        assert await asking.ask(need()) == first
        await asyncio.sleep(0.1)
        assert (await asking.ask(need())).until == NOON + 90
        assert only(asking.report()).from_memory == 1

    server = Server()
    played(life, server)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "cache_seconds", "until", "vouched"),
    [
        (reply(ACTIVE), 30, 22, 30),
        (reply(ACTIVE), 0, 0, None),
        (reply(ACTIVE, "max-age=20"), 60, 15, 20),
        (reply(ACTIVE, "max-age=600"), 60, 45, 60),
        (reply(ACTIVE, "no-store"), 60, 0, 60),
        (reply(ACTIVE, "max-age=0"), 60, 0, 60),
        (reply({**ACTIVE, "exp": NOON + 25}), 60, 25, 25),
        (reply({**ACTIVE, "exp": NOON + 25.9}), 60, 25, 26),
        (reply({**ACTIVE, "exp": NOON + 50}), 60, 45, 50),
        (reply({**ACTIVE, "exp": NOON + 3600}), 60, 45, 60),
        (reply({**ACTIVE, "exp": NOON + 25}, "max-age=10"), 60, 7, 10),
        (reply(INACTIVE), 60, 5, 5),
        (reply(INACTIVE, "no-store"), 60, 0, 5),
        (reply(INACTIVE, "max-age=2"), 60, 2, 2),
    ],
)
def test_sec_70_sec_157_the_least_of_all_times_counts(
    answer: Any, cache_seconds: float, until: int, vouched: int | None
) -> None:
    server = Server(answer, seconds=0.0)

    async def life(asking: Introspections) -> None:
        found = await asking.ask(need())
        assert (found.until, found.vouched_until) == (NOON + until, None if vouched is None else NOON + vouched)
        await asking.ask(need())
        assert len(server.asked) == (1 if until else 2)
        await asyncio.sleep(until + 1)
        asked = len(server.asked)
        await asking.ask(need())
        assert len(server.asked) == asked + 1

    played(life, server, replace(SOURCE, cache_seconds=cache_seconds))


@pytest.mark.parametrize("exp", [NOON - 1, "soon", True, [NOON + 9]])
def test_sec_70_an_answer_that_is_over_or_has_no_readable_end_is_not_remembered(exp: object) -> None:
    server = Server(reply({**ACTIVE, "exp": exp}))

    async def life(asking: Introspections) -> None:
        for _ in range(2):
            answer = await asking.ask(need())
            assert (answer.active, answer.claims["exp"]) == (True, exp)
            assert answer.until <= NOON + now()

    played(life, server)
    assert len(server.asked) == 2


def test_sec_70_a_negative_answer_never_lives_longer_than_ten_seconds() -> None:
    async def life(asking: Introspections) -> None:
        assert (await asking.ask(need())).until == NOON + 10

    played(life, Server(reply(INACTIVE)), replace(SOURCE, negative_cache_seconds=3600))


def test_sec_70_token_hint_issuer_and_client_are_all_asked_about_apart() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        for each in (need("t1"), need("t2"), need("t1", "access_token"), NeedIntrospection("other", "t1")):
            await asking.ask(each)

    played(life, server, SOURCE, replace(SOURCE, issuer="other"))
    assert [asked.form["token"] for asked in server.asked] == ["t1", "t2", "t1", "t1"]


def test_rel_34_rel_65_five_hundred_at_once_are_one_call() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        answers = await asyncio.gather(*(asking.ask(need()) for _ in range(500)))
        assert {answer.until for answer in answers} == {NOON + 45}

    played(life, server)
    assert len(server.asked) == 1


def test_rel_65_also_when_the_answer_may_not_be_kept() -> None:
    server = Server(reply(ACTIVE, "no-store"))

    async def life(asking: Introspections) -> None:
        await asyncio.gather(*(asking.ask(need()) for _ in range(500)))
        assert only(asking.report()).remembered == 0

    played(life, server)
    assert len(server.asked) == 1


def test_rel_34_a_failed_call_fails_who_waits_and_nobody_after() -> None:
    server = Server(DOWN)

    async def life(asking: Introspections) -> None:
        outcomes = await asyncio.gather(*(asking.ask(need()) for _ in range(500)), return_exceptions=True)
        assert all(isinstance(outcome, DependencyFault) for outcome in outcomes)
        assert len(server.asked) == 1
        server.answers = reply(ACTIVE)
        assert (await asking.ask(need())).active

    played(life, server)


def test_who_gives_up_waiting_takes_nobody_along() -> None:
    server = Server(seconds=1.0)

    async def life(asking: Introspections) -> None:
        first = asyncio.ensure_future(asking.ask(need()))
        second = asyncio.ensure_future(asking.ask(need()))
        await asyncio.sleep(0.5)
        first.cancel()
        assert (await second).active

    played(life, server)
    assert len(server.asked) == 1


def test_rel_33_what_is_remembered_stays_good_to_its_end_while_the_issuer_is_down() -> None:
    server = Server(seconds=0.0)

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = DOWN
        await asyncio.sleep(59)
        answer = await asking.ask(need())
        assert (answer.active, answer.until, answer.vouched_until) == (True, NOON + 59, NOON + 60)
        await asyncio.sleep(1)
        assert (await fault(asking.ask(need()))).detail["cause"] == "refused"

    played(life, server)


def test_rel_33_a_stale_answer_stands_in_for_a_failure_as_long_as_it_may() -> None:
    server = Server(seconds=0.0)

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = DOWN
        for second in range(44, 90):
            await asyncio.sleep(second - now())
            answer = await asking.ask(need())
            until, vouched = (45, 60) if second < 45 else (second, 90)
            assert answer == Introspected(True, {"sub": "ann"}, NOON + until, NOON + vouched)
        assert only(asking.report()).stood_in == 45
        await asyncio.sleep(1)
        await fault(asking.ask(need()))

    played(life, server, replace(SOURCE, stale_if_error_seconds=30))


def test_rel_33_a_stale_answer_never_outlives_its_token() -> None:
    server = Server(reply({**ACTIVE, "exp": NOON + 70}))

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = DOWN
        await asyncio.sleep(65)
        assert (await asking.ask(need())).active
        await asyncio.sleep(5)
        await fault(asking.ask(need()))

    played(life, server, replace(SOURCE, stale_if_error_seconds=3600))


def test_a_negative_answer_never_stands_in_for_a_failure() -> None:
    server = Server(reply(INACTIVE))

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = DOWN
        await asyncio.sleep(6)
        await fault(asking.ask(need()))

    played(life, server, replace(SOURCE, stale_if_error_seconds=3600))


def test_an_answer_that_may_not_be_kept_makes_us_forget_the_one_that_was() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = reply(ACTIVE, "no-store")
        await asyncio.sleep(60)
        await asking.ask(need())
        server.answers = DOWN
        await fault(asking.ask(need()))

    played(life, server, replace(SOURCE, stale_if_error_seconds=3600))


def test_a_token_revoked_meanwhile_is_inactive_from_the_next_call_on() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        server.answers = reply(INACTIVE)
        await asyncio.sleep(60)
        assert not (await asking.ask(need())).active
        server.answers = DOWN
        await asyncio.sleep(6)
        await fault(asking.ask(need()))

    played(life, server, replace(SOURCE, stale_if_error_seconds=3600))


@pytest.mark.parametrize("jump", [3600, -3600])
def test_rel_37_a_wall_clock_that_jumps_changes_no_lifetime(jump: int) -> None:
    server, wall = Server(seconds=0.0), Wall()

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        wall.ahead += jump
        await asyncio.sleep(20)
        assert (await asking.ask(need())).until == NOON + jump + 45
        await asyncio.sleep(25)
        await asking.ask(need())

    played(life, server, wall=wall)
    assert len(server.asked) == 2


def test_rel_37_an_exp_follows_the_wall_clock() -> None:
    server, wall = Server(reply({**ACTIVE, "exp": NOON + 3000})), Wall()

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        wall.ahead += 3600
        await asking.ask(need())

    played(life, server, wall=wall)
    assert len(server.asked) == 2


def test_an_unforeseen_failure_is_a_fault_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def bug(asked: Asked) -> Any:
        raise RuntimeError(asked.form["token"])

    async def life(asking: Introspections) -> None:
        for _ in range(2):
            assert (await fault(asking.ask(need("opaque-secret")))).detail == {"issuer": "main", "cause": "internal"}

    with caplog.at_level(logging.DEBUG):
        played(life, Server(bug))
    assert "RuntimeError" in caplog.text
    assert "opaque-secret" not in caplog.text


def test_questions_that_wait_are_bounded() -> None:
    server = Server(seconds=4.0)

    async def life(asking: Introspections) -> None:
        waiting = [asyncio.ensure_future(asking.ask(need(f"t{number}"))) for number in range(MOST_WAITING)]
        await asyncio.sleep(0.1)
        assert (await fault(asking.ask(need("one more")))).detail["cause"] == "overloaded"
        joined = asyncio.ensure_future(asking.ask(need("t0")))
        await asyncio.sleep(4)
        assert (await joined).active
        for each in waiting:
            each.cancel()

    played(life, server)


def test_a_new_generation_goes_on_with_what_is_known_of_issuers_that_did_not_change() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        await asking.ask(need())
        await asking.ask(NeedIntrospection("other", "t1"))
        changed = replace(SOURCE, issuer="other", signed=True, signed_algorithms=frozenset({"ES256"}))
        successor = introspections(server, SOURCE, changed)
        successor.adopt(asking)
        assert (await successor.ask(need())).active
        assert len(server.asked) == 2
        # What was taken unsigned is worth nothing where signed answers are wanted now.
        await fault(successor.ask(NeedIntrospection("other", "t1")))
        assert [(each.issuer, each.calls) for each in successor.report()] == [("main", 1), ("other", 1)]
        await successor.close()

    played(life, server, SOURCE, replace(SOURCE, issuer="other"))


def test_closing_ends_what_is_asked_as_a_fault() -> None:
    server = Server(seconds=3.0)

    async def life(asking: Introspections) -> None:
        waiting = asyncio.ensure_future(asking.ask(need()))
        await asyncio.sleep(1)
        await asking.close()
        assert (await fault(waiting)).detail["cause"] == "closed"
        server.open_lines += 1  # it is closed once more in the end

    played(life, server)
    assert server.in_flight == 0


def test_every_mistake_of_every_source_is_told_at_once() -> None:
    async def life() -> None:
        introspections(
            Server(),
            replace(SOURCE, client_secret=None),
            replace(SOURCE, issuer="other", auth=ClientAuth.PRIVATE_KEY_JWT),
        )

    with pytest.raises(ConfigError) as caught:
        live(life())
    assert [problem.split(",")[0] for problem in caught.value.problems] == ["issuer 'main'", "issuer 'other'"]


def test_rel_39_a_report_tells_how_it_goes() -> None:
    server = Server()

    async def life(asking: Introspections) -> None:
        for token in ("t1", "t1", "t2"):
            await asking.ask(need(token))
        entry = only(asking.report())
        assert (entry.issuer, entry.endpoint, entry.breaker) == ("main", SOURCE.endpoint, "closed")
        assert (entry.calls, entry.from_memory, entry.remembered, entry.in_flight) == (2, 1, 2, 0)
        assert (entry.failures, entry.last_failure) == ({}, None)

    played(life, server)


def test_an_answer_of_nan_or_infinity_is_none() -> None:
    async def life(asking: Introspections) -> None:
        assert (await fault(asking.ask(need()))).detail["cause"] == "json"
        assert math.isfinite(now())

    played(life, Server(reply(b'{"active":true,"exp":Infinity}')))
