"""The life of signing keys as arithmetic on instants (SEC-156, REL-35): nothing here waits, stores or draws.

Keys of one name follow one another. A successor is published for as long as others may cache our key set before it
signs, and the key before it stays published until the last token it signed has ended. A life is therefore a tuple of
keys with their instants, and what each key is at some time can be read off it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from jwtgate.jose.key import Key

SPREAD_SECONDS = 10
"""How long a change may take until every worker serves it."""
FORGET_SECONDS = 86_400
"""How much longer a retired key is kept, so that a clock that was wrong and is set back finds it again."""


class KeyState(Enum):
    """Where a signing key stands in its life."""

    UPCOMING = "upcoming"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds others may cache our key set, and seconds a token of ours is good, leeway included."""

    cache_seconds: int = 300
    token_seconds: int = 3600

    @property
    def lead_seconds(self) -> int:
        """How long a key is published before it signs."""
        return self.cache_seconds + SPREAD_SECONDS

    @property
    def rest_seconds(self) -> int:
        """How long a key is published after it signs no more."""
        return self.token_seconds + SPREAD_SECONDS

    def widened(self, other: Periods) -> Periods:
        """The longer of each."""
        return Periods(max(self.cache_seconds, other.cache_seconds), max(self.token_seconds, other.token_seconds))


USUAL_PERIODS = Periods()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of ours and the instants of its life, in seconds since 1970. None: not decided yet.

    `periods` are the longest of all documents under which it may have signed, or been shown without its successor.
    """

    key: Key
    alg: str
    published_at: int
    active_from: int
    retiring_from: int | None = None
    retired_from: int | None = None
    periods: Periods = USUAL_PERIODS
    certificates: tuple[bytes, ...] = ()

    def state(self, now: float) -> KeyState:
        """Where the key stands at this time."""
        if self.retired_from is not None and now >= self.retired_from:
            return KeyState.RETIRED
        if self.retiring_from is not None and now >= self.retiring_from:
            return KeyState.RETIRING
        return KeyState.ACTIVE if now >= self.active_from else KeyState.UPCOMING

    def stops(self, at: int) -> SigningKey:
        """This key, signing until `at`; gone when the last token it can have signed has ended."""
        ends = max(at + self.periods.rest_seconds, self.retired_from or 0)
        return replace(self, retiring_from=at, retired_from=ends)

    def goes_on(self) -> SigningKey:
        """This key, with no end."""
        return replace(self, retiring_from=None, retired_from=None)

    def is_same(self, other: SigningKey) -> bool:
        """Whether a token cannot tell one from the other."""
        return (self.key.thumbprint(), self.key.kid, self.alg) == (other.key.thumbprint(), other.key.kid, other.alg)


Life = tuple[SigningKey, ...]


@dataclass(frozen=True, slots=True)
class Timetable:
    """The instants of one rotation: the new key is shown, it signs instead of `former`, `former` is shown no longer."""

    former: str | None
    published_at: int
    takes_over_at: int
    leaves_at: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What a name's keys are made for: the algorithm, how long each signs (None: until told), and the periods."""

    alg: str
    rotate_seconds: int | None
    periods: Periods


def signing_at(life: Life, now: float) -> SigningKey | None:
    """The key to sign with at this time.

    An upcoming key stands before no active one only when the clock was set back; it has been published then.
    """
    states = [(held.state(now), held) for held in life]
    for wanted in (KeyState.ACTIVE, KeyState.UPCOMING):
        found = next((held for state, held in states if state is wanted), None)
        if found is not None:
            return found
    return None


def with_first(key: Key, alg: str, *, now: int, periods: Periods) -> Life:
    """The life of a name that had none: its key is active at once, since nothing else could sign."""
    return (SigningKey(key, alg, now, now, periods=periods),)


def with_successor(life: Life, key: Key, alg: str, *, now: int, periods: Periods, not_before: int = 0) -> Life:
    """The life after `key` was made to follow the last one, as soon as it may or at `not_before` if that is later."""
    last = last_of(life)
    takes_over = max(now + last.periods.lead_seconds, not_before)
    successor = SigningKey(key, alg, now, takes_over, periods=periods)
    return (*_without(life, last), last.stops(takes_over), successor)


def plan_rotation(life: Life, now: int) -> Timetable:
    """When everything would happen if a successor were made now."""
    last = last_of(life)
    takes_over = now + last.periods.lead_seconds
    return Timetable(last.key.kid, now, takes_over, takes_over + last.periods.rest_seconds)


def pending_rotation(life: Life, now: float) -> Timetable | None:
    """The rotation under way whose new key does not sign yet."""
    for held in life:
        for follower in life:
            if held.retired_from is not None and now < follower.active_from == held.retiring_from:
                return Timetable(held.key.kid, follower.published_at, follower.active_from, held.retired_from)
    return None


def scheduled_at(life: Life, rule: Rule) -> int | None:
    """When the next successor is due to be published."""
    if rule.rotate_seconds is None or not goes_on(life):
        return None
    last = last_of(life)
    return last.active_from + rule.rotate_seconds - last.periods.lead_seconds


