from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter

import pytest

from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.secrets.contents import Contents
from jwtgate.state.secrets.holdings import MOST_AT_ONCE, Holdings
from jwtgate.state.secrets.reading import Read, ReadFailed
from jwtgate.state.secrets.references import Reference

from ..virtual_time import live, now

DAY = 86400.0
STORE = SecretStore("vault", "vault", {}, refresh_seconds=300, max_stale_seconds=7 * DAY)


class Shelf:
    """A store that holds some paths. `fails`: each read fails so instead."""

    def __init__(self, **held: Contents) -> None:
        self.held = held
        self.fails: Exception | None = None
        self.seconds = 0.1
        self.again_seconds = math.inf
        self.asked: Counter[str] = Counter()
        self.asked_at: list[float] = []
        self.at_once = self.most_at_once = 0

    async def read(self, path: str) -> Read:
        self.asked[path] += 1
        self.asked_at.append(now())
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if self.fails is not None:
            raise self.fails
        if path not in self.held:
            raise ReadFailed("not_found")
        return Read(self.held[path], self.again_seconds)


def holdings(shelf: Shelf, store: SecretStore = STORE) -> Holdings:
    return Holdings(store, shelf, clock=now, jitter=lambda: 0.0)


def value(given: Holdings, path: str = "a", field: str | None = None) -> str:
    return given.value(Reference("vault", path, field))


