"""What a generation that is alive tells its workers."""

import asyncio
import json

import pytest

from jwtgate.control.built import sent
from jwtgate.control.workers.messages import SentCredential, SigningChanged
from jwtgate.errors import DependencyFault
from jwtgate.gateway.mint import NeedMinted
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import Introspected, Need, NeedConsumer, NeedCredential, NeedIntrospection, NeedKeys
from jwtgate.policy.requirements import ConsumerName

from .samples import built

ANN = Consumer("ann", "1")
SECRET = b"a secret of a consumer of the tests"


def test_a_rotation_by_somebody_else_is_told_of_within_a_second_or_two() -> None:
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
        made.keyring.rotate("default")
        async with asyncio.timeout(5):
            await done.wait()
        following.cancel()
        return counts

    assert asyncio.run(published())[-1] == 2


@pytest.mark.parametrize("issuer", ["gone", "main"])
def test_an_issuer_of_another_generation_is_a_fault(issuer: str) -> None:
    made = built()
    with pytest.raises(DependencyFault):
        asyncio.run(made.find(NeedIntrospection(issuer, "opaque")))
    if issuer == "gone":
        with pytest.raises(DependencyFault):
            asyncio.run(made.obtain(NeedKeys(issuer, "k")))


@pytest.mark.parametrize(
    "need", [NeedConsumer((ConsumerName.NAME,), "ann"), NeedCredential("key-1"), NeedMinted("key-1", {}, 60)]
)
def test_whoever_is_not_in_the_directory_is_none(need: Need) -> None:
    assert asyncio.run(built().find(need)) is None


def test_a_credential_is_sent_with_its_keys_and_shows_none_of_them() -> None:
    keys = KeySet([Key.secret(SECRET, alg="HS256")])
    message = sent(Credential("key-1", "c-1", ANN, frozenset({"HS256"}), keys, leeway_seconds=5))
    assert isinstance(message, SentCredential)
    assert (message.name, message.consumer, message.algorithms, message.leeway_seconds) == ("key-1", ANN, {"HS256"}, 5)
    (key,) = message.keys
    assert key.jwk["kty"] == "oct"
    assert str(key.jwk["k"]) not in repr(message)


@pytest.mark.parametrize("found", [ANN, Introspected(False, {}, 0), None])
def test_all_else_is_sent_as_it_is(found: Consumer | Introspected | None) -> None:
    assert sent(found) is found
