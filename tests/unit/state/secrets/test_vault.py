from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jwtgate.state.secrets.reading import Read, ReadFailed
from jwtgate.state.secrets.vault import Vault

from ..virtual_time import live, now
from .vault_in_memory import ADDRESS, VaultClient

HOUR = 3600.0
DAY = 24 * HOUR


def vault(client: VaultClient, **settings: Any) -> Vault:
    """A store that logs in with a token that lasts for a month."""
    given = {"address": ADDRESS, "auth": {"token": client.model.new_token(32 * DAY)}, **settings}
    return Vault(given, client=client, folder=Path(), resolve=lambda text: text, clock=now)


def database(client: VaultClient) -> Vault:
    return vault(client, mount="database", version=1)


async def cause(store: Vault, path: str = "orders") -> str:
    with pytest.raises(ReadFailed) as caught:
        await store.read(path)
    return caught.value.cause


def user(read: Read) -> object:
    assert isinstance(read.contents, dict)
    return read.contents["username"]


def test_version_2_gives_the_latest_version() -> None:
    async def life() -> None:
        client = VaultClient()
        store = vault(client)
        client.model.put("team/orders", key="one")
        assert (await store.read("team/orders")).contents == {"key": "one"}
        client.model.put("team/orders", key="two")
        assert (await store.read("team/orders")).contents == {"key": "two"}
        assert "GET secret/data/team/orders" in client.model.asked

    live(life())


def test_version_1_is_read_where_it_is_mounted_and_as_often_as_it_asks_for() -> None:
    async def life() -> None:
        client = VaultClient()
        store = vault(client, mount="/kv/", version=1)
        client.model.kv1["orders"] = {"key": "one", "ttl": 60}
        read = await store.read("orders")
        assert read.contents == {"key": "one", "ttl": 60}
        assert read.again_seconds == pytest.approx(40)
        assert client.model.asked[-1] == "GET kv/orders"

    live(life())


@pytest.mark.parametrize("versions", [[], [{"key": "one"}, None]])
def test_what_is_not_there_or_was_deleted_is_not_found(versions: list[Any]) -> None:
    async def life() -> None:
        client = VaultClient(kv2={"orders": versions})
        assert await cause(vault(client)) == "not_found"

    live(life())


def test_a_version_that_was_deleted_is_not_found_however_the_server_says_so() -> None:
    async def life() -> None:
        client = VaultClient(kv2={"orders": [{"key": "one"}]})
        store = vault(client)
        await store.read("orders")
        client.body = b'{"data": {"data": null, "metadata": {"version": 2}}}'
        assert await cause(store) == "not_found"

    live(life())


def test_rel_84_each_way_to_fail_has_its_own_word() -> None:
    async def life() -> None:
        client = VaultClient(kv2={"orders": [{"key": "one"}]})
        store = vault(client)
        client.model.sealed = True
        assert await cause(store) == "sealed"
        client.model.sealed = False
        client.model.forbidden = {"secret/data/orders"}
        assert await cause(store) == "forbidden"
        client.model.forbidden = set()
        for failed, word in (("timeout", "slow"), ("refused", "unreachable"), ("tls", "tls"), ("redirect", "redirect")):
            client.cause = failed
            assert await cause(store) == word
        client.cause = None
        assert (await store.read("orders")).contents == {"key": "one"}

    live(life())


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": "text"}',
        b'{"data": {"data": "text"}}',
        b'{"data": {"data": {"a": 1}}, "lease_duration": "soon"}',
        b'{"data": {"data": {"a": 1}}, "lease_duration": true}',
        b'{"data": {"data": {"a": 1}}, "lease_duration": -1}',
        b'{"data": {"data": {"a": 1, "a": 2}}}',
    ],
)
def test_rel_84_an_answer_that_makes_no_sense_is_malformed(body: bytes) -> None:
    async def life() -> None:
        client = VaultClient(kv2={"orders": [{"key": "one"}]})
        store = vault(client)
        await store.read("orders")
        client.body = body
        assert await cause(store) == "malformed"

    live(life())


