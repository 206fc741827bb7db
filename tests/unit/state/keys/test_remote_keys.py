from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.sources import Fetching, KeySource
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.remote_keys import FIRST_FETCHES, RemoteKeys, Surroundings
from jwtgate.state.saved import write_saved

from ..virtual_time import live, now

HOUR = 3600.0
NOON = 1_800_000_000.0
SOURCE = KeySource("main", "https://idp.example", frozenset({"ES256"}), url="https://idp.example/jwks")


@functools.cache
def jwks(*kids: str) -> bytes:
    return json_bytes({"keys": [generate_key("ES256", kid=kid).to_jwk() for kid in kids]})


@dataclass
class Issuer(HttpClient):
    """An issuer that answers with what it holds; None means it cannot be reached."""

    body: bytes | None = field(default_factory=lambda: jwks("k1"))
    seconds: float = 0.1
    failure: FetchFailed = field(default_factory=lambda: FetchFailed("refused"))
    asked_at: list[float] = field(default_factory=list)

    async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
        assert url == SOURCE.url
        self.asked_at.append(now())
        await asyncio.sleep(self.seconds)
        if self.body is None:
            raise self.failure
        return Response("application/json", self.body)


class Node:
    """One source as a node holds it, and what the node was told of it."""

    def __init__(
        self, issuer: Issuer, folder: Path | None = None, *, source: KeySource = SOURCE, wall: float = NOON
    ) -> None:
        self.told: list[KeySet | None] = []
        started = now()
        around = Surroundings(
            client=issuer,
            folder=folder,
            clock=now,
            wall=lambda: wall + now() - started,
            jitter=lambda: 0.5,
            resolve=str,
            changed=lambda _, key_set: self.told.append(key_set),
        )
        self.keys = RemoteKeys("main", source, around)

    async def started(self) -> Node:
        first = self.keys.start()
        if first is not None:
            await first
        return self

    async def kids(self, kid: str | None = None, client: str = "") -> list[str | None]:
        return [key.kid for key in await self.keys.obtain(kid, client)]

    async def fault(self, kid: str | None = None, client: str = "") -> DependencyFault:
        with pytest.raises(DependencyFault) as caught:
            await self.keys.obtain(kid, client)
        assert caught.value.reason == "issuer_unreachable"
        return caught.value


def test_the_first_fetch_brings_the_set() -> None:
    async def life() -> None:
        node = await Node(Issuer()).started()
        assert await node.kids("k1") == ["k1"]
        assert [held and len(held) for held in node.told] == [1]
        await node.keys.close()

    live(life())


def test_rel_30_a_set_is_refreshed_in_the_background_before_its_time_is_over() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        await asyncio.sleep(HOUR)
        gaps = [after - before for before, after in zip(issuer.asked_at, issuer.asked_at[1:], strict=False)]
        assert len(gaps) == 14
        assert all(225 <= gap <= 271 for gap in gaps)
        assert len(node.told) == 1  # the same set again is no news
        await node.keys.close()

    live(life())


def test_a_set_may_be_refreshed_just_when_its_time_is_over() -> None:
    async def life() -> None:
        issuer = Issuer(seconds=0.0)
        node = await Node(issuer, source=replace(SOURCE, refreshed_early=False, refresh_seconds=HOUR)).started()
        first = issuer.asked_at[0]
        await asyncio.sleep(HOUR - 1)
        assert len(issuer.asked_at) == 1
        await asyncio.sleep(HOUR)
        assert [round(at - first) for at in issuer.asked_at] == [0, HOUR]
        await node.keys.close()

    live(life())


def test_sec_67_a_key_that_disappears_is_gone_within_one_interval() -> None:
    async def life() -> None:
        issuer = Issuer(jwks("k1", "k2"))
        node = await Node(issuer).started()
        issuer.body = jwks("k2")
        await asyncio.sleep(SOURCE.refresh_seconds)
        assert await node.kids("k2") == ["k2"]
        assert len(node.told) == 2
        await node.keys.close()

    live(life())


