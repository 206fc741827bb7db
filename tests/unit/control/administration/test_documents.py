"""The document of a running node is changed wholly or not at all, and the file's part of it never."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.documents import Change
from jwtgate.control.administration.resources import NotFound, OwnedByDocument
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.control.state_folder import DATABASE
from jwtgate.errors import ConfigError
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import StoreConflict, StoreFailed

from ..samples import DOCUMENT, SECRET
from .nodes import ROUTE, WHO, Slow, administer, cancelled, status

ISSUER = {
    "issuer": "https://other.example",
    "audience": "orders",
    "algorithms": ["HS256"],
    "keys": {"secret": "a secret of another issuer of the tests"},
}
FILE = DOCUMENT.replace('path: "/*"', 'path: "/orders/*"')


def test_a_route_is_served_once_it_is_put_and_no_longer_once_it_is_gone() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        assert await status(gateway, "/added/a") == 404
        made = await node.put("routes", "added", ROUTE, over=0, who=WHO)
        assert (made.name, made.value, made.version, made.origin) == ("added", ROUTE, 1, "store")
        assert await status(gateway, "/added/a") == 502
        assert await node.get("routes", "added") == made
        await node.delete("routes", "added", over=1, who=WHO)
        assert await status(gateway, "/added/a") == 404
        with pytest.raises(NotFound):
            await node.get("routes", "added")

    administer(use, document=FILE)


def test_rel_5_a_change_with_mistakes_changes_nothing() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        number = gateway.running.number
        with pytest.raises(ConfigError) as error:
            await node.put("routes", "added", {"path": "no", "upstream": "nowhere"}, over=None, who=WHO)
        assert len(error.value.problems) > 1
        assert gateway.running.number == number
        assert (await node.document()).version == 0
        assert await node.audit(after=0, limit=10) == ()

    administer(use, document=FILE)


def test_what_others_need_cannot_be_deleted() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("upstreams", "more", {"targets": "http://127.0.0.1:9"}, over=None, who=WHO)
        await node.put("routes", "added", {**ROUTE, "upstream": "more"}, over=None, who=WHO)
        with pytest.raises(ConfigError, match="no upstream of this name"):
            await node.delete("upstreams", "more", over=None, who=WHO)
        assert await status(gateway, "/added/a") == 502

    administer(use, document=FILE)


@pytest.mark.parametrize(
    "act",
    [
        lambda node: node.put("routes", "orders", ROUTE, over=None, who=WHO),
        lambda node: node.delete("routes", "orders", over=None, who=WHO),
        lambda node: node.put("issuers", "main", ISSUER, over=0, who=WHO),
    ],
)
def test_what_the_file_names_is_the_file_s(act: Any) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        with pytest.raises(OwnedByDocument):
            await act(node)
        assert (await node.get("routes", "orders")).origin == "document"

    administer(use, document=FILE)


def test_a_change_over_another_version_is_a_conflict() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("routes", "added", ROUTE, over=0, who=WHO)
        for over in (0, 2):
            with pytest.raises(StoreConflict):
                await node.put("routes", "added", {**ROUTE, "path": "/other"}, over=over, who=WHO)
            with pytest.raises(StoreConflict):
                await node.delete("routes", "added", over=over, who=WHO)
        with pytest.raises(StoreConflict):
            await node.apply((await node.document()).value, over=7, who=WHO)
        changed = await node.put("routes", "added", {**ROUTE, "path": "/other"}, over=1, who=WHO)
        assert changed.version == 2

    administer(use, document=FILE)


def test_sec_146_secrets_are_hidden_and_kept_when_they_are_given_back_hidden() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        made = await node.put("issuers", "other", ISSUER, over=None, who=WHO)
        shown = (made, await node.document(), await node.history(after=0, limit=9), await node.get("issuers", "main"))
        assert "another issuer of the tests" not in repr([getattr(each, "value", each) for each in shown])
        assert SECRET not in repr((await node.document()).value)
        assert isinstance(made.value, dict)
        again = await node.put("issuers", "other", {**made.value, "leeway_seconds": 1}, over=1, who=WHO)
        assert again.version == 2
        assert len(gateway.running.key_sets.current()["other"]) == 1
        with pytest.raises(ConfigError):
            await node.put("issuers", "third", made.value, over=None, who=WHO)

    administer(use, document=FILE)


def test_a_whole_document_is_checked_applied_and_rolled_back() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        served = (await node.document()).value
        assert isinstance(served, dict)
        first = {**served, "routes": {**served["routes"], "added": ROUTE}}
        assert await node.diff(first) == [{"op": "add", "path": "/routes/added", "value": ROUTE}]
        await node.check(first)
        assert await status(gateway, "/added/a") == 404
        assert (await node.apply(first, over=0, who=WHO)).version == 1
        assert await status(gateway, "/added/a") == 502
        assert (await node.apply(served, over=1, who="bob")).version == 2
        assert await status(gateway, "/added/a") == 404
        assert (await node.roll_back(1, over=2, who="bob")).version == 3
        assert await status(gateway, "/added/a") == 502
        history = await node.history(after=0, limit=10)
        assert [(each.version, each.changed_by) for each in history] == [(1, WHO), (2, "bob"), (3, "bob")]
        with pytest.raises(NotFound):
            await node.roll_back(17, over=None, who=WHO)

    administer(use, document=FILE)


def test_a_check_makes_no_signing_keys_and_saves_nothing(tmp_path: Path) -> None:
    with_keys = FILE.replace("signing: {", "signing: {keys: {default: {alg: ES256}}, ")

    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("signing-keys", "second", {"alg": "ES256"}, over=None, who=WHO)
        with closing(SqliteStore(tmp_path / DATABASE)) as store:
            held, files = store.records("keyring/"), saved(tmp_path)
            served = (await node.document()).value
            assert isinstance(served, dict)
            keys = {**served["signing"]["keys"], "second": {"alg": "ES384"}, "third": {}}
            asked = {**served, "signing": {**served["signing"], "keys": keys}}
            await node.check(asked)
            assert (store.records("keyring/"), saved(tmp_path)) == (held, files)
            with pytest.raises(ConfigError):
                await node.check({**asked, "signing": {**asked["signing"], "keys": {**keys, "third": {"alg": "no"}}}})
            await node.apply(asked, over=None, who=WHO)
            assert [name for name, _ in store.records("keyring/")] == [f"keyring/{name}" for name in sorted(keys)]

    administer(use, document=with_keys, state_folder=tmp_path)


def saved(folder: Path) -> list[Path]:
    """The files of a state folder."""
    return sorted(folder.rglob("*"))


def test_a_whole_document_cannot_change_what_the_file_says() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        served = (await node.document()).value
        assert isinstance(served, dict)
        for changed in ({**served, "limits": {"fields": 5}}, {**served, "routes": {}}, {"listen": "127.0.0.1:0"}):
            with pytest.raises(OwnedByDocument):
                await node.apply(changed, over=None, who=WHO)
            with pytest.raises(OwnedByDocument):
                await node.check(changed)
        with pytest.raises(ConfigError):
            await node.apply([], over=None, who=WHO)

    administer(use, document=FILE)


def test_who_did_what_is_written_down() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("routes", "added", ROUTE, over=None, who=WHO)
        await node.delete("routes", "added", over=None, who="bob")
        await node.roll_back(1, over=None, who=WHO)
        told = [(each.who, each.action, each.kind, each.name) for each in await node.audit(after=0, limit=10)]
        assert told == [
            (WHO, "put", "routes", "added"),
            ("bob", "delete", "routes", "added"),
            (WHO, "roll-back", "document", "1"),
        ]

    administer(use, document=FILE)


class FailingRegistry:
    """A registry that can be read and no longer written."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def apply_document(self, *_: Any, **__: Any) -> None:
        raise StoreFailed("the disk is full")