def test_a_secret_may_be_as_long_as_a_chain_of_certificates() -> None:
    async def life() -> None:
        client = VaultClient(kv2={"orders": [{"key": "x" * 100_000}]})
        assert (await vault(client).read("orders")).contents == {"key": "x" * 100_000}

    live(life())


def test_sec_149_each_segment_of_a_path_stays_one() -> None:
    async def life() -> None:
        client = VaultClient(kv2={"a b/ü%2F?x/..c": [{"key": "one"}]})
        assert (await vault(client).read("a b/ü%2F?x/..c")).contents == {"key": "one"}

    live(life())


@pytest.mark.parametrize("path", ["", "/orders", "orders/", "a//b", "..", "a/../b", "./a"])
def test_sec_149_a_path_that_leads_elsewhere_is_refused_before_anything_is_asked(path: str) -> None:
    async def life() -> None:
        client = VaultClient()
        assert await cause(vault(client), path) == "path_refused"
        assert client.model.asked == []

    live(life())


def test_rel_36_a_lease_is_renewed_before_it_ends() -> None:
    async def life() -> None:
        client = VaultClient(lease_seconds=HOUR)
        store = database(client)
        first = await store.read("creds/orders")
        assert first.again_seconds == pytest.approx(HOUR * 2 / 3)
        while now() < 10 * HOUR:
            await asyncio.sleep(HOUR * 2 / 3)
            assert (await store.read("creds/orders")).contents == first.contents
        assert client.model.users() == 1
        (lease,) = client.model.leases.values()
        assert lease.ends > now()

    live(life())


def test_rel_84_after_a_lease_is_lost_another_is_taken() -> None:
    async def life() -> None:
        client = VaultClient()
        store = database(client)
        first = await store.read("creds/orders")
        client.model.leases.clear()
        second = await store.read("creds/orders")
        assert user(second) != user(first)
        assert user(await store.read("creds/orders")) == user(second)
        assert client.model.users() == 2

    live(life())


def test_rel_36_a_lease_that_cannot_get_longer_is_replaced_before_its_end() -> None:
    async def life() -> None:
        client = VaultClient(lease_seconds=HOUR, most_lease_seconds=1.5 * HOUR)
        store = database(client)
        first = await store.read("creds/orders")
        await asyncio.sleep(HOUR * 2 / 3)
        renewed = await store.read("creds/orders")
        assert user(renewed) == user(first)
        assert renewed.again_seconds < HOUR / 2 + 1
        await asyncio.sleep(renewed.again_seconds)
        assert user(await store.read("creds/orders")) != user(first)
        assert now() < 1.5 * HOUR

    live(life())


def test_rel_36_a_lease_that_cannot_be_renewed_is_kept_for_two_thirds_of_its_life() -> None:
    async def life() -> None:
        client = VaultClient(lease_seconds=HOUR, leases_renewable=False)
        store = database(client)
        first = await store.read("creds/orders")
        await asyncio.sleep(HOUR / 2)
        second = await store.read("creds/orders")
        assert user(second) == user(first)
        assert second.again_seconds == pytest.approx(HOUR / 6, abs=1)
        await asyncio.sleep(second.again_seconds + 1)
        assert user(await store.read("creds/orders")) != user(first)

    live(life())


def test_rel_36_a_lease_outlives_a_server_that_is_sealed_for_a_while() -> None:
    async def life() -> None:
        client = VaultClient(lease_seconds=HOUR)
        store = database(client)
        first = await store.read("creds/orders")
        await asyncio.sleep(HOUR / 2)
        client.model.sealed = True
        assert await cause(store, "creds/orders") == "sealed"
        client.model.sealed = False
        assert user(await store.read("creds/orders")) == user(first)

    live(life())


def test_a_lease_that_is_over_is_not_asked_for() -> None:
    async def life() -> None:
        client = VaultClient(lease_seconds=HOUR)
        store = database(client)
        first = await store.read("creds/orders")
        await asyncio.sleep(2 * HOUR)
        assert user(await store.read("creds/orders")) != user(first)
        assert "POST sys/leases/renew" not in client.model.asked

    live(life())


def test_what_was_read_never_shows() -> None:
    assert "swordfish" not in repr(Read({"key": "swordfish"}))