def test_rel_56_the_last_good_set_serves_while_the_issuer_is_away() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = None
        await asyncio.sleep(23 * HOUR)
        assert await node.kids("k1") == ["k1"]
        report = node.keys.report()
        assert report.stale
        assert report.last_failure == "refused"
        assert report.age_seconds is not None
        assert report.age_seconds > 22 * HOUR
        await node.keys.close()

    live(life())


def test_rel_57_past_max_stale_the_set_is_dropped_and_found_again_within_five_seconds() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = None
        await asyncio.sleep(24 * HOUR + 1)
        assert node.keys.held is None
        assert node.told[-1] is None
        assert 1 <= (await node.fault("k1")).retry_after_seconds <= 5
        await asyncio.sleep(HOUR)
        issuer.body = jwks("k1")
        await asyncio.sleep(5)
        assert await node.kids("k1") == ["k1"]
        assert node.keys.report().failures == 0
        await node.keys.close()

    live(life())


def test_rel_32_a_node_starts_without_its_issuer_and_recovers_within_five_seconds() -> None:
    async def life() -> None:
        issuer = Issuer(None)
        node = await Node(issuer).started()
        assert (await node.fault("k1")).detail["cause"] == "refused"
        await asyncio.sleep(600)
        issuer.body = jwks("k1")
        await asyncio.sleep(5)
        assert await node.kids("k1") == ["k1"]
        await node.keys.close()

    live(life())


def test_requests_wait_for_the_very_first_fetch() -> None:
    async def life() -> None:
        node = Node(Issuer())
        node.keys.start()
        assert await node.kids("k1") == ["k1"]
        await node.keys.close()

    live(life())


def test_rel_60_a_new_kid_passes_after_exactly_one_fetch() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = jwks("k2")
        assert await asyncio.gather(*(node.kids("k2") for _ in range(50))) == [["k2"]] * 50
        assert len(issuer.asked_at) == 2
        await node.keys.close()

    live(life())


def test_a_kid_we_hold_is_never_a_reason_to_fetch() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        assert await node.kids("k1") == ["k1"]
        assert len(issuer.asked_at) == 1
        await node.keys.close()

    live(life())


def test_a_kid_that_stays_unknown_gets_the_present_set_and_is_not_looked_for_again() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        assert await node.kids("made-up") == ["k1"]
        await asyncio.sleep(60)
        assert await node.kids("made-up") == ["k1"]
        assert len(issuer.asked_at) == 2
        assert 200 < node.keys.quiet_seconds("made-up") < 300
        await node.keys.close()

    live(life())


def test_sec_65_ten_thousand_random_kids_cause_at_most_two_fetches_and_evict_nothing() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        for number in range(10_000):
            assert await node.kids(f"random-{number}", f"192.0.2.{number % 8}") == ["k1"]
            await asyncio.sleep(0.0025)
        assert len(issuer.asked_at) - 1 <= 2
        assert await node.kids("k1") == ["k1"]
        await node.keys.close()

    live(life())


def test_rel_61_a_true_new_kid_gets_through_a_flood_within_35_seconds() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        await node.kids("random", "192.0.2.1")
        issuer.body = jwks("k1", "k2")
        rotated, number = now(), 0
        while "k2" not in await node.kids("k2", "198.51.100.7"):
            for _ in range(100):
                number += 1
                await node.kids(f"random-{number}", f"192.0.2.{number % 8}")
            await asyncio.sleep(0.5)
        assert now() - rotated <= 35
        await node.keys.close()

    live(life())


