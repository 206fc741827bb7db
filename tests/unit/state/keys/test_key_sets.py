from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.sources import KeySource, KeyText
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.key_sets import KeySets

from ..virtual_time import live, now

HOUR = 3600.0
MAIN = KeySource("main", "https://idp.example", frozenset({"ES256"}), url="https://idp.example/jwks")
OTHER = KeySource("other", "https://two.example", frozenset({"ES256"}), url="https://two.example/jwks")


@functools.cache
def key() -> Key:
    return generate_key("ES256", kid="k1")


def own() -> KeySource:
    return KeySource("own", "https://own.example", frozenset({"ES256"}), local=(KeyText(text=key().to_pem()),))


class Web(HttpClient):
    """Every issuer answers with one key set, save those that are down."""

    def __init__(self, down: Iterable[str] = (), seconds: float = 0.0) -> None:
        self.down = set(down)
        self.seconds = seconds
        self.asked: list[tuple[str, float]] = []

    async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
        self.asked.append((url, now()))
        await asyncio.sleep(self.seconds)
        if url in self.down:
            raise FetchFailed("refused")
        return Response("application/json", json_bytes(KeySet([key()]).to_jwks()))

    def times(self, source: KeySource) -> list[float]:
        return [at for url, at in self.asked if url == source.url]


class Told:
    """What `changed` was told."""

    def __init__(self) -> None:
        self.issuers: list[str] = []

    def __call__(self, issuer: str, key_set: KeySet | None) -> None:
        self.issuers.append(issuer)


def key_sets(*sources: KeySource, web: HttpClient, told: Told | None = None, folder: Path | None = None) -> KeySets:
    return KeySets(
        {source.issuer: source for source in sources},
        client=web,
        folder=folder,
        resolve=lambda text: text,
        clock=now,
        wall=lambda: 1_800_000_000 + now(),
        jitter=lambda: 0.5,
        changed=told or Told(),
    )


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_rel_32_a_start_is_refused_without_a_set_that_is_required(seconds: float) -> None:
    async def life() -> None:
        required = replace(MAIN, required_at_start=True)
        made = key_sets(required, OTHER, web=Web({str(MAIN.url)}, seconds))
        with pytest.raises(ConfigError) as caught:
            await made.start(2)
        (problem,) = caught.value.problems
        assert problem.startswith("issuer 'main': its key set, which is required, cannot be fetched: ")
        await made.close()
        there = key_sets(required, web=Web())
        await there.start(2)
        assert len(there.current()) == 1
        await there.close()

    live(life())


def test_local_and_fetched_sets_are_found_alike() -> None:
    async def life() -> None:
        told = Told()
        made = key_sets(MAIN, own(), web=Web(), told=told)
        await made.start(5)
        assert sorted(made.current()) == ["main", "own"]
        for issuer in ("main", "own"):
            assert len(await made.obtain(NeedKeys(issuer, "k1"))) == 1
        assert told.issuers == ["main"]
        await made.close()

    live(life())


def test_a_local_set_is_all_there_is_for_an_unknown_kid() -> None:
    async def life() -> None:
        made = key_sets(own(), web=Web())
        await made.start(5)
        assert len(await made.obtain(NeedKeys("own", "k9"))) == 1
        assert made.quiet_seconds(NeedKeys("own", "k9")) > 0
        assert len(await made.obtain(NeedKeys("own", "k9", distrusted=True))) == 1
        assert made.quiet_seconds(NeedKeys("own", "k9", distrusted=True)) > 0
        await made.close()

    live(life())


def test_every_problem_of_every_local_source_is_told_at_once() -> None:
    async def life() -> None:
        bad = replace(own(), local=(KeyText(text="rubbish"),))
        made = key_sets(bad, replace(bad, issuer="second"), MAIN, web=(web := Web()))
        with pytest.raises(ConfigError) as caught:
            await made.start(5)
        assert [problem.split(",")[0] for problem in caught.value.problems] == ["issuer 'own'", "issuer 'second'"]
        assert web.asked == []

    live(life())


