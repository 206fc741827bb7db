"""What is counted, and its text for Prometheus.

Labels come from the document and the catalogue of reasons, never from a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add
from typing import TypeAlias

from jwtgate.gateway.upstreams.counts import Count, TargetCount, UpstreamCount, added

Times: TypeAlias = list[float]
"""One count a bucket, one for what is slower, and the sum of seconds at the end."""

BUCKET_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Counters:
    """What one worker has counted since it started. They add up over workers, dead ones included.

    `requests`: by route, status and reason (empty when allowed).
    """

    requests: dict[tuple[str, int, str], Times] = field(default_factory=dict)
    remembered_hits: int = 0
    remembered_evictions: int = 0
    connections: int = 0
    connections_refused: int = 0
    overloads: int = 0
    log_lines_lost: int = 0
    connections_open: int = 0
    requests_in_flight: int = 0
    overloaded: int = 0
    remembered_entries: int = 0
    rate_limit_evictions: int = 0
    rate_limit_entries: int = 0
    proof_evictions: int = 0
    proof_entries: int = 0
    cache_entries: dict[str, int] = field(default_factory=dict)
    cache_evictions: dict[str, int] = field(default_factory=dict)
    upstreams: tuple[Count, ...] = ()

    def count(self, route: str, status: int, reason: str, *, seconds: float) -> None:
        """Count one finished request."""
        key = (route, status, reason)
        times = self.requests.get(key)
        if times is None:
            times = self.requests[key] = list(_NO_TIMES)
        times[bisect_left(BUCKET_SECONDS, seconds)] += 1
        times[-1] += seconds

    def add(self, other: Counters) -> None:
        """Add what another worker has counted."""
        for key, times in other.requests.items():
            self.requests[key] = _added(self.requests.get(key, _NO_TIMES), times)
        for name in _PLAIN_COUNTERS + GAUGES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, others in ((self.cache_entries, other.cache_entries), (self.cache_evictions, other.cache_evictions)):
            for name, number in others.items():
                mine[name] = mine.get(name, 0) + number
        self.upstreams = added(self.upstreams, other.upstreams)


def _added(one: Times, other: Times) -> Times:
    return list(map(add, one, other))


_NO_TIMES = [0.0] * (len(BUCKET_SECONDS) + 2)
_PLAIN_COUNTERS = (
    "remembered_hits",
    "remembered_evictions",
    "rate_limit_evictions",
    "proof_evictions",
    "connections",
    "connections_refused",
    "overloads",
    "log_lines_lost",
)
GAUGES = (
    "connections_open",
    "requests_in_flight",
    "overloaded",
    "remembered_entries",
    "rate_limit_entries",
    "proof_entries",
)


Causes = Mapping[str, int]
"""How often something went wrong, by a word for why."""


@dataclass(frozen=True, slots=True)
class IssuerReport:
    """How the key set of one issuer is doing. `age_seconds` is None while there has never been one.

    `failures` counts fetches that failed, by cause; `last_failure` is empty when the last one did not.
    """

    issuer: str
    keys: int
    age_seconds: float | None
    stale: bool
    fetches: int
    failures: Causes = field(default_factory=dict)
    skipped_keys: int = 0
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class IntrospectionReport:
    """How asking one issuer about tokens goes. `left_alone`: it failed so often that it is not asked for a while.

    `failures` counts by cause, `stood_in` remembered answers that stood in for a failed call.
    """

    issuer: str
    left_alone: bool
    calls: int
    failures: Causes
    remembered: int
    from_memory: int
    stood_in: int
    last_failure: str = ""
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class SecretStoreReport:
    """How one secret store is doing. `age_seconds`: of the oldest value held, None while there is none.

    `stale`: something of it could not be read when it was to be read; `missing` counts what has no value, or none
    that is young enough.
    """

    store: str
    values: int
    missing: int
    age_seconds: float | None
    stale: bool
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class SigningReport:
    """The keys of one name that we sign with: those that will sign, sign, or have signed tokens that are alive.

    `age_seconds`: how long the one that signs now has done so; None for a secret, and while none can sign. `stale`:
    they come from somewhere else, and could not be read again in time.
    """

    keys: str
    count: int
    age_seconds: float | None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class ConsumerCount:
    """How many consumers the document has, or the store."""

    origin: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a whole node: what /metrics and /readyz tell. `consumers` is empty when nobody can be found."""

    counters: Counters
    generation: int
    ready: bool
    degraded: bool = False
    workers: int = 1
    worker_restarts: int = 0
    crash_looping: bool = False
    state_saved: bool = True
    store_away: bool = False
    reload_failures: int = 0
    issuers: tuple[IssuerReport, ...] = ()
    introspections: tuple[IntrospectionReport, ...] = ()
    secret_stores: tuple[SecretStoreReport, ...] = ()
    signing: tuple[SigningReport, ...] = ()
    consumers: tuple[ConsumerCount, ...] = ()