def test_rel_61_also_when_it_comes_from_the_client_that_floods() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        began, number = now(), 0
        issuer.body = None
        await node.fault("random", "192.0.2.1")
        issuer.body = jwks("k1")
        await asyncio.sleep(5)
        issuer.body = jwks("k1", "k2")
        while "k2" not in await node.kids("k2", "192.0.2.1"):
            for _ in range(100):
                number += 1
                await node.kids(f"random-{number}", "192.0.2.1")
            await asyncio.sleep(0.5)
        assert now() - began <= 5 + 35
        await asyncio.sleep(20)
        await node.kids("random", "192.0.2.1")
        await asyncio.sleep(20)
        assert len(issuer.asked_at) - 1 == 4, "one that failed, its repetition, and one in each 33 seconds"
        await node.keys.close()

    live(life())


def test_rel_61_a_fetch_that_comes_early_is_one_of_those_in_turn() -> None:
    async def life() -> None:
        issuer = Issuer(seconds=0.0)
        node = await Node(issuer).started()
        await node.kids("random-1", "192.0.2.1")
        await asyncio.sleep(20)
        await node.kids("random-2", "192.0.2.1")
        await asyncio.sleep(240)
        assert issuer.asked_at == [0, 0, 33]
        await asyncio.sleep(30)
        assert len(issuer.asked_at) == 4
        await node.keys.close()

    live(life())


def test_sec_65_one_client_cannot_use_up_the_budget_of_all() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        await node.kids("random-1", "192.0.2.1")
        await asyncio.sleep(31)
        await node.kids("random-2", "192.0.2.1")
        assert len(issuer.asked_at) == 2
        issuer.body = jwks("k2")
        assert await node.kids("k2", "198.51.100.7") == ["k2"]
        await node.keys.close()

    live(life())


def test_sec_143_an_unknown_kid_is_a_fault_while_the_issuer_cannot_be_asked() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        assert await node.kids("made-up") == ["k1"]
        issuer.body = None
        await asyncio.sleep(60)
        await node.fault("k2")
        assert await node.kids("k1") == ["k1"]
        assert await node.kids("made-up") == ["k1"]  # this one was looked for while the issuer was there
        assert node.keys.quiet_seconds("k2") == 0.0
        await node.keys.close()

    live(life())


def test_rel_34_a_failed_search_for_a_kid_is_made_good_within_a_second() -> None:
    async def life() -> None:
        issuer = Issuer(seconds=0.0)
        node = await Node(issuer).started()
        issuer.body = None
        await node.fault("k2")
        issuer.body = jwks("k2")
        await asyncio.sleep(1)
        assert await node.kids("k2") == ["k2"]
        await node.keys.close()

    live(life())


def test_a_kid_is_worth_asking_for_while_a_fetch_is_under_way() -> None:
    async def life() -> None:
        node = await Node(Issuer()).started()
        asking = asyncio.create_task(node.kids("k2"))
        await asyncio.sleep(0.05)
        assert node.keys.quiet_seconds("k3") == 0.0
        await asking
        assert node.keys.quiet_seconds("k3") > 29
        await node.keys.close()

    live(life())


def test_whoever_stops_waiting_leaves_the_fetch_to_the_others() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = jwks("k2")
        leaving, staying = (asyncio.create_task(node.kids("k2")) for _ in range(2))
        await asyncio.sleep(0.05)
        leaving.cancel()
        assert await staying == ["k2"]
        assert len(issuer.asked_at) == 2
        await node.keys.close()

    live(life())


def test_closing_ends_the_fetch_and_answers_those_who_wait() -> None:
    async def life() -> None:
        issuer = Issuer(seconds=4)
        node = Node(issuer)
        node.keys.start()
        waiting = asyncio.create_task(node.fault("k1"))
        await asyncio.sleep(1)
        await node.keys.close()
        assert (await waiting).detail["cause"] == "not_fetched_yet"
        await asyncio.sleep(HOUR)
        assert len(issuer.asked_at) == 1

    live(life())


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b'{"keys": [', "key_set_malformed"),
        (b'{"keys": []}', "key_set_empty"),
        (b'{"keys": [{"kty": "EC"}]}', "key_set_empty"),
        (b"[]", "key_set_malformed"),
    ],
)
def test_sec_66_a_set_that_cannot_be_used_leaves_the_good_one(body: bytes, cause: str) -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = body
        await asyncio.sleep(300)
        assert await node.kids("k1") == ["k1"]
        assert node.keys.report().last_failure == cause
        await node.keys.close()

    live(life())


