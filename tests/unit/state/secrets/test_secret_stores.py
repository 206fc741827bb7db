"""Stores as a generation uses them, over a Vault in virtual time (REL-36, REL-84, SEC-149)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.vault_server import AppRole

from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.secrets.references import Secrets
from jwtgate.state.secrets.secret_stores import SecretStores

from ..virtual_time import live, now
from .vault_in_memory import ADDRESS, VaultClient

DAY = 86400.0
KEY = "${vault:orders#key}"


def vault(name: str = "vault", **settings: Any) -> SecretStore:
    given = {"address": ADDRESS, "auth": {"token": "${env:T}"}, **settings}
    return SecretStore(name, "vault", given, max_stale_seconds=7 * DAY)


class Life:
    """A node with one generation: its stores, what follows them, and how often it was told of a change."""

    def __init__(self, client: VaultClient, *stores: SecretStore, folder: Path = Path()) -> None:
        environ = {"T": client.model.new_token(365 * DAY), "SECRET_ID": "s"}
        self.stores = SecretStores(
            stores or (vault(),), client=client, folder=folder, environ=environ, clock=now, jitter=lambda: 0.0
        )
        self.resolve = Secrets(folder, environ, self.stores).resolve
        self.told_at: list[float] = []
        self._following: asyncio.Task[None] | None = None

    async def fetched(self, *texts: str) -> Life:
        await self.stores.fetch(texts or (KEY,))
        self._following = asyncio.create_task(self.stores.follow(lambda: self.told_at.append(now())))
        return self

    async def end(self) -> None:
        assert self._following is not None
        self._following.cancel()
        await asyncio.wait((self._following,))
        await self.stores.close()

    async def problems(self, *texts: str) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            await self.stores.fetch(texts)
        return caught.value.problems


def orders(**model: Any) -> VaultClient:
    client = VaultClient(**model)
    client.model.put("orders", key="one", other="x")
    return client


def test_a_reference_is_resolved_after_it_was_fetched() -> None:
    async def life() -> None:
        given = Life(orders())
        with pytest.raises(ConfigError, match="was not read yet"):
            given.resolve(KEY)
        await given.stores.fetch([f"Bearer {KEY}"])
        assert given.resolve(f"Bearer {KEY}") == "Bearer one"

    live(life())


def test_several_references_to_one_path_cost_one_call() -> None:
    async def life() -> None:
        client = orders()
        given = Life(client)
        await given.stores.fetch([KEY, "${vault:orders#other}", f"x{KEY}"])
        assert client.model.asked.count("GET secret/data/orders") == 1
        assert given.resolve("${vault:orders#other}") == "x"

    live(life())


def test_texts_without_references_to_a_store_cost_nothing() -> None:
    async def life() -> None:
        client = orders()
        await Life(client).stores.fetch(["plain", "${env:T}", "${file:f}", f"${KEY}"])
        assert client.model.asked == []

    live(life())


def test_sec_149_every_reference_that_leads_nowhere_is_named_and_no_value_is() -> None:
    async def life() -> None:
        client = orders(forbidden={"secret/data/closed"})
        client.model.put("closed", key="swordfish")
        client.model.put("list", key=["swordfish"])
        given = Life(client)
        found = await given.problems(
            KEY, "${vault:none#key} ${vault:closed#key}", "${vault:list#key}", "${valt:a#b}", "${vault:list}"
        )
        assert found == (
            "The reference ${vault:none#key} cannot be read from 'vault': there is nothing under this path.",
            "The reference ${vault:closed#key} cannot be read from 'vault': it does not let us read this.",
            "The reference ${vault:list#key} cannot be used: it is neither text nor a whole number.",
            "The reference ${valt:a#b} names 'valt', which is no entry of `secret_stores`, env or file. "
            "Did you mean 'vault'?",
            "The reference ${vault:list} cannot be used: it has fields of its own, so say which of them is meant "
            "with #FIELD.",
        )
        assert given.resolve(KEY) == "one"
        with pytest.raises(ConfigError) as caught:
            given.resolve("${vault:closed#key}")
        assert caught.value.problems == (found[1],)

    live(life())


def test_sec_149_a_store_whose_token_is_not_set_says_so() -> None:
    async def life() -> None:
        given = Life(orders(), vault(auth={"token": "${env:NONE}"}))
        (problem,) = await given.problems(KEY)
        assert problem == (
            f"The reference {KEY} cannot be read from 'vault': what we log in with cannot be had: "
            "The reference ${env:NONE} names an environment variable that is not set."
        )

    live(life())


def test_rel_84_without_an_earlier_value_a_sealed_store_is_a_mistake() -> None:
    async def life() -> None:
        assert await Life(orders(sealed=True)).problems(KEY) == (
            f"The reference {KEY} cannot be read from 'vault': it is sealed or down for maintenance.",
        )

    live(life())


def test_rel_84_a_slow_store_costs_no_more_than_five_seconds() -> None:
    async def life() -> None:
        client = orders()
        client.seconds = 60
        (problem,) = await Life(client).problems(KEY)
        assert problem.endswith("it did not answer in time.")
        assert now() == pytest.approx(5)

    live(life())


def test_rel_36_a_new_version_is_told_without_a_restart() -> None:
    async def life() -> None:
        client = orders()
        given = await Life(client).fetched()
        await asyncio.sleep(DAY)
        assert given.told_at == []
        client.model.put("orders", key="two")
        changed = now()
        await asyncio.sleep(300)
        assert len(given.told_at) == 1
        assert given.told_at[0] - changed <= 300
        assert given.resolve(KEY) == "two"
        await given.end()

    live(life())


def test_rel_84_while_sealed_the_last_value_is_kept_and_the_store_told_as_stale() -> None:
    async def life() -> None:
        client = orders()
        given = await Life(client).fetched()
        client.model.sealed = True
        await asyncio.sleep(DAY)
        assert given.resolve(KEY) == "one"
        (report,) = given.stores.report()
        assert (report.name, report.kind, report.stale, report.last_failure) == ("vault", "vault", True, "sealed")
        client.model.sealed = False
        client.model.put("orders", key="two")
        await asyncio.sleep(90)
        assert given.resolve(KEY) == "two"
        assert len(given.told_at) == 1
        assert not given.stores.report()[0].stale
        await given.end()

    live(life())


def test_rel_36_beyond_its_bound_a_value_is_no_longer_given() -> None:
    async def life() -> None:
        client = orders()
        given = await Life(client).fetched()
        client.model.sealed = True
        await asyncio.sleep(7 * DAY + 300)
        assert len(given.told_at) == 1
        with pytest.raises(ConfigError, match="sealed"):
            given.resolve(KEY)
        assert given.stores.report()[0].missing == 1
        await given.end()

    live(life())


def test_rel_84_403_keeps_the_value_and_the_login() -> None:
    async def life() -> None:
        client = orders(approles=[AppRole("r", "s")])
        auth = {"approle": {"role_id": "r", "secret_id": "${env:SECRET_ID}"}}
        given = await Life(client, vault(auth=auth)).fetched()
        client.model.forbidden.add("secret/data/orders")
        await asyncio.sleep(600)
        assert given.resolve(KEY) == "one"
        assert given.stores.report()[0].last_failure == "forbidden"
        assert client.model.asked.count("POST auth/approle/login") == 1
        await given.end()

    live(life())


def test_rel_84_a_login_that_is_revoked_is_made_again_and_nobody_notices() -> None:
    async def life() -> None:
        client = orders(approles=[AppRole("r", "s")])
        auth = {"approle": {"role_id": "r", "secret_id": "${env:SECRET_ID}"}}
        given = await Life(client, vault(auth=auth)).fetched()
        client.model.tokens.clear()
        await asyncio.sleep(300)
        assert given.told_at == []
        assert not given.stores.report()[0].stale
        assert client.model.asked.count("POST auth/approle/login") == 2
        await given.end()

    live(life())


def test_rel_36_a_login_that_is_shorter_than_the_interval_never_ends() -> None:
    async def life() -> None:
        client = orders()
        token = client.model.new_token(60)
        given = await Life(client, vault(auth={"token": token})).fetched()
        await asyncio.sleep(DAY)
        assert client.model.tokens[token].ends > now()
        assert not given.stores.report()[0].stale
        await given.end()

    live(life())


def test_rel_36_a_lease_is_kept_alive_and_rel_84_a_lost_one_is_told() -> None:
    async def life() -> None:
        client = orders(lease_seconds=120)
        given = await Life(client, vault(mount="database", version=1)).fetched("${vault:creds/orders#username}")
        first = given.resolve("${vault:creds/orders#username}")
        await asyncio.sleep(DAY)
        assert given.resolve("${vault:creds/orders#username}") == first
        assert (client.model.users(), given.told_at) == (1, [])
        client.model.leases.clear()
        await asyncio.sleep(120)
        assert given.resolve("${vault:creds/orders#username}") != first
        assert (client.model.users(), len(given.told_at)) == (2, 1)
        await given.end()

    live(life())


def test_rel_36_a_reload_while_the_store_is_sealed_goes_on_with_what_is_held() -> None:
    async def life() -> None:
        client = orders()
        old = await Life(client).fetched()
        client.model.sealed = True
        new = Life(client)
        new.stores.adopt(old.stores)
        await new.fetched()
        await old.end()
        assert new.resolve(KEY) == "one"
        assert new.stores.report()[0].stale
        assert "cannot be read" in (await new.problems("${vault:more#key}"))[0]
        await new.end()

    live(life())


def test_nothing_is_taken_over_from_a_store_with_other_settings() -> None:
    async def life() -> None:
        client = orders()
        old = await Life(client, vault(), vault("gone")).fetched()
        client.model.sealed = True
        new = Life(client, vault(namespace="team"), vault("new"))
        new.stores.adopt(old.stores)
        assert len(await new.problems(KEY, "${new:orders#key}")) == 2
        await old.end()

    live(life())


def test_a_reload_makes_no_new_login_and_takes_no_new_lease() -> None:
    async def life() -> None:
        client = orders(approles=[AppRole("r", "s")])
        auth = {"approle": {"role_id": "r", "secret_id": "${env:SECRET_ID}"}}
        store = vault(auth=auth, mount="database", version=1)
        user = "${vault:creds/orders#username}"
        old = await Life(client, store).fetched(user)
        new = Life(client, store)
        new.stores.adopt(old.stores)
        await new.fetched(user)
        assert new.resolve(user) == old.resolve(user)
        assert client.model.asked.count("POST auth/approle/login") == 1
        await old.end()
        await new.end()

    live(life())


def test_what_is_fetched_later_is_followed_as_well() -> None:
    async def life() -> None:
        client = orders()
        given = await Life(client).fetched("plain")
        await asyncio.sleep(30)
        await given.stores.fetch([KEY])
        client.model.put("orders", key="two")
        await asyncio.sleep(300)
        assert given.resolve(KEY) == "two"
        assert len(given.told_at) == 1
        await given.end()

    live(life())


@pytest.mark.parametrize("before", [{}, {"other": "field"}], ids=["no such path", "no such field"])
def test_a_secret_that_is_made_after_it_was_missed_is_found_at_once(before: dict[str, str]) -> None:
    async def life() -> None:
        client = VaultClient()
        given = await Life(client).fetched("plain")
        if before:
            client.model.put("orders", **before)
        await given.stores.try_to_fetch([KEY])
        with pytest.raises(ConfigError):
            given.resolve(KEY)
        client.model.put("orders", key="one")
        await given.stores.fetch_missing([KEY])
        assert given.resolve(KEY) == "one"
        await given.stores.fetch_missing([KEY])
        assert client.model.asked.count("GET secret/data/orders") == 2
        await given.end()

    live(life())


def test_what_is_missing_is_looked_for_once_a_second_however_many_ask() -> None:
    async def life() -> None:
        client = VaultClient()
        given = await Life(client).fetched("plain")
        for _ in range(3):
            await asyncio.gather(*(given.stores.fetch_missing([KEY]) for _ in range(20)))
        assert client.model.asked.count("GET secret/data/orders") == 3
        assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.1)
        await given.end()

    live(life())


def test_a_change_that_a_later_fetch_finds_is_told_at_once() -> None:
    async def life() -> None:
        client = orders()
        given = await Life(client).fetched()
        client.model.put("orders", key="two")
        await asyncio.sleep(1)
        await given.stores.fetch([KEY])
        await asyncio.sleep(0)
        assert given.told_at == [pytest.approx(now())]
        await given.end()

    live(life())


def test_a_store_that_fails_does_not_keep_another_from_being_followed() -> None:
    async def life() -> None:
        client = orders()
        given = Life(client, vault(), vault("other", mount="kv", version=1))
        client.model.kv1["a"] = {"b": "one"}
        await given.fetched(KEY, "${other:a#b}")
        client.model.forbidden.add("kv/a")
        client.model.put("orders", key="two")
        await asyncio.sleep(300)
        assert given.resolve(KEY) == "two"
        assert [(report.name, report.stale) for report in given.stores.report()] == [("vault", False), ("other", True)]
        await given.end()

    live(life())


def test_sec_149_a_file_we_log_in_with_that_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    async def life() -> None:
        client = orders()
        (tmp_path / "token").write_text(client.model.new_token(DAY))
        (tmp_path / "token").chmod(0o644)
        given = Life(client, vault(auth={"token": "${file:token}"}), folder=tmp_path)
        await given.stores.fetch([KEY])
        warnings = ("The secret file 'token' can be read by everybody on this machine.",)
        assert Secrets(tmp_path, {}, given.stores).warnings == warnings
        reloaded = Life(client, vault(auth={"token": "${file:token}"}), folder=tmp_path)
        reloaded.stores.adopt(given.stores)
        await reloaded.stores.fetch([KEY])
        assert reloaded.stores.warnings == warnings

    live(life())


def test_a_document_without_stores_has_none(tmp_path: Path) -> None:
    async def life() -> None:
        stores = SecretStores([], client=VaultClient(), folder=tmp_path, environ={})
        await stores.fetch(["${env:A}"])
        assert (stores.names, stores.report(), stores.warnings) == (frozenset(), (), ())
        following = asyncio.create_task(stores.follow(lambda: None))
        await asyncio.sleep(DAY)
        assert not following.done()
        following.cancel()
        await stores.close()

    live(life())


@pytest.mark.parametrize(
    ("kind", "reference", "words"),
    [("aws", "${s:a}", "what we log in with cannot be had"), ("gcp", "${s:a/b}", "can have this path")],
)
def test_each_kind_is_asked_in_its_own_way(kind: str, reference: str, words: str, tmp_path: Path) -> None:
    async def life() -> None:
        store = SecretStore("s", kind, {"access_key_id": "${env:NONE}"})
        stores = SecretStores([store], client=VaultClient(), folder=tmp_path, environ={})
        with pytest.raises(ConfigError, match=words):
            await stores.fetch([reference])

    live(life())


def test_a_store_that_may_be_away_stops_nobody() -> None:
    async def life() -> None:
        client = VaultClient()
        client.model.sealed = True
        strict, lenient = Life(client), Life(client, replace(vault(), may_be_away=True))
        with pytest.raises(ConfigError, match="sealed"):
            await strict.stores.fetch([KEY])
        await lenient.stores.fetch([KEY])
        with pytest.raises(ConfigError, match="sealed"):
            lenient.resolve(KEY)
        with pytest.raises(ConfigError, match="no entry"):
            await lenient.stores.fetch(["${other:orders#key}"])

    live(life())