def metrics_text(report: Report) -> bytes:
    """The report in the text format of Prometheus."""
    # Imported when first asked for: a worker that nobody scrapes does without it.
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(report))  # type: ignore[arg-type] # a collector is anything with `collect`
    return bytes(generate_latest(registry))


class _Families:
    """A report as metric families."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterator[object]:
        yield from self._requests()
        yield from self._plain()
        yield from self._caches()
        report = self._report
        yield from _labelled("key_set", "issuer", _OF_KEY_SETS, report.issuers)
        yield from _labelled("introspection", "issuer", _OF_INTROSPECTIONS, report.introspections)
        yield from _labelled("secret_store", "store", _OF_SECRET_STORES, report.secret_stores)
        yield from _labelled("signing_keys", "keys", _OF_SIGNING_KEYS, report.signing)
        yield from _labelled("consumers", "origin", _OF_CONSUMERS, report.consumers)
        counts = report.counters.upstreams
        yield from _labelled(
            "upstream", "upstream", _OF_UPSTREAMS, [each for each in counts if isinstance(each, UpstreamCount)]
        )
        yield from _of_targets([each for each in counts if isinstance(each, TargetCount)])

    def _requests(self) -> Iterator[object]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily("jwtgate_requests", "Requests answered.", labels=["route", "status", "reason"])
        by_route: dict[str, Times] = {}
        for (route, status, reason), times in self._report.counters.requests.items():
            requests.add_metric([route, str(status), reason], sum(times[:-1]))
            by_route[route] = _added(by_route.get(route, _NO_TIMES), times)
        yield requests
        seconds = HistogramMetricFamily("jwtgate_request_seconds", "Time from head to answer.", labels=["route"])
        limits = (*map(str, BUCKET_SECONDS), "+Inf")
        for route, times in by_route.items():
            seconds.add_metric([route], list(zip(limits, accumulate(times[:-1]), strict=True)), times[-1])
        yield seconds

    def _caches(self) -> Iterator[object]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counters = self._report.counters
        entries = GaugeMetricFamily("jwtgate_cache_entries", "What is remembered.", labels=["cache"])
        evictions = CounterMetricFamily("jwtgate_cache_evictions", "Let go of for want of room.", labels=["cache"])
        for family, numbers in ((entries, counters.cache_entries), (evictions, counters.cache_evictions)):
            for cache, number in numbers.items():
                family.add_metric([cache], number)
            yield family

    def _plain(self) -> Iterator[object]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counters = self._report.counters
        for name in _PLAIN_COUNTERS:
            yield CounterMetricFamily(f"jwtgate_{name}", name.replace("_", " "), value=getattr(counters, name))
        for name in GAUGES:
            yield GaugeMetricFamily(f"jwtgate_{name}", name.replace("_", " "), value=getattr(counters, name))
        report = self._report
        yield GaugeMetricFamily("jwtgate_generation", "Number of the running generation.", value=report.generation)
        yield GaugeMetricFamily("jwtgate_ready", "1 when requests can be served.", value=report.ready)
        yield GaugeMetricFamily("jwtgate_degraded", "1 when something needed later is missing.", value=report.degraded)
        yield GaugeMetricFamily("jwtgate_workers", "Workers alive.", value=report.workers)
        yield CounterMetricFamily("jwtgate_worker_restarts", "Workers replaced.", value=report.worker_restarts)
        saved = "0 while what is to be on disk cannot be written."
        yield GaugeMetricFamily("jwtgate_state_saved", saved, value=report.state_saved)
        away = "1 while the store cannot be read or written."
        yield GaugeMetricFamily("jwtgate_store_away", away, value=report.store_away)
        yield GaugeMetricFamily("jwtgate_crash_looping", "1 while workers die young.", value=report.crash_looping)
        yield CounterMetricFamily("jwtgate_reload_failures", "Documents refused.", value=report.reload_failures)


@dataclass(frozen=True, slots=True)
class _Told:
    """A member of a report as a metric; `counts` is true of what only ever grows, `by` labels what is counted apart."""

    member: str
    text: str
    counts: bool = False
    by: str = ""


_OF_KEY_SETS = (
    _Told("keys", "Usable keys."),
    _Told("age_seconds", "Age of the key set."),
    _Told("stale", "1 when the set is older than it should be."),
    _Told("skipped_keys", "Keys of the set that cannot be used."),
    _Told("fetches", "Key sets fetched.", counts=True),
    _Told("failures", "Fetches that failed.", counts=True, by="cause"),
)
_OF_INTROSPECTIONS = (
    _Told("left_alone", "1 while the endpoint is not asked, for it failed."),
    _Told("remembered", "Answers remembered."),
    _Told("calls", "Calls of the endpoint.", counts=True),
    _Told("failures", "Calls that failed, or were not made.", counts=True, by="cause"),
    _Told("from_memory", "Tokens known from a remembered answer.", counts=True),
    _Told("stood_in", "Remembered answers that stood in for a failed call.", counts=True),
    _Told("evicted", "Remembered answers that were let go of for want of room.", counts=True),
)
_OF_SECRET_STORES = (
    _Told("values", "Values held."),
    _Told("missing", "Values that are needed and not held."),
    _Told("age_seconds", "Age of the oldest value."),
    _Told("stale", "1 when a value could not be read again in time."),
)
_OF_SIGNING_KEYS = (
    _Told("count", "Keys that sign, will sign, or have signed tokens that are alive."),
    _Told("age_seconds", "How long the key that signs now has done so."),
    _Told("stale", "1 when keys from somewhere else could not be read again in time."),
)
_OF_UPSTREAMS = (
    _Told("usable", "Workers that find a target to be asked."),
    _Told("breaker_open", "Workers that refuse requests, for the upstream has as many as it may."),
    _Told("refused", "Requests refused, for the upstream had as many as it may.", counts=True),
    _Told("retries", "Requests tried again.", counts=True),
    _Told("retries_not_made", "Requests not tried again, for too many others were.", counts=True),
)
_OF_TARGETS = (
    _Told("up", "Workers that find it well."),
    _Told("down", "Workers whose checks find it bad."),
    _Told("resting", "Workers that could not connect to it."),
    _Told("ejected", "Workers that leave it out for its answers."),
    _Told("connections", "Connections to it."),
    _Told("requests_in_flight", "Requests it has not answered to the end."),
    _Told("name_stale", "Workers that could not look its name up again."),
    _Told("failures", "Requests without an answer, or with one that counts as failed.", counts=True),
    _Told("times_out", "Times it was left out.", counts=True),
)
_OF_CONSUMERS = (_Told("count", "Consumers known."),)


def _labelled(prefix: str, label: str, told: Iterable[_Told], reports: Iterable[object]) -> Iterator[object]:
    """A family for each of these members, with a sample for each report. What a report does not know is left out."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for each in told:
        kind = CounterMetricFamily if each.counts else GaugeMetricFamily
        family = kind(f"jwtgate_{prefix}_{each.member}", each.text, labels=[label, each.by] if each.by else [label])
        for report in reports:
            value = getattr(report, each.member)
            if each.by:
                for cause, number in value.items():
                    family.add_metric([getattr(report, label), cause], number)
            elif value is not None:
                family.add_metric([getattr(report, label)], value)
        yield family


def _of_targets(counts: Iterable[TargetCount]) -> Iterator[object]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for each in _OF_TARGETS:
        kind = CounterMetricFamily if each.counts else GaugeMetricFamily
        family = kind(f"jwtgate_target_{each.member}", each.text, labels=["upstream", "target"])
        for count in counts:
            family.add_metric([count.upstream, count.target], getattr(count, each.member))
        yield family