def test_a_failure_nobody_foresaw_is_a_failure_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Issuer):
        async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
            await super().send(method, url, rules=rules)
            raise ZeroDivisionError

    async def life() -> None:
        issuer = Odd()
        node = await Node(issuer).started()
        await node.fault("k1")
        await asyncio.sleep(60)
        assert node.keys.report().last_failure == "internal"
        assert 14 < len(issuer.asked_at) < 62
        await node.keys.close()

    live(life())
    assert "unforeseen" in caplog.text


def test_rel_39_one_line_is_logged_when_a_source_begins_to_fail_and_one_when_it_recovers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body = None
        await asyncio.sleep(2 * HOUR)
        issuer.body = jwks("k1")
        await asyncio.sleep(HOUR)
        await node.keys.close()

    with caplog.at_level(logging.INFO, "jwtgate"):
        live(life())
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "refused",
        "its key set can be fetched again",
    ]


def test_rel_63_a_saved_set_serves_a_start_without_the_issuer(tmp_path: Path) -> None:
    async def first() -> None:
        node = await Node(Issuer(), tmp_path).started()
        await node.keys.close()

    async def second() -> None:
        issuer = Issuer(None)
        node = await Node(issuer, tmp_path, wall=NOON + 2 * HOUR).started()
        assert await node.kids("k1") == ["k1"]
        age = node.keys.report().age_seconds
        assert age is not None
        assert 2 * HOUR - 1 < age < 2 * HOUR + 1
        await asyncio.sleep(1)
        assert issuer.asked_at  # it is old, so a fresh one is asked for at once
        await asyncio.sleep(22 * HOUR)
        await node.fault("k1")
        await node.keys.close()

    live(first())
    live(second())


def test_a_set_that_is_not_to_be_saved_serves_no_other_start(tmp_path: Path) -> None:
    async def life(source: KeySource) -> None:
        await (await Node(Issuer(), tmp_path, source=source).started()).keys.close()
        node = await Node(Issuer(None), tmp_path, source=replace(SOURCE, saved=False)).started()
        await node.fault("k1")
        await node.keys.close()

    live(life(replace(SOURCE, saved=False)))
    assert not (tmp_path / "key-sets").exists()
    live(life(SOURCE))
    assert (tmp_path / "key-sets").exists()


@pytest.mark.parametrize("wall", [NOON + 25 * HOUR, NOON + 24 * HOUR + 1])
def test_a_saved_set_past_max_stale_is_not_used(tmp_path: Path, wall: float) -> None:
    async def first() -> None:
        await (await Node(Issuer(), tmp_path).started()).keys.close()

    async def second() -> None:
        node = await Node(Issuer(None), tmp_path, wall=wall).started()
        await node.fault("k1")
        await node.keys.close()

    live(first())
    live(second())


def test_rel_81_a_wall_clock_set_back_makes_a_saved_set_count_as_new(tmp_path: Path) -> None:
    async def first() -> None:
        await (await Node(Issuer(), tmp_path).started()).keys.close()

    async def second() -> None:
        node = await Node(Issuer(None), tmp_path, wall=NOON - HOUR).started()
        assert await node.kids("k1") == ["k1"]
        assert node.keys.report().age_seconds == 0.0
        await node.keys.close()

    live(first())
    live(second())


