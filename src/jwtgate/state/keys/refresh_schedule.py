"""When one key source is fetched again: in time, after a failure, and for the sake of an unknown kid.

Pure arithmetic on instants of a monotonic clock, in seconds; the caller says what happened and when. A
`Cache-Control` of the source is not looked at: `refresh_seconds` is what the operator decided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from jwtgate.policy.sources import KeySource

MOST_BACK_OFF_SECONDS = 300.0
# Without a usable set requests fail, so an issuer that is back must be noticed within five seconds.
MOST_WAIT_WITHOUT_KEYS_SECONDS = 4.0
MOST_UNKNOWN_KIDS = 1024
UNKNOWN_KID_SECONDS = 300.0
# One forced fetch each interval is the budget; a client that may cause one in four intervals has a quarter.
CLIENT_INTERVALS = 4
# Whoever has had its share still has a new key found: the next fetch in turn is then no later than this part of an
# interval after the last one. Others, who have a share left, come before that.
HASTENED_INTERVALS = 1.1


class RefreshSchedule:
    """The times of one source. `jitter` gives numbers from 0 to 1, so that many nodes do not ask as one."""

    def __init__(self, source: KeySource, jitter: Callable[[], float], *, now: float) -> None:
        self._source = source
        self._jitter = jitter
        self._forced: deque[tuple[float, str]] = deque(maxlen=CLIENT_INTERVALS)
        self._unknown: dict[str | None, float] = {}
        self._fetched_at: float | None = None
        self.due = now
        self.failures = 0

    def succeeded(self, now: float) -> None:
        """A usable set was fetched; the next fetch comes well before this set has had its time, or just then."""
        self.failures = 0
        self._fetched_at = now
        share = 0.75 + 0.15 * self._jitter() if self._source.refreshed_early else 1.0
        self._wait(now, self._source.refresh_seconds * share)

    def failed(self, now: float) -> None:
        """A fetch failed: try again after 1, 2, 4 … seconds, at most five minutes or the usual interval."""
        self.failures += 1
        most = min(MOST_BACK_OFF_SECONDS, self._source.refresh_seconds)
        if not self.is_usable(now):
            most = min(MOST_WAIT_WITHOUT_KEYS_SECONDS, most)
        self._wait(now, min(2.0 ** min(self.failures - 1, 16), most) * (0.5 + 0.5 * self._jitter()))

    def restored(self, now: float, age_seconds: float) -> None:
        """A set of this age was found on disk. It may be used, and is fetched again at once."""
        self._fetched_at = now - age_seconds

    def take_over(self, other: RefreshSchedule) -> None:
        """Go on where the schedule of the same source in another generation stands."""
        self._forced = other._forced.copy()
        self._unknown = other._unknown.copy()
        self._fetched_at = other._fetched_at
        self.due = other.due
        self.failures = other.failures

    def age_seconds(self, now: float) -> float | None:
        """How old the held set is; None when there never was one."""
        return None if self._fetched_at is None else now - self._fetched_at

    def is_usable(self, now: float) -> bool:
        """Whether the held set may still be used."""
        return self._fetched_at is not None and now - self._fetched_at < self._source.max_stale_seconds

    def may_force(self, kid: str | None, client: str, *, now: float) -> bool:
        """Whether a fetch out of turn is worth it, for a kid this client asks for and the set lacks.

        A client without an address is not limited to its share, since nobody can be told from anybody.
        """
        return not self.is_unknown(kid, now) and self.may_spend(client, now=now)

    def may_spend(self, client: str, *, now: float) -> bool:
        """Whether the budget has a fetch out of turn left for this client, and there is a set it could better."""
        if not self.is_usable(now) or now < self._next_forced():
            return False
        since = now - CLIENT_INTERVALS * self._source.least_interval_seconds
        return not client or all(at <= since for at, caused_by in self._forced if caused_by == client)

    def forced(self, client: str, now: float) -> None:
        """A fetch out of turn begins."""
        self._forced.append((now, client))

    def hasten(self, kid: str | None, now: float) -> bool:
        """Have the next fetch in turn come early, for a kid that no fetch out of turn is had for; whether it does.

        So no flood keeps a new key out for long, though it uses up the share of its client (REL-61).
        """
        if self._fetched_at is None or self.failures or self.is_unknown(kid, now):
            return False
        early = max(now, self._fetched_at + HASTENED_INTERVALS * self._source.least_interval_seconds)
        hastened = early < self.due
        self.due = min(self.due, early)
        return hastened

    def remember_unknown(self, kid: str | None, now: float) -> None:
        """A fetch succeeded and this kid was not in it."""
        self._unknown.pop(kid, None)
        self._unknown[kid] = now + UNKNOWN_KID_SECONDS
        if len(self._unknown) > MOST_UNKNOWN_KIDS:
            del self._unknown[next(iter(self._unknown))]

    def is_unknown(self, kid: str | None, now: float) -> bool:
        """Whether this kid was missing from a set fetched not long ago."""
        return now < self._unknown.get(kid, now)

    def quiet_seconds(self, kid: str | None, now: float) -> float:
        """How long asking for this kid again changes nothing.

        Zero while fetches fail, since then nobody knows whether it exists, unless it was missing before.
        """
        unknown = self._unknown.get(kid, now) - now
        forced = self._next_forced() - now if not self.failures and self.is_usable(now) else 0.0
        return max(0.0, unknown, forced)

    def spent_seconds(self, now: float) -> float:
        """How long the budget has no fetch out of turn left for anybody."""
        return max(0.0, self._next_forced() - now)

    def _next_forced(self) -> float:
        return self._forced[-1][0] + self._source.least_interval_seconds if self._forced else 0.0

    def _wait(self, now: float, seconds: float) -> None:
        self.due = now + seconds
        # The last moment of a set is a moment to try once more, and to drop it if that fails.
        if self._fetched_at is not None and self.is_usable(now):
            self.due = min(self.due, self._fetched_at + self._source.max_stale_seconds)
