"""Consumers and credentials come and go while the gateway runs, without a new generation."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.resources import NotFound, OwnedByDocument
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.control.workers.messages import NotYet
from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.gateway.mint import NeedMinted
from jwtgate.policy.callers import api_key_name
from jwtgate.policy.facts import NeedCredential
from jwtgate.state.stores.registry import Kind
from jwtgate.state.stores.store import StoreConflict, StoreFailed

from ..samples import DOCUMENT, SECRET
from .nodes import KEY, WHO, Slow, administer, cancelled, consumer, credential

ANN = {"external_id": "a-1", "groups": ["staff"], "credentials": {"key-1": KEY}}
WITH_BOB = DOCUMENT + "consumers: {bob: {credentials: {key-b: {alg: HS256, secret: '${env:TEST_SECRET}'}}}}\n"


def test_a_consumer_is_known_once_it_is_put_and_no_longer_once_it_is_gone() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        number = gateway.running.number
        made = await node.put("consumers", "ann", ANN, over=0, who=WHO)
        assert (made.version, made.origin) == (1, "store")
        found, key = await consumer(gateway, "ann"), await credential(gateway, "key-1")
        assert found is not None
        assert key is not None
        assert (found.external_id, found.groups, key.consumer) == ("a-1", ("staff",), found)
        await node.delete("consumers", "ann", over=1, who=WHO)
        assert await consumer(gateway, "ann") is None
        assert await credential(gateway, "key-1") is None
        assert gateway.running.number == number

    administer(use)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"unknown": 1},
        {"credentials": {"key-1": {"alg": "HS256", "secret": "short"}}},
        {"credentials": {"key-1": {"alg": "RS256", "public_key": "no key"}}},
        {"credentials": {"key-1": {"alg": "HS256", "secret": "${env:NO_SUCH}"}}},
        {"credentials": {"key-1": {"alg": "HS256", "secret": "***"}}},
    ],
)
def test_a_consumer_with_mistakes_changes_nothing(value: Any) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        with pytest.raises(ConfigError):
            await node.put("consumers", "ann", value, over=None, who=WHO)
        assert await consumer(gateway, "ann") is None
        assert await node.audit(after=0, limit=9) == ()

    administer(use)


def test_all_mistakes_of_all_credentials_are_said() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        keys = {name: {"alg": "HS256", "secret": "short"} for name in ("key-1", "key-2")}
        with pytest.raises(ConfigError) as error:
            await node.put("consumers", "ann", {"credentials": keys}, over=None, who=WHO)
        assert {name for name in keys if any(name in problem for problem in error.value.problems)} == keys.keys()

    administer(use)


def test_a_name_that_is_somebody_else_s_is_refused() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", ANN, over=None, who=WHO)
        for value in ({"credentials": {"key-1": KEY}}, {"external_id": "a-1"}, {"credentials": {"key-b": KEY}}):
            with pytest.raises(ConfigError, match="belongs to"):
                await node.put("consumers", "eve", value, over=None, who=WHO)
        assert await consumer(gateway, "eve") is None

    administer(use, document=WITH_BOB)


def test_what_the_file_names_is_the_file_s(tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"name": "zoe", "external_id": "z-1", "credentials": {"key-z": KEY}}) + "\n")

    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name, key in (("bob", "key-b"), ("zoe", "key-z")):
            with pytest.raises(OwnedByDocument):
                await node.put("consumers", name, ANN, over=None, who=WHO)
            with pytest.raises(OwnedByDocument):
                await node.delete("consumers", name, over=None, who=WHO)
            with pytest.raises(OwnedByDocument):
                await node.delete("credentials", key, over=None, who=WHO)
            shown = await node.get("consumers", name)
            assert (shown.origin, shown.version) == ("document", 0)
            assert KEY["secret"] not in repr(shown.value)
        assert (await node.get("credentials", "key-z")).value["consumer"] == "zoe"  # type: ignore[index,call-overload]

    administer(use, document=WITH_BOB + f"consumer_files: ['{more}']\n")


def test_a_consumer_of_an_applied_document_is_changed_as_a_part_of_it() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        served = (await node.document()).value
        assert isinstance(served, dict)
        await node.apply({**served, "consumers": {"ann": ANN}}, over=None, who=WHO)
        assert await credential(gateway, "key-1") is not None
        made = await node.put("consumers", "ann", {"external_id": "a-2"}, over=1, who=WHO)
        assert (made.version, made.origin) == (2, "store")
        found = await consumer(gateway, "ann")
        assert found is not None
        assert found.external_id == "a-2"
        assert await credential(gateway, "key-1") is None
        await node.delete("consumers", "ann", over=2, who=WHO)
        assert await consumer(gateway, "ann") is None

    administer(use)


def test_versions_are_compared() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", ANN, over=0, who=WHO)
        for over in (0, 2):
            with pytest.raises(StoreConflict):
                await node.put("consumers", "ann", {}, over=over, who=WHO)
        with pytest.raises(StoreConflict):
            await node.delete("consumers", "ann", over=2, who=WHO)
        assert (await node.put("consumers", "ann", {}, over=1, who=WHO)).version == 2

    administer(use)


def test_sec_146_secrets_are_hidden_and_kept_when_they_are_given_back_hidden() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        made = await node.put("consumers", "ann", ANN, over=0, who=WHO)
        assert KEY["secret"] not in repr(made.value)
        before = await credential(gateway, "key-1")
        assert isinstance(made.value, dict)
        await node.put("consumers", "ann", {**made.value, "groups": ["other"]}, over=1, who=WHO)
        after = await credential(gateway, "key-1")
        assert before is not None
        assert after is not None
        assert [key.thumbprint() for key in before.keys] == [key.thumbprint() for key in after.keys]
        assert after.consumer.groups == ("other",)

    administer(use)


def test_credentials_come_and_go_one_by_one() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", {"external_id": "a-1"}, over=0, who=WHO)
        made = await node.put("credentials", "key-1", {**KEY, "consumer": "ann"}, over=0, who=WHO)
        assert isinstance(made.value, dict)
        assert made.value["consumer"] == "ann"
        assert KEY["secret"] not in repr(made.value)
        assert await credential(gateway, "key-1") is not None
        await node.put("credentials", "key-2", {**KEY, "consumer": "ann"}, over=None, who=WHO)
        page = await node.list("credentials", after=None, limit=9, contains="key")
        assert [each.name for each in page.resources] == ["key-1", "key-2"]
        await node.delete("credentials", "key-1", over=None, who=WHO)
        assert await credential(gateway, "key-1") is None
        assert await credential(gateway, "key-2") is not None
        with pytest.raises(NotFound):
            await node.get("credentials", "key-1")

    administer(use)


@pytest.mark.parametrize("value", [{**KEY}, {**KEY, "consumer": "nobody"}, {**KEY, "consumer": 7}])
def test_a_credential_needs_a_consumer_that_is_there(value: Any) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        with pytest.raises(ConfigError):
            await node.put("credentials", "key-1", value, over=None, who=WHO)

    administer(use)


def test_a_credential_does_not_change_hands() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name in ("ann", "eve"):
            await node.put("consumers", name, {}, over=0, who=WHO)
        await node.put("credentials", "key-1", {**KEY, "consumer": "ann"}, over=None, who=WHO)
        with pytest.raises(ConfigError, match="belongs to"):
            await node.put("credentials", "key-1", {**KEY, "consumer": "eve"}, over=None, who=WHO)
        for over in (0, 7):
            with pytest.raises(StoreConflict):
                await node.put("credentials", "key-1", {**KEY, "consumer": "ann"}, over=over, who=WHO)

    administer(use)


def test_consumers_of_all_origins_are_listed_together() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name in ("zoe", "ann"):
            await node.put("consumers", name, {}, over=0, who=WHO)
        page = await node.list("consumers", after=None, limit=2, contains=None)
        assert ([(each.name, each.origin) for each in page.resources], page.next) == (
            [("ann", "store"), ("bob", "document")],
            "bob",
        )
        page = await node.list("consumers", after=page.next, limit=2, contains=None)
        assert ([each.name for each in page.resources], page.next) == (["zoe"], None)

    administer(use, document=WITH_BOB)


def test_rel_9_consumers_of_the_store_are_known_after_a_restart(tmp_path: Path) -> None:
    async def first(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", ANN, over=0, who=WHO)

    async def second(gateway: EmbeddedGateway, node: Administration) -> None:
        assert await credential(gateway, "key-1") is not None
        assert (await node.get("consumers", "ann")).version == 1

    administer(first, state_folder=tmp_path)
    administer(second, state_folder=tmp_path)


def test_a_thousand_consumers_are_put_one_by_one() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for number in range(1000):
            await node.put("consumers", f"c-{number}", {"external_id": f"e-{number}"}, over=0, who=WHO)
        assert await consumer(gateway, "c-999") is not None

    administer(use)


class Failing:
    """Something whose calls of this name fail as a full disk does, and that is otherwise as it was."""

    def __init__(self, real: object, name: str) -> None:
        self._real = real
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise StoreFailed("the disk is full")
        return getattr(self._real, name)


@pytest.mark.parametrize(("part", "call"), [("registry", "delete"), ("directory", "remove")])
def test_rel_66_a_consumer_that_cannot_be_deleted_wholly_is_not_deleted_at_all(part: str, call: str) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", ANN, over=0, who=WHO)
        callers = gateway.running.callers
        real = getattr(callers, part)
        setattr(callers, part, Failing(real, call))
        with pytest.raises(StoreFailed):
            await node.delete("consumers", "ann", over=None, who=WHO)
        setattr(callers, part, real)
        assert (await node.get("consumers", "ann")).version == 1
        assert await credential(gateway, "key-1") is not None
        await node.delete("consumers", "ann", over=1, who=WHO)
        assert await credential(gateway, "key-1") is None

    administer(use)


@pytest.mark.parametrize("before", [None, ANN])
def test_rel_66_a_consumer_that_cannot_be_put_wholly_is_not_put_at_all(before: dict[str, Any] | None) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        if before is not None:
            await node.put("consumers", "ann", before, over=0, who=WHO)
        callers = gateway.running.callers
        real = callers.directory
        callers.directory = Failing(real, "put")  # type: ignore[assignment]
        with pytest.raises(StoreFailed, match="the disk is full"):
            await node.put("consumers", "ann", {"external_id": "a-2"}, over=None, who=WHO)
        callers.directory = real
        kept = callers.registry.get(Kind.CONSUMER, "ann")
        assert (None if kept is None else kept.value) == before
        last = (await node.audit(after=0, limit=9))[-1]
        assert (last.who, last.action) == ("the gateway", "delete" if before is None else "put")
        await node.put("consumers", "ann", {"external_id": "a-2"}, over=None, who=WHO)
        assert (await node.get("consumers", "ann")).value == {"external_id": "a-2"}

    administer(use)


@pytest.mark.parametrize("act", ["put", "delete"])
def test_rel_66_who_asks_for_a_change_of_a_consumer_and_goes_leaves_it_told_to_the_workers(act: str) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "ann", ANN, over=0, who=WHO)
        callers = gateway.running.callers
        slow = callers.registry = Slow(callers.registry, act)  # type: ignore[assignment]
        changes = callers.changes
        work = node.delete("consumers", "ann", over=1, who=WHO)
        if act == "put":
            work.close()
            work = node.put("consumers", "ann", {}, over=1, who=WHO)  # type: ignore[assignment]
        await cancelled(asyncio.create_task(work), slow)
        assert callers.changes == changes + 1
        assert await credential(gateway, "key-1") is None

    administer(use)


# What a credential is found by, and what is kept beside it.

HIDDEN = {"kept": {"secret": "hunter2", "text": "${no:reference"}}


def test_sec_146_annotations_are_kept_and_shown_to_nobody() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        made = await node.put("consumers", "ann", {**ANN, "annotations": HIDDEN}, over=None, who=WHO)
        listed = await node.list("consumers", after=None, limit=9, contains=None)
        shown = await node.get("consumers", "ann")
        for each in (made, shown, *listed.resources):
            assert each.value["annotations"] == "***"  # type: ignore[index,call-overload]
        # What was shown comes back when somebody changes another member.
        await node.put("consumers", "ann", {**shown.value, "groups": ["other"]}, over=None, who=WHO)
        await node.put("credentials", "key-2", {**KEY, "consumer": "ann"}, over=None, who=WHO)
        await node.delete("credentials", "key-2", over=None, who=WHO)
        kept = await node.consumers.raw("ann")
        assert kept is not None
        assert (kept["annotations"], kept["groups"]) == (HIDDEN, ["other"])
        assert kept["credentials"]["key-1"] == KEY
        found = await consumer(gateway, "ann")
        assert "hunter2" not in repr(found)

    administer(use)


def test_consumers_are_had_as_they_are_kept() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name in ("cat", "ann", "bea"):
            await node.put("consumers", name, {"annotations": {"of": name}}, over=None, who=WHO)
        assert await node.consumers.raw_page(after="ann", limit=1) == [("bea", {"annotations": {"of": "bea"}})]
        assert [name for name, _ in await node.consumers.raw_page()] == ["ann", "bea", "cat"]
        assert await node.consumers.raw_page(after="cat") == []
        assert await node.consumers.raw("bob") is None

    administer(use, document=WITH_BOB)


def test_whose_a_credential_is_and_who_is_known_so_is_told() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        credentials = {"plain": KEY, "main": {**KEY, "named": "ann-key"}, "api": {"api_key": "a key of its own"}}
        value = {"id": "1", "external_id": "a-1", "credentials": credentials}
        await node.put("consumers", "ann", value, over=None, who=WHO)
        for name in ("plain", "ann-key", "a key of its own"):
            assert await node.consumers.owner_of(name) == "ann"
        assert await node.consumers.owner_of("main") is None
        assert [await node.consumers.known_as(name) for name in ("1", "a-1", "ann")] == ["ann", "ann", None]

    administer(use)


def test_a_credential_is_found_by_what_it_is_named_and_an_api_key_by_its_digest() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        credentials = {"main": {**KEY, "named": "ann-key", "labels": {"a": "b"}}, "api": {"api_key": "swordfish"}}
        made = await node.put("consumers", "ann", {"credentials": credentials}, over=None, who=WHO)
        assert "swordfish" not in repr(made.value)
        found, key = await credential(gateway, "ann-key"), await credential(gateway, api_key_name("swordfish"))
        assert found is not None
        assert (found.name, found.labels) == ("main", {"a": "b"})
        assert key is not None
        assert (key.name, key.algorithms) == ("api", frozenset())
        assert await credential(gateway, "main") is None
        assert await gateway.running.find(NeedMinted(api_key_name("swordfish"), None, {}, 60)) is None
        shown = await node.get("credentials", "ann-key")
        assert shown.value["named"] == "ann-key"  # type: ignore[index,call-overload]
        for name, value in (("ann-key", KEY), ("main", KEY), ("new", {**KEY, "named": "x"}), ("new", {"api_key": "x"})):
            with pytest.raises(ConfigError, match="is put with its consumer"):
                await node.put("credentials", name, {**value, "consumer": "ann"}, over=None, who=WHO)
        with pytest.raises(ConfigError, match="belongs to"):
            await node.put("consumers", "eve", {"credentials": {"x": {"api_key": "swordfish"}}}, over=None, who=WHO)
        await node.delete("credentials", "ann-key", over=None, who=WHO)
        assert await credential(gateway, "ann-key") is None
        assert await credential(gateway, api_key_name("swordfish")) is not None

    administer(use)


def test_two_consumers_may_have_credentials_of_one_name_that_are_named_otherwise() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for name in ("ann", "eve"):
            credentials = {"main": {**KEY, "named": f"{name}-key"}}
            await node.put("consumers", name, {"credentials": credentials}, over=None, who=WHO)
        for name in ("ann", "eve"):
            found = await credential(gateway, f"{name}-key")
            assert found is not None
            assert found.consumer.name == name

    administer(use)


@pytest.mark.parametrize(
    "member", [{"named": "${env:NONE}"}, {"secret": "${env:NONE}"}, {"named": "${no-such-store:a#b}"}]
)
def test_a_credential_that_may_wait_is_kept_and_any_other_is_not(member: dict[str, str]) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        value = {**KEY, "named": "ann-key", **member}
        with pytest.raises(ConfigError, match="names"):
            await node.put("consumers", "ann", {"credentials": {"main": value}}, over=None, who=WHO)
        waiting = {**value, "may_wait_for_its_secrets": True}
        await node.put("consumers", "ann", {"credentials": {"main": waiting}}, over=None, who=WHO)
        if "named" in member:
            assert isinstance(await gateway.running.find(NeedCredential("ann-key")), NotYet)
            assert isinstance(await gateway.running.find(NeedCredential(member["named"])), NotYet)
            return
        with pytest.raises(DependencyFault) as fault:
            await credential(gateway, "ann-key")
        assert fault.value.reason == "credential_unresolved"

    administer(use)


def test_a_credential_that_may_wait_is_no_less_checked() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        value = {"alg": "RS256", "public_key": "no key", "may_wait_for_its_secrets": True}
        with pytest.raises(ConfigError, match="credential 'main'"):
            await node.put("consumers", "ann", {"credentials": {"main": value}}, over=None, who=WHO)

    administer(use)


def test_a_name_in_the_environment_is_found_and_shown_as_a_reference() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        value = {**KEY, "named": "${env:TEST_SECRET}"}
        made = await node.put("consumers", "ann", {"credentials": {"main": value}}, over=None, who=WHO)
        assert made.value["credentials"]["main"]["named"] == "${env:TEST_SECRET}"  # type: ignore[index,call-overload]
        assert await credential(gateway, SECRET) is not None
        assert await credential(gateway, "${env:TEST_SECRET}") is None

    administer(use)


def test_what_a_file_says_of_credentials_is_described_without_their_keys(tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    credentials = {
        "main": {**KEY, "named": "zoe-key"},
        "later": {**KEY, "named": "${env:NONE}", "may_wait_for_its_secrets": True},
        "api": {"api_key": "swordfish"},
        "published": {"alg": "ES256", "keys": {"url": "https://z/k", "username": "me", "password": "swordfish"}},
    }
    more.write_text(json.dumps({"name": "zoe", "credentials": credentials}) + "\n")

    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        shown: Any = (await node.get("consumers", "zoe")).value
        described = {"alg": "HS256", "ttl_seconds": 86400, "key_claim": "key"}
        assert shown["credentials"] == {
            "main": {**described, "named": "zoe-key"},
            "later": {**described, "named": "${env:NONE}"},
            "api": {"api_key": "***"},
            "published": {**described, "alg": "ES256", "keys": {"url": "https://z/k"}},
        }

    administer(use, document=DOCUMENT + f"consumer_files: ['{more}']\n")


def test_a_password_for_published_keys_is_hidden_kept_when_hidden_and_refused_when_it_leads_nowhere() -> None:
    published: Any = {"alg": "ES256", "keys": {"url": "https://z/k", "username": "me", "password": "swordfish"}}

    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.put("consumers", "zoe", {"credentials": {"main": published}}, over=None, who="alice")
        shown: Any = (await node.get("consumers", "zoe")).value
        assert shown["credentials"]["main"]["keys"] == {**published["keys"], "password": "***"}
        await node.put("consumers", "zoe", shown, over=None, who="alice")
        kept: Any = await node.consumers.raw("zoe")
        assert kept["credentials"]["main"] == published
        shown["credentials"]["main"]["keys"]["password"] = "${env:NOBODY_SET_THIS}"
        with pytest.raises(ConfigError, match="NOBODY_SET_THIS"):
            await node.put("consumers", "zoe", shown, over=None, who="alice")

    administer(use)
