"""What workers count of upstreams and targets, added up over a node (REL-39). Names come from the document alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from jwtgate.gateway.upstreams.standing import State

if TYPE_CHECKING:
    from jwtgate.gateway.upstreams.roster import Roster


@dataclass(frozen=True, slots=True)
class TargetCount:
    """One target. `up`, `down`, `resting` and `ejected` are numbers of workers that find it so."""

    upstream: str
    target: str
    up: int = 0
    down: int = 0
    resting: int = 0
    ejected: int = 0
    connections: int = 0
    requests_in_flight: int = 0
    name_stale: int = 0
    failures: int = 0
    times_out: int = 0


@dataclass(frozen=True, slots=True)
class UpstreamCount:
    """One upstream. `breaker_open` and `usable` are numbers of workers that find it so."""

    upstream: str
    usable: int = 0
    breaker_open: int = 0
    refused: int = 0
    retries: int = 0
    retries_not_made: int = 0


_GROWING = frozenset({"failures", "times_out", "refused", "retries", "retries_not_made"})
_NAMES = frozenset({"upstream", "target"})
Count = TargetCount | UpstreamCount


def counts_of(rosters: Iterable[Roster]) -> tuple[Count, ...]:
    """What one worker has to tell of its upstreams."""
    return tuple(count for roster in rosters for count in _counts(roster))


def _counts(roster: Roster) -> Iterator[Count]:
    yield _upstream_count(roster)
    yield from _target_counts(roster)


def _upstream_count(roster: Roster) -> UpstreamCount:
    return UpstreamCount(
        roster.upstream.name,
        usable=int(roster.is_up),
        breaker_open=int(roster.breaker.refusals.is_on),
        refused=roster.breaker.refusals.total,
        retries=roster.budget.made,
        retries_not_made=roster.budget.spent.total,
    )


def _target_counts(roster: Roster) -> Iterator[TargetCount]:
    now = roster.clock()
    for target, standing in roster.standings.items():
        state = standing.state(now)
        pools = [pool for pool in roster.pools() if pool.target == target]
        yield TargetCount(
            roster.upstream.name,
            target.authority,
            up=int(state is State.UP),
            down=int(state is State.DOWN),
            resting=int(state is State.RESTING),
            ejected=int(state is State.EJECTED),
            connections=sum(pool.open for pool in pools),
            requests_in_flight=sum(pool.busy for pool in pools),
            name_stale=int(roster.names[target].is_stale),
            failures=standing.failures,
            times_out=standing.times_out,
        )


def added(*counts: Iterable[Count]) -> tuple[Count, ...]:
    """The sums of these, one for each upstream and each target, in the order they come first."""
    sums: dict[tuple[object, ...], Count] = {}
    for count in (each for some in counts for each in some):
        place = (type(count), count.upstream, getattr(count, "target", ""))
        held = sums.get(place)
        sums[place] = count if held is None else _sum(held, count)
    return tuple(sums.values())


def grown(counts: Iterable[Count]) -> tuple[Count, ...]:
    """What remains of the counts of a worker that has ended."""
    return tuple(_with(count, {name: 0 for name in _numbers(count) if name not in _GROWING}) for count in counts)


def _sum(one: Count, other: Count) -> Count:
    return _with(one, {name: getattr(one, name) + getattr(other, name) for name in _numbers(one)})


def _with(count: Count, numbers: dict[str, Any]) -> Count:
    return replace(count, **numbers)


def _numbers(count: Count) -> list[str]:
    return [each.name for each in fields(count) if each.name not in _NAMES]
