"""What was used is refused as long as it is kept, and what is kept is bounded."""

from __future__ import annotations

from jwtgate.policy.facts import NeedFirstUse
from jwtgate.state.first_uses import FirstUses


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_sec_79_the_first_is_new_and_the_second_is_not_until_its_time_is_over() -> None:
    clock = Clock()
    uses = FirstUses(monotonic=clock)
    need = NeedFirstUse("key", "jti", 21)
    assert [uses.take(need), uses.take(need)] == [True, False]
    clock.now += 20.9
    assert not uses.take(need)
    clock.now += 0.2
    assert uses.take(need)


def test_the_same_of_two_owners_are_two_things() -> None:
    uses = FirstUses(monotonic=Clock())
    assert uses.take(NeedFirstUse("a", "jti", 21))
    assert uses.take(NeedFirstUse("b", "jti", 21))
    assert len(uses) == 2


def test_sec_79_whoever_makes_up_too_many_loses_what_is_his_own() -> None:
    uses = FirstUses(monotonic=Clock(), most_seen=10, most_of_one=4)
    uses.take(NeedFirstUse("other", "mine", 21))
    for number in range(50):
        assert uses.take(NeedFirstUse("flood", str(number), 21))
    assert (len(uses), uses.evicted) == (5, 46)
    assert not uses.take(NeedFirstUse("other", "mine", 21))
    assert not uses.take(NeedFirstUse("flood", "49", 21))
    assert uses.take(NeedFirstUse("flood", "0", 21))
