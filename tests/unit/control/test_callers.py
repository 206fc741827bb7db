"""Callers are found as the directory has them, and never as it had them before a change."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from jwtgate.control.announcing import Announcing
from jwtgate.control.callers import Callers
from jwtgate.control.workers.messages import StoreChanged
from jwtgate.errors import DependencyFault
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import NeedConsumer, NeedCredential, NeedNewerCredential
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeysAddress, KeySource, KeyText
from jwtgate.state.stores.store import MemoryStore, StoreFailed

SECRET = "a secret of a consumer of the tests"
ANN = Consumer("ann", "1", external_id="a-1")
KEY = CredentialSource("key-1", "c-1", "ann", "HS256", key=KeyText(text=SECRET, alg="HS256"), ttl_seconds=600)
BY = (ConsumerName.EXTERNAL_ID, ConsumerName.NAME)


def callers(*sources: ConsumerSource) -> Callers:
    opened = Callers.open(MemoryStore(), folder=None, sealer=None)
    for source in sources:
        opened.directory.put(source)
    return opened


def plain(text: str) -> str:
    return text


def test_a_consumer_is_found_by_what_it_is_known_by() -> None:
    found = asyncio.run(callers(ConsumerSource(ANN)).find(NeedConsumer(BY, "a-1"), plain))
    assert found == ANN
    assert asyncio.run(callers(ConsumerSource(ANN)).find(NeedConsumer(BY, "a-2"), plain)) is None


def test_a_credential_is_found_with_its_keys_and_its_consumer() -> None:
    found = asyncio.run(callers(ConsumerSource(ANN, (KEY,))).find(NeedCredential("key-1"), plain))
    assert isinstance(found, Credential)
    assert (found.consumer, found.algorithms) == (ANN, {"HS256"})


def test_a_secret_that_cannot_be_had_is_a_fault() -> None:
    source = ConsumerSource(
        ANN, (CredentialSource("key-1", "c-1", "ann", "HS256", key=KeyText(text="x", alg="HS256")),)
    )
    with pytest.raises(DependencyFault) as fault:
        asyncio.run(callers(source).find(NeedCredential("key-1"), plain))
    assert fault.value.reason == "credential_unresolved"


def test_a_directory_that_fails_is_a_fault() -> None:
    held = callers()
    held.directory.close()
    for need in (NeedConsumer(BY, "a-1"), NeedCredential("key-1")):
        with pytest.raises(DependencyFault) as fault:
            asyncio.run(held.find(need, plain))
        assert fault.value.reason == "consumers_unreachable"


class Published:
    """Keys of addresses, without any address."""

    def __init__(self) -> None:
        self.asked: list[tuple[KeySource, object, int]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.others = asyncio.Event()
        self.let_go_of: list[int] = []

    async def obtain(self, source: KeySource, need: object, *, resolve: object, changes: int) -> KeySet:
        self.asked.append((source, need, changes))
        self.meanwhile()
        return KeySet([generate_key("ES256", kid="k1").public()])

    async def changed(self, *, most_seconds: float) -> bool:
        await self.others.wait()
        self.others.clear()
        return True

    def let_go(self, changes: int) -> None:
        self.let_go_of.append(changes)


ADDRESS = KeysAddress("https://ann.example/jwks", "me", "${vault:ann#password}")
AT_ADDRESS = CredentialSource("key-2", "c-2", "ann", "ES256", address=ADDRESS, private_key=KeyText(text="${vault:a#k}"))


def publishing(published: Published) -> Callers:
    held = callers(ConsumerSource(ANN, (KEY, AT_ADDRESS)))
    held.fetched = published  # type: ignore[assignment]
    return held


def test_a_credential_is_found_with_the_keys_its_address_publishes() -> None:
    published = Published()
    held = publishing(published)
    for need in (NeedCredential("key-2"), NeedNewerCredential("key-2", "k1")):
        found = asyncio.run(held.find(need, plain))
        assert isinstance(found, Credential)
        assert ([key.kid for key in found.keys], found.fetched) == (["k1"], True)
    assert [need for _, need, _ in published.asked] == [NeedCredential("key-2"), NeedNewerCredential("key-2", "k1")]
    assert {source for source, _, _ in published.asked} == {ADDRESS.source("ES256")}
    asyncio.run(held.find(NeedCredential("key-1"), plain))
    assert len(published.asked) == 2


def test_sec_75_a_credential_that_went_while_its_keys_were_fetched_is_not_found() -> None:
    published = Published()
    held = publishing(published)

    def meanwhile() -> None:
        held.directory.remove("ann")
        held.changes += 1

    published.meanwhile = meanwhile
    assert asyncio.run(held.find(NeedCredential("key-2"), plain)) is None


def test_the_password_for_an_address_is_among_what_may_have_to_be_read() -> None:
    assert publishing(Published()).texts_of("key-2", plain) == ("${vault:ann#password}", "${vault:a#k}")


def test_sec_67_workers_are_told_of_other_keys_at_an_address() -> None:
    published = Published()
    held = publishing(published)

    async def run() -> None:
        told = asyncio.Event()
        following = asyncio.create_task(held.follow_keys(Announcing(lambda change: told.set())))
        await asyncio.sleep(0)
        assert not told.is_set()
        published.others.set()
        async with asyncio.timeout(30):
            await told.wait()
        following.cancel()

    asyncio.run(run())
    assert held.changes == 1
    assert published.let_go_of == [1]


class ChangedMeanwhile:
    """A directory in which something changes while the first look-up is under way."""

    def __init__(self, held: Callers, change: Callable[[], None]) -> None:
        self._held = held
        self._inner = held.directory
        self._change = change
        self.asked = 0

    def consumer(self, by: tuple[ConsumerName, ...], value: str) -> Consumer | None:
        found = self._inner.consumer(by, value)
        self.asked += 1
        if self.asked == 1:
            self._change()
            self._held.changes += 1
        return found


def test_sec_75_what_was_looked_up_while_it_changed_is_looked_up_again() -> None:
    held = callers(ConsumerSource(ANN))
    inner = held.directory
    changing = ChangedMeanwhile(held, lambda: inner.remove("ann"))
    held.directory = changing  # type: ignore[assignment]
    assert asyncio.run(held.find(NeedConsumer(BY, "a-1"), plain)) is None
    assert changing.asked == 2


def test_a_token_is_minted_with_a_credential_for_no_longer_than_both_allow() -> None:
    held = callers(ConsumerSource(ANN, (KEY,)))
    for most, lives in ((60, 60), (3600, 600)):
        minted = asyncio.run(held.mint(NeedMinted("key-1", None, {"room": 7}, most), plain))
        assert isinstance(minted, Minted)
        token = UnverifiedToken.parse(minted.text).verify([Key.secret(SECRET.encode(), alg="HS256")], {"HS256"})
        assert (token.claims["room"], token.claims["key"]) == (7, "key-1")
        assert token.claims["exp"] - token.claims["iat"] == minted.expires_in == lives  # type: ignore[operator]


@pytest.mark.parametrize(("consumer", "minted"), [("ann", True), (None, True), ("bob", False), ("", False)])
def test_sec_147_a_credential_of_somebody_else_is_as_good_as_none(consumer: str | None, minted: bool) -> None:
    held = callers(ConsumerSource(ANN, (KEY,)))
    found = asyncio.run(held.mint(NeedMinted("key-1", consumer, {}, 60), plain))
    assert (found is not None) is minted


def test_nothing_is_minted_with_a_credential_nobody_has() -> None:
    assert asyncio.run(callers().mint(NeedMinted("key-1", None, {}, 60), plain)) is None


def test_sec_75_what_was_revoked_stays_so_when_the_store_is_opened_again() -> None:
    store = MemoryStore()
    entry = Revocation("r-1", RevokedBy.JTI, "t-1")
    Callers.open(store, folder=None, sealer=None).revocations.add(entry, who="alice")
    assert Callers.open(store, folder=None, sealer=None).revocations.entries() == (entry,)


def test_revocations_that_have_ended_are_let_go_of_and_workers_told() -> None:
    held = callers()
    held.revocations.add(Revocation("r-1", RevokedBy.JTI, "t-1", expires_at=1), who="alice")

    async def run() -> None:
        told = asyncio.Event()
        announcing = Announcing(lambda change: told.set())
        following = asyncio.create_task(held.follow_time(announcing, every_seconds=0.01))
        async with asyncio.timeout(30):
            await told.wait()
        following.cancel()
        announcing.close()

    asyncio.run(run())


def test_a_store_that_fails_is_asked_again_later() -> None:
    held = callers()
    tried: list[int] = []

    class Failing:
        def expire(self) -> int:
            tried.append(1)
            raise StoreFailed("gone")

    held.revocations = Failing()  # type: ignore[assignment]

    async def run() -> None:
        announcing = Announcing(lambda change: None)
        following = asyncio.create_task(held.follow_time(announcing, every_seconds=0.001))
        async with asyncio.timeout(30):
            while len(tried) < 3:
                await asyncio.sleep(0.001)
        following.cancel()

    asyncio.run(run())


def test_sec_76_a_store_that_goes_away_and_comes_back_is_told_of_and_logged_once_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    causes = [None, "locked", "locked", None, None]

    class Watch:
        def look(self) -> str | None:
            return causes.pop(0) if causes else None

    held, told = callers(), []
    held._watch = Watch()  # type: ignore[assignment]

    async def run() -> None:
        following = asyncio.create_task(held.follow_store(Announcing(told.append), every_seconds=0.001))
        async with asyncio.timeout(30):
            while causes:
                await asyncio.sleep(0.001)
        following.cancel()

    with caplog.at_level(logging.INFO, "jwtgate.process"):
        asyncio.run(run())
    assert told == [StoreChanged(away=True), StoreChanged(away=False)]
    assert [record.message for record in caplog.records] == ["store_away", "store_back"]
    assert not held.store_away