def test_a_set_saved_for_another_address_is_never_taken(tmp_path: Path) -> None:
    async def first() -> None:
        await (await Node(Issuer(), tmp_path).started()).keys.close()

    async def second() -> None:
        elsewhere = KeySource("main", "https://other.example", frozenset({"ES256"}), url=SOURCE.url)
        node = await Node(Issuer(None), tmp_path, source=elsewhere).started()
        await node.fault("k1")
        await node.keys.close()

    live(first())
    live(second())


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [_truncate, _flip])
def test_rel_70_a_damaged_saved_set_is_set_aside(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    async def first() -> None:
        await (await Node(Issuer(), tmp_path).started()).keys.close()

    async def second() -> None:
        node = await Node(Issuer(None), tmp_path).started()
        await node.fault("k1")
        await node.keys.close()

    live(first())
    (file,) = (tmp_path / "key-sets").iterdir()
    damage(file)
    live(second())
    assert [path.suffix for path in (tmp_path / "key-sets").iterdir()] == [".damaged"]


@pytest.mark.parametrize("head", [b"", b"{}", b'{"fetched_at":"noon"}', b"[]"])
def test_a_saved_set_of_an_unknown_age_is_not_used(tmp_path: Path, head: bytes) -> None:
    async def first() -> None:
        await (await Node(Issuer(), tmp_path).started()).keys.close()

    async def second() -> None:
        node = await Node(Issuer(None), tmp_path).started()
        await node.fault("k1")
        await node.keys.close()

    live(first())
    (file,) = (tmp_path / "key-sets").iterdir()
    write_saved(file, head + b"\n" + jwks("k1"))
    live(second())


def test_rel_68_a_disk_that_fails_is_reported_and_nothing_else(tmp_path: Path) -> None:
    async def life() -> None:
        (tmp_path / "key-sets").touch()
        node = await Node(Issuer(), tmp_path).started()
        assert await node.kids("k1") == ["k1"]
        await asyncio.sleep(1)
        assert not node.keys.report().saved
        (tmp_path / "key-sets").unlink()
        await asyncio.sleep(300)
        assert node.keys.report().saved
        await node.keys.close()

    live(life())


def test_sec_65_after_a_wrong_signature_the_set_is_fetched_once_for_all_who_ask() -> None:
    async def life() -> None:
        issuer = Issuer(jwks("k1"))
        node = await Node(issuer).started()
        await asyncio.sleep(60)
        issuer.body = jwks("k1", "k2")
        sets = await asyncio.gather(*(node.keys.renew("192.0.2.7") for _ in range(100)))
        assert [len(found) for found in sets] == [2] * 100
        assert len(issuer.asked_at) == 2
        for _ in range(100):
            await node.keys.renew("192.0.2.8")
        assert len(issuer.asked_at) == 2
        assert 29 < node.keys.spent_seconds() <= 30
        await asyncio.sleep(31)
        assert node.keys.spent_seconds() == 0
        await node.keys.renew("192.0.2.8")
        assert len(issuer.asked_at) == 3
        await node.keys.close()

    live(life())


def test_sec_65_one_client_has_a_quarter_of_that_budget() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        for _ in range(4):
            await asyncio.sleep(31)
            await node.keys.renew("192.0.2.7")
        forced = len(issuer.asked_at) - 1
        assert forced == 1
        await node.keys.renew("192.0.2.8")
        assert len(issuer.asked_at) - 1 == forced + 1
        await node.keys.close()

    live(life())


def test_an_issuer_that_is_away_leaves_the_set_as_it_is() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        await asyncio.sleep(60)
        issuer.body = None
        assert [key.kid for key in await node.keys.renew("")] == ["k1"]
        await node.keys.close()
        none = await Node(issuer).started()
        with pytest.raises(DependencyFault) as caught:
            await none.keys.renew("")
        assert caught.value.reason == "issuer_unreachable"
        await none.keys.close()

    live(life())


def test_the_set_is_usable_as_it_is_whatever_is_being_fetched() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer).started()
        issuer.body, issuer.seconds = jwks("k2"), 3.0
        await asyncio.sleep(60)
        fetching = asyncio.create_task(node.keys.renew(""))
        await asyncio.sleep(1)
        assert [key.kid for key in await node.keys.usable()] == ["k1"]
        assert [key.kid for key in await fetching] == ["k2"]
        await node.keys.close()

    live(life())


