"""Messages arrive whole, in order, and from a worker only as values of our own."""

import asyncio
import os
import pickle
import socket
from dataclasses import dataclass
from types import MappingProxyType

import pytest

from jwtgate.control.workers import link
from jwtgate.control.workers.link import LARGE_BYTES, Link, LinkLost, decode_trusted, decode_untrusted, encode
from jwtgate.control.workers.messages import Counted, Serving, Wanted
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.observe import Counters
from jwtgate.policy.facts import NeedAllowance, NeedConsumer, NeedCredential, NeedIntrospection, NeedKeys
from jwtgate.policy.provisions import MintedForm
from jwtgate.policy.requirements import ConsumerName

LENGTH_BYTES = 8


def body(message: object) -> bytes:
    return encode(message)[LENGTH_BYTES:]


async def pair() -> tuple[Link, Link]:
    left, right = socket.socketpair()
    return await Link.open(left, decode=decode_trusted), await Link.open(right, decode=decode_untrusted)


def test_messages_arrive_in_order_and_whole_whatever_their_size() -> None:
    async def talk() -> None:
        upper, lower = await pair()
        wanted = Wanted(1, 2, NeedKeys("i" * (LARGE_BYTES + 1), None))
        for message in (Serving(1), wanted, Serving(2)):
            upper.send(message)
        assert [await lower.receive() for _ in range(3)] == [Serving(1), wanted, Serving(2)]
        await upper.close()
        await lower.close()

    asyncio.run(talk())


def test_the_end_of_a_link_is_told_also_in_the_middle_of_a_message() -> None:
    async def talk(said: bytes) -> None:
        left, right = socket.socketpair()
        lower = await Link.open(right, decode=decode_untrusted)
        left.sendall(said)
        left.close()
        with pytest.raises(LinkLost):
            await lower.receive()
        await lower.close()

    for said in (b"", encode(Serving(1))[:5], encode(Serving(1))[:-1]):
        asyncio.run(talk(said))


def test_a_length_beyond_the_limit_ends_the_link_before_anything_is_read() -> None:
    async def talk() -> None:
        left, right = socket.socketpair()
        lower = await Link.open(right, decode=decode_untrusted)
        with left:
            left.sendall((link.MOST_BYTES + 1).to_bytes(LENGTH_BYTES, "big"))
            with pytest.raises(LinkLost):
                await lower.receive()
        await lower.close()

    asyncio.run(talk())


def test_sending_to_an_end_that_is_gone_is_not_an_error() -> None:
    async def talk() -> None:
        upper, lower = await pair()
        await lower.close()
        with pytest.raises(LinkLost):
            await upper.receive()
        upper.send(Serving(1))
        await upper.close()
        upper.send(Serving(2))

    asyncio.run(talk())


def test_a_read_only_mapping_arrives_read_only() -> None:
    arrived = decode_trusted(body(MappingProxyType({"a": MappingProxyType({"b": 1})})))
    assert arrived == {"a": {"b": 1}}
    assert isinstance(arrived, MappingProxyType)


@pytest.mark.parametrize(
    "message",
    [
        Serving(3),
        Counted(Counters({("r", 200, ""): 1})),
        Wanted(1, 2, NeedCredential("key-1")),
        Wanted(1, 2, NeedConsumer((ConsumerName.EXTERNAL_ID, ConsumerName.NAME), "ann")),
        Wanted(1, 2, NeedIntrospection("main", "opaque", "access_token")),
        Wanted(1, 2, NeedMinted("key-1", None, {"sub": "ann", "rooms": [1, None]}, 60, MintedForm.BARE)),
        Wanted(1, 2, NeedAllowance("route orders", "a", 3, 30)),
    ],
)
def test_a_worker_may_send_our_own_values(message: object) -> None:
    assert decode_untrusted(body(message)) == message


@dataclass(frozen=True)
class Foreign:
    """Not one of the package's own."""

    name: str


class Command:
    """What an attacker in a worker would send."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("exit 7",)


@pytest.mark.parametrize(
    "sent",
    [
        pickle.dumps(Foreign("x")),
        pickle.dumps(Command()),
        b"cjwtgate.control.workers.worker_handle\nasyncio.create_subprocess_exec\n.",
        b"cjwtgate.control.workers.link\nencode\n.",
        b"cjwtgate.control.workers.link\nLink\n.",
        b"cjwtgate.state.stores.sqlite\nSqliteStore\n.",
        b"cjwtgate.control.workers.worker_handle\nCallable\n.",
        b"cbuiltins\neval\n(S'1'\ntR.",
    ],
)
def test_anything_else_from_a_worker_is_refused_before_it_does_anything(sent: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        decode_untrusted(sent)


def test_a_worker_that_babbles_loses_its_link() -> None:
    async def talk(said: bytes) -> None:
        left, right = socket.socketpair()
        lower = await Link.open(right, decode=decode_untrusted)
        with left:
            left.sendall(len(said).to_bytes(LENGTH_BYTES, "big") + said)
            with pytest.raises(LinkLost):
                await lower.receive()
        await lower.close()

    for said in (b"\x80", b"garbage", pickle.dumps(Command()), b"cjwtgate.control.nothing\nX\n."):
        asyncio.run(talk(said))
