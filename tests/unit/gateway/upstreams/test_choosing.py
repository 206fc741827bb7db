"""In turn, by what is to be done, or by what requests have in common."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.unit.gateway.upstreams.fakes import TARGETS, Asking, a_balancer, a_connection

from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.choosing import HASH_BYTES, weighed
from jwtgate.policy.traffic.upstreams import Balance, HashedBy, HashKey

USERS = [str(number).encode() for number in range(2000)]
BY_USER = HashKey(HashedBy.HEADER, b"x-user")


def hashing(targets: int, key: HashKey = BY_USER) -> Balancer:
    return a_balancer(targets=TARGETS[:targets], balance=Balance.CONSISTENT_HASH, hash_by=key)


def chosen(balancer: Balancer) -> dict[bytes, str]:
    return {user: balancer.pick(Asking((b"x-user", user))).target.host for user in USERS}


def test_the_target_with_the_fewest_requests_is_next_and_of_several_each_in_turn() -> None:
    balancer = a_balancer(balance=Balance.LEAST_REQUESTS)
    one, two, three = balancer.pools
    busy = [a_connection(one), a_connection(one), a_connection(two)]
    assert [balancer.pick(Asking()) for _ in range(3)] == [three] * 3
    one.lost(busy[0])
    two.lost(busy[2])
    assert {balancer.pick(Asking()) for _ in range(4)} == {two, three}
    one.lost(busy[1])
    assert {balancer.pick(Asking()) for _ in range(3)} == {one, two, three}


def test_who_weighs_more_may_have_more_to_do() -> None:
    targets = (replace(TARGETS[0], weight=3), TARGETS[1])
    balancer = a_balancer(targets=targets, balance=Balance.LEAST_REQUESTS)
    for _ in range(40):
        a_connection(balancer.pick(Asking()))
    assert [pool.busy for pool in balancer.pools] == [30, 10]


def test_the_same_key_goes_to_the_same_target_in_every_worker() -> None:
    first = chosen(hashing(5))
    assert chosen(hashing(5)) == first
    counts = Counter(first.values())
    assert len(counts) == 5
    assert all(300 < count < 500 for count in counts.values())


def test_every_draw_is_worth_something() -> None:
    least, most = weighed(bytes(HASH_BYTES), 1.0), weighed(b"\xff" * HASH_BYTES, 1.0)
    assert 0 < least < most < weighed(b"\xff" * HASH_BYTES, 2.0) < float("inf")


def test_a_target_that_comes_moves_its_share_and_nothing_else() -> None:
    before, after = chosen(hashing(9)), chosen(hashing(10))
    moved = {user for user in USERS if before[user] != after[user]}
    assert {after[user] for user in moved} == {"t10.example"}
    assert len(moved) < len(USERS) * 0.14


def test_a_target_that_rests_loses_its_keys_and_nobody_else_does() -> None:
    balancer = hashing(5)
    before = chosen(balancer)
    balancer.pools[2].standing.unreachable(1000.0)
    balancer.roster.refresh()
    after = chosen(balancer)
    assert {before[user] for user in USERS if before[user] != after[user]} == {"t3.example"}
    balancer.pools[2].standing.connected()
    balancer.roster.refresh()
    assert chosen(balancer) == before


def test_a_target_takes_keys_by_its_weight() -> None:
    targets = (replace(TARGETS[0], weight=3), TARGETS[1])
    balancer = a_balancer(targets=targets, balance=Balance.CONSISTENT_HASH, hash_by=BY_USER)
    assert 1400 < Counter(chosen(balancer).values())["t1.example"] < 1600


@pytest.mark.parametrize(
    ("key", "one", "same", "other"),
    [
        (BY_USER, Asking((b"x-user", b"a")), Asking((b"x-user", b"a"), (b"x-user", b"b")), (b"x-user", b"%d")),
        (
            HashKey(HashedBy.COOKIE, b"session"),
            Asking((b"cookie", b"session=a")),
            Asking((b"cookie", b"x=1"), (b"cookie", b"y=2; session=a")),
            (b"cookie", b"session=%d"),
        ),
    ],
)
def test_what_is_hashed_is_the_field_or_the_cookie(
    key: HashKey, one: Asking, same: Asking, other: tuple[bytes, bytes]
) -> None:
    balancer = hashing(10, key)
    assert balancer.pick(one) is balancer.pick(same)
    others = [Asking((other[0], other[1] % number)) for number in range(50)]
    assert len({balancer.pick(each) for each in others}) > 5


def test_what_is_hashed_is_the_consumer_or_the_client() -> None:
    by_consumer, by_client = hashing(10, HashKey(HashedBy.CONSUMER)), hashing(10, HashKey(HashedBy.CLIENT))
    names = [str(number) for number in range(50)]
    assert len({by_consumer.pick(Asking(consumer=name)) for name in names}) > 5
    assert len({by_consumer.pick(Asking(consumer="a", client=name)) for name in names}) == 1
    assert len({by_client.pick(Asking(client=name)) for name in names}) > 5
    assert len({by_client.pick(Asking(consumer=name)) for name in names}) == 1


@pytest.mark.parametrize("key", [BY_USER, HashKey(HashedBy.COOKIE, b"session"), HashKey(HashedBy.CONSUMER)])
def test_without_what_is_hashed_the_client_stands_in(key: HashKey) -> None:
    balancer, by_client = hashing(10, key), hashing(10, HashKey(HashedBy.CLIENT))
    for number in range(20):
        asking = Asking(client=f"192.0.2.{number}")
        assert balancer.pick(asking).target is by_client.pick(asking).target