def test_rel_66_what_cannot_be_kept_is_not_served() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        callers = gateway.running.callers
        registry, number = callers.registry, gateway.running.number
        callers.registry = FailingRegistry(registry)  # type: ignore[assignment]
        with pytest.raises(StoreFailed):
            await node.put("routes", "added", ROUTE, over=None, who=WHO)
        assert gateway.running.number == number
        assert await status(gateway, "/added/a") == 404
        callers.registry = registry
        await node.put("routes", "added", ROUTE, over=None, who=WHO)
        assert await status(gateway, "/added/a") == 502

    administer(use, document=FILE)


def test_rel_66_who_asks_for_a_change_and_goes_leaves_it_kept_and_served() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        callers = gateway.running.callers
        registry = callers.registry
        slow = callers.registry = Slow(registry, "apply_document")  # type: ignore[assignment]
        await cancelled(asyncio.create_task(node.put("routes", "added", ROUTE, over=None, who=WHO)), slow)
        callers.registry = registry
        assert (await node.get("routes", "added")).version == 1
        assert await status(gateway, "/added/a") == 502

    administer(use, document=FILE)


def test_rel_66_a_change_that_fails_after_its_asker_went_leaves_no_generation_behind() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        callers, dropped, drop = gateway.running.callers, [], gateway.drop
        registry = callers.registry

        async def noted(built: Any) -> None:
            dropped.append(built)
            await drop(built)

        gateway.drop = noted  # type: ignore[method-assign]
        slow = callers.registry = Slow(FailingRegistry(registry), "apply_document")  # type: ignore[assignment]
        await cancelled(asyncio.create_task(node.put("routes", "added", ROUTE, over=None, who=WHO)), slow)
        callers.registry = registry
        assert len(dropped) == 1
        assert (await node.document()).version == 0
        assert await status(gateway, "/added/a") == 404

    administer(use, document=FILE)


def test_what_cannot_be_served_is_not_kept() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        take, refused = gateway.take, []

        async def refuse(built: Any) -> None:
            refused.append(built)
            await gateway.drop(built)
            raise ConfigError("no worker could build it")

        gateway.take = refuse  # type: ignore[method-assign]
        with pytest.raises(ConfigError):
            await node.put("routes", "added", ROUTE, over=None, who=WHO)
        gateway.take = take  # type: ignore[method-assign]
        assert len(refused) == 1
        with pytest.raises(NotFound):
            await node.get("routes", "added")

    administer(use, document=FILE)


def test_resources_are_listed_in_the_order_of_their_names_a_part_at_a_time() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name in ("c-added", "a-added"):
            await node.put("routes", name, {**ROUTE, "path": f"/{name}"}, over=None, who=WHO)
        page = await node.list("routes", after=None, limit=2, contains=None)
        assert ([each.name for each in page.resources], page.next) == (["a-added", "c-added"], "c-added")
        page = await node.list("routes", after=page.next, limit=2, contains=None)
        assert ([each.name for each in page.resources], page.next) == (["orders"], None)
        page = await node.list("routes", after=None, limit=9, contains="added")
        assert [(each.name, each.origin) for each in page.resources] == [("a-added", "store"), ("c-added", "store")]

    administer(use, document=FILE)


def test_a_change_shows_nothing_of_what_is_added() -> None:
    assert "secret" not in repr(Change({"issuers": {"a": {"keys": {"secret": "x"}}}}, "put", "issuers/a", WHO))
