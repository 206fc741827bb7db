"""What a generation that is alive tells its workers."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.control.announcing import Announcing
from jwtgate.control.built import Built, sent
from jwtgate.control.workers.messages import ConsumersChanged, NotYet, SentCredential, SigningChanged
from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.gateway.observe import Counters
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import Introspected, Need, NeedConsumer, NeedCredential, NeedIntrospection, NeedKeys
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeyText
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.external_signing_keys import ExternalSigningKeys
from jwtgate.state.secrets.references import Reference, Secrets, store_references
from jwtgate.state.secrets.secret_stores import SecretStores

from .samples import built

ANN = Consumer("ann", "1")
SECRET = b"a secret of a consumer of the tests"


def test_a_rotation_by_somebody_else_is_told_of_within_a_second_or_two(caplog: pytest.LogCaptureFixture) -> None:
    made = built()

    async def published() -> list[int]:
        counts: list[int] = []
        done = asyncio.Event()

        def changed(change: SigningChanged) -> None:
            assert change.number == made.number
            counts.append(len(json.loads(change.signing.keys_document)["keys"]))
            if counts[-1] == 2:
                done.set()

        following = asyncio.create_task(made.follow_signing(changed))
        await asyncio.sleep(0)
        made.keyring.rotate("default")
        async with asyncio.timeout(30):
            await done.wait()
        following.cancel()
        return counts

    with caplog.at_level(logging.INFO, "jwtgate.process"):
        assert asyncio.run(published())[-1] == 2
    (line,) = [record.fields for record in caplog.records if record.getMessage() == "signing_keys_changed"]  # type: ignore[attr-defined]
    assert (line["keys"], sorted(line["states"].values())) == ("default", ["active", "upcoming"])


def test_rel_39_keys_from_somewhere_else_that_cannot_be_read_again_are_told_of() -> None:
    class Failing(ExternalSigningKeys):
        failing = frozenset({"default"})

    made = built()
    failing = replace(made, external_keys=Failing((), made.keyring, client=HttpClient(), resolve=str))
    reports = [asyncio.run(each.report(Counters(), ready=True)) for each in (made, failing)]
    assert [report.signing[0].stale for report in reports] == [False, True]
    assert [report.degraded for report in reports] == [False, True]


def test_rel_38_our_own_keys_are_told_of() -> None:
    made = built()
    (before,) = asyncio.run(made.report(Counters(), ready=True)).signing
    made.keyring.rotate("default")
    (after,) = asyncio.run(made.report(Counters(), ready=True)).signing
    assert [(each.keys, each.count) for each in (before, after)] == [("default", 1), ("default", 2)]
    assert after.age_seconds is not None
    assert 0 <= after.age_seconds < 60


@pytest.mark.parametrize("issuer", ["gone", "main"])
def test_an_issuer_of_another_generation_is_a_fault(issuer: str) -> None:
    made = built()
    with pytest.raises(DependencyFault):
        asyncio.run(made.find(NeedIntrospection(issuer, "opaque")))
    if issuer == "gone":
        with pytest.raises(DependencyFault):
            asyncio.run(made.obtain(NeedKeys(issuer, "k")))


@pytest.mark.parametrize(
    "need", [NeedConsumer((ConsumerName.NAME,), "ann"), NeedCredential("key-1"), NeedMinted("key-1", None, {}, 60)]
)
def test_whoever_is_not_in_the_directory_is_none(need: Need) -> None:
    assert asyncio.run(built().find(need)) is None


def test_a_credential_is_sent_with_its_keys_and_shows_none_of_them() -> None:
    keys = KeySet([Key.secret(SECRET, alg="HS256")])
    message = sent(Credential("key-1", "c-1", ANN, frozenset({"HS256"}), keys, leeway_seconds=5))
    assert isinstance(message, SentCredential)
    assert (message.name, message.consumer, message.algorithms, message.leeway_seconds) == ("key-1", ANN, {"HS256"}, 5)
    (key,) = message.keys.keys
    assert key.jwk["kty"] == "oct"
    assert str(key.jwk["k"]) not in repr(message)


@pytest.mark.parametrize("found", [ANN, Introspected(False, {}, 0), None])
def test_all_else_is_sent_as_it_is(found: Consumer | Introspected | None) -> None:
    assert sent(found) is found


class Late(SecretStores):
    """A secret store of which nothing was read that the document does not name; `held` is what it has."""

    def __init__(self, **held: str) -> None:
        super().__init__((), client=HttpClient(), folder=Path(), environ={})
        self._held = held
        self._read: dict[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset({"vault"})

    async def fetch_missing(self, texts: Iterable[str]) -> None:
        for reference in store_references(texts):
            if reference.path in self._held:
                self._read[reference.path] = self._held[reference.path]

    def value(self, reference: Reference) -> str:
        if reference.path not in self._read:
            raise ConfigError("it was not read yet")
        return self._read[reference.path]


def with_late(stores: Late) -> Built:
    """A generation whose consumer of the store keeps its secret elsewhere."""
    made = built()
    key = KeyText(text="${vault:ann}", alg="HS256")
    made.callers.directory.put(ConsumerSource(ANN, (CredentialSource("key-1", "c-1", "ann", "HS256", key),)))
    return replace(made, secret_stores=stores, secrets=Secrets(Path(), {}, stores))


def test_rel_84_a_secret_only_a_consumer_of_the_store_refers_to_is_read_when_it_is_needed() -> None:
    found = asyncio.run(with_late(Late(ann=SECRET.decode())).find(NeedCredential("key-1")))
    assert isinstance(found, Credential)
    minted = asyncio.run(with_late(Late(ann=SECRET.decode())).find(NeedMinted("key-1", None, {}, 60)))
    assert isinstance(minted, Minted)
    assert UnverifiedToken.parse(minted.text).verify(tuple(found.keys), found.algorithms).kid == "key-1"


@pytest.mark.parametrize("need", [NeedCredential("key-1"), NeedMinted("key-1", None, {}, 60)])
def test_rel_36_a_secret_that_cannot_be_read_is_a_fault(need: Need | NeedMinted) -> None:
    with pytest.raises(DependencyFault):
        asyncio.run(with_late(Late()).find(need))


def with_waiting(stores: Late) -> Built:
    """A generation whose consumer of the store keeps the name of its credential elsewhere."""
    made = built()
    key = KeyText(text=SECRET.decode(), alg="HS256")
    source = CredentialSource("main", "c-1", "ann", "HS256", key, refers="${vault:name}", may_wait=True)
    made.callers.directory.put(ConsumerSource(ANN, (source,)))
    return replace(made, secret_stores=stores, secrets=Secrets(Path(), {}, stores))


def test_a_credential_that_waits_for_its_name_is_not_there_yet_and_there_once_it_is() -> None:
    stores = Late()
    made = with_waiting(stores)

    async def life() -> None:
        assert await made.find(NeedCredential("ann-key")) == NotYet()
        assert await made.find(NeedMinted("ann-key", None, {}, 60)) is None
        stores._held["name"] = "ann-key"
        assert await made.find(NeedCredential("other")) is None
        found = await made.find(NeedCredential("ann-key"))
        assert isinstance(found, Credential)
        assert found.name == "main"
        minted = await made.find(NeedMinted("ann-key", None, {}, 60))
        assert isinstance(minted, Minted)
        claims = UnverifiedToken.parse(minted.text).verify(tuple(found.keys), found.algorithms).claims
        assert claims["key"] == "ann-key"

    asyncio.run(life())


def test_what_is_waited_for_is_found_although_nobody_asks_again() -> None:
    stores = Late()
    made = with_waiting(stores)

    async def life() -> None:
        assert await made.find(NeedCredential("ann-key")) == NotYet()
        stores._held["name"] = "ann-key"
        following = asyncio.create_task(made.follow_waiting(every_seconds=0.01))
        async with asyncio.timeout(10):
            while made.callers.directory.waiting:
                await asyncio.sleep(0.01)
        following.cancel()
        assert made.callers.directory.credential("ann-key", made.secrets.resolve) is not None

    asyncio.run(life())


def test_a_value_that_changes_changes_what_credentials_are_found_by_in_every_worker() -> None:
    class Changing(Late):
        async def follow(self, changed: Callable[[], None]) -> None:
            self._held["name"] = "new-key"
            self._read.clear()
            changed()
            await asyncio.Event().wait()

    made = with_waiting(Changing(name="ann-key"))

    async def life() -> None:
        assert isinstance(await made.find(NeedCredential("ann-key")), Credential)
        told: list[object] = []
        changed, before = asyncio.Event(), made.callers.changes
        following = asyncio.create_task(
            made.follow(lambda _: None, Announcing(told.append), secrets_changed=changed.set)
        )
        async with asyncio.timeout(10):
            await changed.wait()
            while not told:
                await asyncio.sleep(0.01)
        following.cancel()
        assert told == [ConsumersChanged()]
        assert made.callers.changes == before + 1
        assert await made.find(NeedCredential("ann-key")) is None
        assert isinstance(await made.find(NeedCredential("new-key")), Credential)

    asyncio.run(life())
