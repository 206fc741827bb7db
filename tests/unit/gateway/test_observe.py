"""The counters, and their text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.gateway.parts import Gate, a_generation, a_plan, a_request

from jwtgate.gateway.observe import (
    BUCKET_SECONDS,
    ConsumerCount,
    Counters,
    IntrospectionReport,
    IssuerReport,
    Report,
    SecretStoreReport,
    SigningReport,
    metrics_text,
)
from jwtgate.gateway.upstreams.counts import TargetCount, UpstreamCount


def test_requests_are_counted_by_route_status_and_reason() -> None:
    counters = Counters()
    counters.count("orders", 200, "", seconds=0.001)
    counters.count("orders", 200, "", seconds=0.0011)
    counters.count("", 404, "route_unknown", seconds=99)
    assert counters.requests.keys() == {("orders", 200, ""), ("", 404, "route_unknown")}
    times = counters.requests["orders", 200, ""]
    assert list(times[:3]) == [1, 1, 0]
    assert times[-1] == pytest.approx(0.0021)
    assert list(counters.requests["", 404, "route_unknown"][len(BUCKET_SECONDS) :]) == [1, 99]


def test_counters_of_workers_add_up() -> None:
    one, two = (
        Counters(connections=1, connections_open=2),
        Counters(connections=10, connections_open=20, log_lines_lost=3),
    )
    for counters in (one, two):
        counters.count("orders", 200, "", seconds=0.5)
    two.count("open", 200, "", seconds=0.5)
    one.cache_entries, two.cache_entries = {"callers": 1}, {"callers": 2, "answer_heads": 3}
    two.cache_evictions = {"callers": 4}
    one.add(two)
    assert one.cache_entries == {"callers": 3, "answer_heads": 3}
    assert one.cache_evictions == {"callers": 4}
    assert {key: sum(times[:-1]) for key, times in one.requests.items()} == {
        ("orders", 200, ""): 2,
        ("open", 200, ""): 1,
    }
    assert (one.connections, one.connections_open, one.log_lines_lost) == (11, 22, 3)
    assert one.requests["orders", 200, ""][-1] == 1.0
    assert two.requests["orders", 200, ""][-1] == 0.5


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(report: Report) -> Samples:
    """The samples a scrape of this report finds, by name and labels."""
    families = text_string_to_metric_families(metrics_text(report).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_sec_145_metrics_are_read_by_prometheus_and_labelled_by_our_own_words() -> None:
    counters = Counters(
        remembered_hits=5, connections_open=2, cache_entries={"callers": 8}, cache_evictions={"callers": 9}
    )
    counters.count("orders", 200, "", seconds=0.02)
    counters.count("orders", 200, "", seconds=0.3)
    counters.count("orders", 401, "token_expired", seconds=99)
    issuer = IssuerReport(
        "main", keys=2, age_seconds=1.5, stale=False, fetches=3, failures={"timeout": 1}, skipped_keys=4
    )
    samples = samples_of(Report(counters, 7, ready=True, workers=2, worker_restarts=1, issuers=(issuer,)))
    orders, main = ("route", "orders"), (("issuer", "main"),)
    assert samples["jwtgate_requests_total", (("reason", ""), orders, ("status", "200"))] == 2
    assert samples["jwtgate_requests_total", (("reason", "token_expired"), orders, ("status", "401"))] == 1
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in samples.items()
        if name == "jwtgate_request_seconds_bucket"
    }
    assert [buckets[le] for le in ("0.01", "0.025", "0.25", "0.5", "10.0", "+Inf")] == [0, 1, 1, 2, 2, 3]
    assert samples["jwtgate_request_seconds_count", (orders,)] == 3
    assert samples["jwtgate_request_seconds_sum", (orders,)] == pytest.approx(99.32)
    assert samples["jwtgate_remembered_hits_total", ()] == 5
    assert samples["jwtgate_connections_open", ()] == 2
    caches = [samples[f"jwtgate_cache_{name}", (("cache", "callers"),)] for name in ("entries", "evictions_total")]
    assert caches == [8, 9]
    assert [samples[f"jwtgate_{name}", ()] for name in ("generation", "ready", "degraded", "workers")] == [7, 1, 0, 2]
    assert samples["jwtgate_worker_restarts_total", ()] == 1
    assert samples["jwtgate_store_away", ()] == 0
    assert samples_of(Report(counters, 7, ready=True, store_away=True))["jwtgate_store_away", ()] == 1
    assert [samples[f"jwtgate_key_set_{name}", main] for name in ("keys", "age_seconds", "stale", "skipped_keys")] == [
        2,
        1.5,
        0,
        4,
    ]
    assert samples["jwtgate_key_set_fetches_total", main] == 3
    assert samples["jwtgate_key_set_failures_total", (("cause", "timeout"), *main)] == 1
    labels = {name for _, labels in samples for name, _ in labels}
    assert labels == {"route", "status", "reason", "issuer", "cause", "cache", "le"}


def test_rel_39_every_dependency_has_metrics_labelled_by_names_of_the_document() -> None:
    report = Report(
        Counters(),
        1,
        ready=True,
        introspections=(IntrospectionReport("main", True, 7, {"timeout": 5}, 3, 11, 2, "timeout", 9),),
        secret_stores=(SecretStoreReport("vault", 2, 1, None, True),),
        signing=(SigningReport("internal", 2, 60.5, stale=True), SigningReport("mac", 0, None)),
        consumers=(ConsumerCount("document", 4), ConsumerCount("store", 9)),
    )
    samples = samples_of(report)
    told = {name.removeprefix("jwtgate_"): value for (name, labels), value in samples.items() if labels}
    assert {name: value for name, value in told.items() if name.startswith("introspection_")} == {
        "introspection_left_alone": 1,
        "introspection_remembered": 3,
        "introspection_calls_total": 7,
        "introspection_failures_total": 5,
        "introspection_from_memory_total": 11,
        "introspection_stood_in_total": 2,
        "introspection_evicted_total": 9,
    }
    assert {name: value for name, value in told.items() if name.startswith("secret_store_")} == {
        "secret_store_values": 2,
        "secret_store_missing": 1,
        "secret_store_stale": 1,
    }
    assert [samples["jwtgate_signing_keys_count", (("keys", name),)] for name in ("internal", "mac")] == [2, 0]
    assert samples["jwtgate_signing_keys_age_seconds", (("keys", "internal"),)] == 60.5
    assert [samples["jwtgate_signing_keys_stale", (("keys", name),)] for name in ("internal", "mac")] == [1, 0]
    assert ("jwtgate_signing_keys_age_seconds", (("keys", "mac"),)) not in samples
    assert samples["jwtgate_consumers_count", (("origin", "store"),)] == 9
    assert {labels for _, labels in samples if labels} == {
        (("issuer", "main"),),
        (("cause", "timeout"), ("issuer", "main")),
        (("keys", "internal"),),
        (("keys", "mac"),),
        (("store", "vault"),),
        (("origin", "document"),),
        (("origin", "store"),),
    }


def test_rel_39_every_upstream_and_target_has_metrics_labelled_by_names_of_the_document() -> None:
    counters = Counters(
        upstreams=(UpstreamCount("echo", usable=2, breaker_open=1, refused=3, retries=4, retries_not_made=5),)
    )
    counters.add(Counters(upstreams=(TargetCount("echo", "a:1", up=1, ejected=1, connections=7, failures=9),)))
    counters.add(Counters(upstreams=(TargetCount("echo", "a:1", up=1, requests_in_flight=2, times_out=1),)))
    samples = samples_of(Report(counters, 1, ready=True))
    upstream, target = (("upstream", "echo"),), (("target", "a:1"), ("upstream", "echo"))
    assert {name: value for (name, labels), value in samples.items() if labels == upstream} == {
        "jwtgate_upstream_usable": 2,
        "jwtgate_upstream_breaker_open": 1,
        "jwtgate_upstream_refused_total": 3,
        "jwtgate_upstream_retries_total": 4,
        "jwtgate_upstream_retries_not_made_total": 5,
    }
    assert {name: value for (name, labels), value in samples.items() if labels == target} == {
        "jwtgate_target_up": 2,
        "jwtgate_target_down": 0,
        "jwtgate_target_resting": 0,
        "jwtgate_target_ejected": 1,
        "jwtgate_target_connections": 7,
        "jwtgate_target_requests_in_flight": 2,
        "jwtgate_target_name_stale": 0,
        "jwtgate_target_failures_total": 9,
        "jwtgate_target_times_out_total": 1,
    }


def test_an_age_nobody_knows_is_left_out() -> None:
    never = IssuerReport("main", keys=0, age_seconds=None, stale=True, fetches=0, failures={"refused": 2})
    report = Report(Counters(), 1, ready=False, issuers=(never,))
    names = {name for name, _ in samples_of(report)}
    assert "jwtgate_key_set_stale" in names
    assert "jwtgate_key_set_age_seconds" not in names
    assert samples_of(replace(report, degraded=True))["jwtgate_degraded", ()] == 1


def test_a_name_of_the_document_is_escaped() -> None:
    counters = Counters()
    counters.count('a"b\\c\n', 200, "", seconds=0.1)
    assert ("jwtgate_request_seconds_count", (("route", 'a"b\\c\n'),)) in samples_of(Report(counters, 1, ready=True))


def test_sec_145_a_request_that_fits_no_route_has_no_label_of_its_own() -> None:
    gate = Gate(a_generation(a_plan()))
    gate.send(a_request(start=b"GET /nowhere-in-particular"))
    counters = Counters()
    for exchange in gate.desk.done:
        counters.count(exchange.route.name if exchange.route else "", exchange.status, exchange.reason, seconds=0.1)
    assert b"particular" not in metrics_text(Report(counters, 1, ready=True))