def test_a_first_set_that_is_being_fetched_is_waited_for_and_none_is_a_fault() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = Node(issuer)
        node.keys.start()
        assert [key.kid for key in await node.keys.usable()] == ["k1"]
        await node.keys.close()
        issuer.body = None
        none = Node(issuer)
        none.keys.start()
        with pytest.raises(DependencyFault):
            await none.keys.usable()
        none.keys.stop()
        before = len(issuer.asked_at)
        await asyncio.sleep(HOUR)
        assert len(issuer.asked_at) == before

    live(life())


def test_a_fault_tells_the_status_of_the_last_answer() -> None:
    async def life() -> None:
        issuer = Issuer(None)
        issuer.failure = FetchFailed("status_404", status=404)
        node = await Node(issuer).started()
        assert (await node.fault("k1")).detail == {"issuer": "main", "cause": "status_404", "status": 404}
        issuer.failure = FetchFailed("refused")
        await asyncio.sleep(9)
        assert (await node.fault("k1")).detail == {"issuer": "main", "cause": "refused"}
        await node.keys.close()

    live(life())


def test_an_early_request_waits_for_the_first_fetches() -> None:
    async def life() -> None:
        issuer = Issuer(None)
        node = await Node(issuer).started()
        waiting = asyncio.gather(node.kids("k1"), node.keys.usable(), node.keys.renew(""))
        await asyncio.sleep(1)
        issuer.body = jwks("k1")
        found, usable, renewed = await waiting
        assert (found, len(usable), len(renewed)) == (["k1"], 1, 1)
        assert len(issuer.asked_at) == 3
        await node.keys.close()

    live(life())


def test_and_for_three_of_them_at_most_once() -> None:
    async def life() -> None:
        issuer, began = Issuer(None), now()
        node = await Node(issuer).started()
        await asyncio.gather(*(node.fault("k1") for _ in range(3)))
        assert len(issuer.asked_at) == FIRST_FETCHES
        assert 1.5 < now() - began < 4
        before = now()
        await node.fault("k1")
        assert now() == before
        await node.keys.close()

    live(life())


def test_rel_58_no_longer_than_one_fetch_may_take() -> None:
    async def life() -> None:
        node = Node(Issuer(None), source=replace(SOURCE, fetching=Fetching(total_seconds=1)))
        await node.started()
        before = now()
        await node.fault("k1")
        assert now() - before < 2
        await node.keys.close()

    live(life())


def test_who_waits_for_a_first_fetch_of_a_source_that_is_stopped_begins_none() -> None:
    async def life() -> None:
        issuer = Issuer(None)
        node = await Node(issuer).started()
        waiting = asyncio.create_task(node.fault("k1"))
        await asyncio.sleep(0)
        await node.keys.close()
        await waiting
        assert len(issuer.asked_at) == 1

    live(life())


def test_an_unknown_kid_is_not_worth_a_fetch_where_the_document_says_so() -> None:
    async def life() -> None:
        issuer = Issuer()
        node = await Node(issuer, source=replace(SOURCE, fetched_for_unknown_kid=False)).started()
        assert await node.kids("k9") == ["k1"]
        assert node.keys.quiet_seconds("k9") > 0
        issuer.body = None
        await asyncio.sleep(HOUR)
        assert await node.kids("k9") == ["k1"]  # the set we hold has the last word, also while fetches fail
        assert min(b - a for a, b in zip(issuer.asked_at, issuer.asked_at[1:], strict=False)) > 0.4
        await node.keys.close()

    live(life())


def test_without_a_set_it_is_fetched_all_the_same() -> None:
    async def life() -> None:
        issuer = Issuer(None)
        node = await Node(issuer, source=replace(SOURCE, fetched_for_unknown_kid=False)).started()
        assert (await node.fault("k1")).detail["cause"] == "refused"
        assert node.keys.quiet_seconds("k1") == 0
        await node.keys.close()

    live(life())