def problem(given: Holdings, path: str = "a", field: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        value(given, path, field)
    return str(caught.value)


async def follow(given: Holdings, seconds: float) -> None:
    """Read whatever comes due within this time."""
    ends = now() + seconds
    while given.due() < ends:
        await asyncio.sleep(max(0.0, given.due() - now()))
        await given.read_due()
    await asyncio.sleep(max(0.0, ends - now()))


def test_what_was_read_is_held() -> None:
    async def life() -> None:
        given = holdings(Shelf(a="one", b={"c": "two"}))
        await given.read(["a", "b"])
        assert value(given) == "one"
        assert value(given, "b", "c") == "two"
        assert "no such field" in problem(given, "b", "d")

    live(life())


def test_nothing_to_read_is_read_at_once() -> None:
    async def life() -> None:
        given = holdings(Shelf())
        await given.read([])
        assert given.due() == math.inf

    live(life())


def test_sec_149_what_was_not_read_is_refused_by_name() -> None:
    async def life() -> None:
        given = holdings(Shelf())
        assert problem(given) == "The reference ${vault:a} was not read yet."
        await given.read(["a"])
        assert problem(given, "a", "f") == (
            "The reference ${vault:a#f} cannot be read from 'vault': there is nothing under this path."
        )

    live(life())


def test_a_path_is_read_once_for_all_who_ask_at_the_same_time() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        await asyncio.gather(*(given.read(["a", "a"]) for _ in range(5)))
        assert shelf.asked["a"] == 1
        await given.read(["a"])
        assert shelf.asked["a"] == 2

    live(life())


def test_who_gives_up_waiting_leaves_the_read_to_the_others() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        impatient, patient = (asyncio.create_task(given.read(["a"])) for _ in range(2))
        await asyncio.sleep(0.05)
        impatient.cancel()
        await patient
        assert value(given) == "one"

    live(life())


def test_only_a_few_paths_are_read_at_once() -> None:
    async def life() -> None:
        shelf = Shelf(**{f"p{number}": "x" for number in range(20)})
        given = holdings(shelf)
        await given.read(shelf.held)
        assert shelf.most_at_once == MOST_AT_ONCE
        assert given.report().values == 20

    live(life())


def test_rel_36_a_new_version_is_picked_up_within_the_interval() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.held["a"] = "two"
        await follow(given, 300)
        assert value(given) == "two"
        assert given.take_changed()
        assert not given.take_changed()

    live(life())


def test_the_same_value_again_is_no_change() -> None:
    async def life() -> None:
        shelf = Shelf(a={"b": "one"})
        given = holdings(shelf)
        await given.read(["a"])
        shelf.held["a"] = {"b": "one"}
        await follow(given, 3000)
        assert shelf.asked["a"] > 10
        assert not given.take_changed()

    live(life())


def test_rel_36_what_must_be_read_sooner_is() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        shelf.again_seconds = 20
        given = holdings(shelf)
        await given.read(["a"])
        await follow(given, 205)
        assert shelf.asked["a"] == 11

    live(life())


def test_no_store_can_make_us_ask_without_a_pause() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        shelf.again_seconds = -5
        given = holdings(shelf)
        await given.read(["a"])
        await follow(given, 10)
        assert shelf.asked["a"] <= 11

    live(life())


@pytest.mark.parametrize("cause", ["sealed", "forbidden", "not_found", "slow", "malformed", "login_refused"])
def test_rel_84_the_last_value_is_kept_while_the_store_fails(cause: str) -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.fails = ReadFailed(cause)
        await follow(given, DAY)
        assert value(given) == "one"
        report = given.report()
        assert (report.stale, report.last_failure, report.values, report.missing) == (True, cause, 1, 0)
        assert report.age_seconds == pytest.approx(DAY, abs=1)
        shelf.fails = None
        await follow(given, 120)
        assert value(given) == "one"
        assert not given.take_changed()
        assert (given.report().stale, given.report().last_failure) == (False, None)

    live(life())


def test_rel_36_the_last_value_is_kept_up_to_a_bound() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.fails = ReadFailed("sealed")
        await follow(given, 7 * DAY - 10)
        assert value(given) == "one"
        assert not given.take_changed()
        await follow(given, 20)
        assert problem(given).endswith("it is sealed or down for maintenance.")
        assert given.take_changed()
        assert (given.report().values, given.report().missing, given.report().age_seconds) == (0, 1, None)
        shelf.fails = None
        await follow(given, 120)
        assert value(given) == "one"
        assert given.take_changed()

    live(life())


def test_a_value_that_comes_after_it_was_missed_is_a_change() -> None:
    async def life() -> None:
        shelf = Shelf()
        given = holdings(shelf)
        await given.read(["a"])
        assert not given.take_changed()
        shelf.held["a"] = "one"
        await follow(given, 60)
        assert given.take_changed()

    live(life())


def test_after_failures_there_is_more_and_more_time_but_never_more_than_a_minute() -> None:
    async def life() -> None:
        shelf = Shelf()
        shelf.seconds = 0
        given = holdings(shelf)
        await given.read(["a"])
        await follow(given, 1000)
        gaps = [after - before for before, after in zip(shelf.asked_at, shelf.asked_at[1:], strict=False)]
        assert gaps[:6] == pytest.approx([1, 2, 4, 8, 16, 32])
        assert set(gaps[6:]) == {60}

    live(life())


def test_rel_84_a_store_that_is_slow_costs_five_seconds_and_not_five_for_each_path() -> None:
    async def life() -> None:
        shelf = Shelf()
        shelf.seconds = 1000
        given = holdings(shelf)
        await given.read([f"p{number}" for number in range(100)])
        assert now() == pytest.approx(5)
        assert sum(shelf.asked.values()) == MOST_AT_ONCE
        assert given.report().missing == 100
        assert "in time" in problem(given, "p99")

    live(life())


def test_a_path_that_is_not_there_does_not_keep_others_from_being_read() -> None:
    async def life() -> None:
        shelf = Shelf(z="one")
        given = holdings(shelf)
        await given.read([*"abcdefgh", "z"])
        assert value(given, "z") == "one"

    live(life())


def test_a_store_that_was_away_is_asked_again_after_a_second() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        shelf.fails = ReadFailed("unreachable")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.fails = None
        await given.read(["a"])
        assert shelf.asked["a"] == 1
        await asyncio.sleep(1)
        await given.read(["a"])
        assert value(given) == "one"

    live(life())


def test_who_looks_again_is_not_told_what_was_found_out_a_moment_ago() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        shelf.fails = ReadFailed("unreachable")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.fails = None
        await given.read(["a"])
        assert shelf.asked["a"] == 1
        await given.read_again(["a"])
        assert value(given) == "one"

    live(life())


def test_sec_149_an_error_nobody_foresaw_is_a_failure_that_shows_no_more_than_its_name() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        shelf.fails = KeyError("swordfish")
        given = holdings(shelf)
        await given.read(["a"])
        assert problem(given).endswith("it failed (failed): KeyError.")

    live(life())


def test_values_are_taken_over_once_they_are_asked_for() -> None:
    async def life() -> None:
        shelf = Shelf(a="one", b="two")
        old, new = holdings(shelf), holdings(Shelf())
        await old.read(["a", "b"])
        shelf.fails = ReadFailed("sealed")
        new.adopt(old)
        await new.read(["a"])
        assert value(new) == "one"
        assert new.report().values == 1
        assert (shelf.asked["a"], shelf.asked["b"]) == (2, 1)

    live(life())


def test_the_older_generation_goes_on_by_itself() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        old, new = holdings(shelf), holdings(Shelf())
        await old.read(["a"])
        new.adopt(old)
        shelf.held["a"] = "two"
        await new.read(["a"])
        assert (value(old), value(new)) == ("one", "two")
        await follow(old, 300)
        assert old.take_changed()

    live(life())


def test_closing_stops_what_is_being_read_and_keeps_what_was() -> None:
    async def life() -> None:
        shelf = Shelf(a="one")
        given = holdings(shelf)
        await given.read(["a"])
        shelf.seconds = 4
        waiting = asyncio.create_task(given.read(["a", "b"]))
        await asyncio.sleep(1)
        await given.close()
        await waiting
        assert shelf.at_once == 0
        assert value(given) == "one"
        assert now() < 2

    live(life())


def test_a_store_that_fails_is_logged_once_and_so_is_its_return(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> None:
        shelf = Shelf(a="swordfish", b="x")
        given = holdings(shelf)
        await given.read(["a", "b"])
        shelf.fails = ReadFailed("sealed")
        await follow(given, 3600)
        shelf.fails = None
        await follow(given, 3600)

    caplog.set_level(logging.INFO)
    live(life())
    assert [record.getMessage() for record in caplog.records] == [
        "the secret store vault cannot be read: it is sealed or down for maintenance",
        "the secret store vault can be read again",
    ]


def test_rel_36_a_value_that_is_too_old_is_stale_and_that_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> None:
        shelf = Shelf(a="swordfish", b="x")
        given = holdings(shelf)
        await given.read(["a", "b"])
        shelf.fails = ReadFailed("sealed")
        for _ in range(3):
            await follow(given, 7 * DAY)
            assert given.report().stale
        shelf.fails = None
        await follow(given, 3600)
        assert not given.report().stale

    live(life())
    assert [record.getMessage() for record in caplog.records if "too old" in record.getMessage()] == [
        "a value of the secret store vault is too old to be used any longer"
    ]


def test_what_is_held_never_shows() -> None:
    async def life() -> None:
        given = holdings(Shelf(a="swordfish"))
        await given.read(["a"])
        assert "swordfish" not in f"{given!r} {vars(given)!r} {given.report()!r}"

    live(life())