def test_sources_are_warmed_in_parallel() -> None:
    async def life() -> None:
        made = key_sets(MAIN, OTHER, web=Web(seconds=3))
        await made.start(5)
        assert now() == pytest.approx(3, abs=0.1)
        assert sorted(made.current()) == ["main", "other"]
        await made.close()

    live(life())


def test_rel_32_a_start_does_not_wait_longer_than_it_was_told_for_an_issuer() -> None:
    async def life() -> None:
        made = key_sets(MAIN, own(), web=Web(seconds=4))
        await made.start(1)
        assert now() == pytest.approx(1, abs=0.1)
        assert list(made.current()) == ["own"]
        await asyncio.sleep(4)
        assert sorted(made.current()) == ["main", "own"]
        await made.close()

    live(life())


def test_rel_62_a_broken_source_changes_nothing_for_another() -> None:
    async def times(web: Web) -> list[float]:
        made = key_sets(MAIN, OTHER, web=web)
        await made.start(5)
        await asyncio.sleep(2 * HOUR)
        await made.close()
        return web.times(OTHER)

    assert live(times(Web(down=[str(MAIN.url)]))) == live(times(Web()))


def test_a_source_that_is_down_is_a_fault_for_its_own_tokens_only() -> None:
    async def life() -> None:
        made = key_sets(MAIN, OTHER, web=Web(down=[str(MAIN.url)]))
        await made.start(5)
        with pytest.raises(DependencyFault):
            await made.obtain(NeedKeys("main", "k1"))
        assert len(await made.obtain(NeedKeys("other", "k1"))) == 1
        await made.close()

    live(life())


def test_rel_2_another_generation_takes_over_what_did_not_change() -> None:
    async def life() -> None:
        web = Web()
        old = key_sets(MAIN, OTHER, web=web)
        await old.start(5)
        await asyncio.sleep(100)
        new = key_sets(MAIN, replace(OTHER, refresh_seconds=60), web=web)
        new.adopt(old)
        await new.start(5)
        await old.close()
        assert len(web.times(MAIN)) == 1
        assert len(web.times(OTHER)) == 2
        assert new.current()["main"] is old.current()["main"]
        ages = {report.issuer: report.age_seconds for report in new.report()}
        assert ages == {"main": pytest.approx(100, abs=0.1), "other": pytest.approx(0, abs=0.1)}
        await asyncio.sleep(200)
        assert len(web.times(MAIN)) == 2
        await new.close()

    live(life())


def test_a_generation_that_is_never_used_takes_nothing_away_from_the_old_one() -> None:
    async def life() -> None:
        web = Web()
        old = key_sets(MAIN, web=web)
        await old.start(5)
        new = key_sets(MAIN, replace(own(), local=(KeyText(text="rubbish"),)), web=web)
        new.adopt(old)
        with pytest.raises(ConfigError):
            await new.start(5)
        await new.close()
        await asyncio.sleep(HOUR)
        assert len(web.times(MAIN)) > 10
        assert list(old.current()) == ["main"]
        await old.close()

    live(life())


def test_budgets_outlive_a_generation() -> None:
    async def life() -> None:
        web = Web()
        old = key_sets(MAIN, web=web)
        await old.start(5)
        await old.obtain(NeedKeys("main", "made-up", "192.0.2.1"))
        new = key_sets(MAIN, web=web)
        new.adopt(old)
        await new.start(5)
        await old.close()
        await new.obtain(NeedKeys("main", "made-up-too", "192.0.2.2"))
        assert len(web.times(MAIN)) == 2
        await new.close()

    live(life())


def test_the_report_follows_the_order_of_the_document() -> None:
    async def life() -> None:
        made = key_sets(OTHER, own(), MAIN, web=Web(down=[str(MAIN.url)]))
        await made.start(5)
        other, local, main = made.report()
        assert (other.issuer, other.remote, other.keys, other.fetches, other.stale) == ("other", True, 1, 1, False)
        assert (local.issuer, local.remote, local.keys, local.fetches, local.stale) == ("own", False, 1, 0, False)
        assert (main.issuer, main.keys, main.failures, main.last_failure) == ("main", 0, 1, "refused")
        assert (main.stale, main.age_seconds) == (True, None)
        await made.close()

    live(life())