def advanced(life: Life, rule: Rule, *, now: int, make: Callable[[str], Key]) -> Life:
    """The life with every step taken that is due now. `make` is called at most once, for a key that is needed."""
    life = _kept(life, rule.periods, now)
    if not goes_on(life):
        return _begun(life, rule, now=now, make=make)
    last, pending, due = last_of(life), pending_rotation(life, now), scheduled_at(life, rule)
    follow = partial(with_successor, now=now, periods=rule.periods)
    if last.alg != rule.alg and pending is None:
        return follow(life, make(rule.alg), rule.alg)
    # A successor is not withdrawn when somebody may sign with it before everybody knows.
    if last.alg != rule.alg and pending is not None and pending.takes_over_at - now > SPREAD_SECONDS:
        return advanced(_withdrawn(life, last), rule, now=now, make=make)
    if pending is None and due is not None and now >= due:
        return follow(life, make(rule.alg), rule.alg, not_before=last.active_from + (rule.rotate_seconds or 0))
    return life


def stopped(life: Life, now: int) -> Life:
    """The life of a name nothing signs with any longer."""
    kept: list[SigningKey] = []
    for held in _kept(life, Periods(0, 0), now):
        state = held.state(now)
        if state is KeyState.UPCOMING and held.published_at <= now:
            continue
        ended = state in (KeyState.RETIRING, KeyState.RETIRED)
        kept.append(held if ended else held.stops(max(now, held.active_from)))
    return tuple(kept)


def with_given(life: Life, given: Sequence[Key], rule: Rule, *, now: int) -> Life:
    """The life after somebody else's keys were read; the first of `given` is the one to sign with.

    It signs once it was published long enough, while the key that signs now is still given, and at once if that is
    not. A key that was replaced under its own `kid` is forgotten: two keys cannot be shown under one name.
    """
    chosen = SigningKey(given[0], rule.alg, now, now, periods=rule.periods)
    life = _kept(life, rule.periods, now)
    rest = tuple(held for held in life if not held.is_same(chosen) and not _is_displaced(held, given))
    mine = next((held for held in life if held.is_same(chosen)), None)
    former = _still_given(rest, given, now)
    state = KeyState.RETIRED if mine is None else mine.state(now)
    if mine is not None and state is not KeyState.RETIRED:
        chosen = replace(mine.goes_on(), key=given[0])
    if former is None or state in (KeyState.ACTIVE, KeyState.RETIRING):
        return (*stopped(rest, now), replace(chosen, active_from=min(chosen.active_from, now)))
    if state is KeyState.RETIRED:
        chosen = replace(chosen, active_from=now + former.periods.lead_seconds)
    past = stopped(tuple(held for held in rest if not held.is_same(former)), now)
    return (*past, former.goes_on().stops(chosen.active_from), chosen)


def _still_given(life: Life, given: Sequence[Key], now: int) -> SigningKey | None:
    """The key that signs now, if it may go on."""
    for held in life:
        for key in given:
            same = (key.thumbprint(), key.kid) == (held.key.thumbprint(), held.key.kid)
            if same and key.signs(held.alg) and held.state(now) is KeyState.ACTIVE:
                return replace(held, key=key.bound_to(held.alg))
    return None


def _is_displaced(held: SigningKey, given: Sequence[Key]) -> bool:
    return any(key.kid == held.key.kid and key.thumbprint() != held.key.thumbprint() for key in given)


def goes_on(life: Life) -> bool:
    """Whether some key has no end."""
    return any(held.retiring_from is None for held in life)


def last_of(life: Life) -> SigningKey:
    """The key nothing follows yet."""
    return next(held for held in life if held.retiring_from is None)


def _kept(life: Life, periods: Periods, now: int) -> Life:
    """The life under a document with these periods, without what may be forgotten."""
    kept = (held for held in life if held.retired_from is None or now < held.retired_from + FORGET_SECONDS)
    return tuple(_under(held, periods, now) for held in kept)


def _under(held: SigningKey, periods: Periods, now: int) -> SigningKey:
    """This key, which may sign under a document with these periods from now on."""
    longer = held.periods.widened(periods)
    if longer == held.periods or held.state(now) in (KeyState.RETIRING, KeyState.RETIRED):
        return held
    held = replace(held, periods=longer)
    return held if held.retiring_from is None else held.stops(held.retiring_from)


def _begun(life: Life, rule: Rule, *, now: int, make: Callable[[str], Key]) -> Life:
    """The life of a name that signs again: with its last key, if that is still published, or with a new one."""
    for held in reversed(life):
        if held.key.signs(rule.alg) and held.state(now) is not KeyState.RETIRED:
            return (*_without(life, held), held.goes_on())
    return (*life, *with_first(make(rule.alg), rule.alg, now=now, periods=rule.periods))


def _withdrawn(life: Life, last: SigningKey) -> Life:
    """The life without its last key, which has not begun."""
    return tuple(held.goes_on() if held.retiring_from == last.active_from else held for held in _without(life, last))


def _without(life: Life, one: SigningKey) -> Life:
    return tuple(held for held in life if held is not one)
