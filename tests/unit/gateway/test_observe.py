"""The access log, the counters, and their text."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.gateway.messages import pieces_of
from tests.unit.gateway.parts import OK, TOKEN, Gate, a_generation, a_plan, a_request, a_token, an_order

from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.observe import (
    BUCKET_SECONDS,
    AccessLog,
    ConsumerCount,
    Counters,
    IntrospectionReport,
    IssuerReport,
    Report,
    SecretStoreReport,
    metrics_text,
)

MEMBERS = [
    "time",
    "id",
    "route",
    "method",
    "path",
    "status",
    "reason",
    "issuer",
    "consumer",
    "client",
    "ms",
    "generation",
]


def lines_of(*exchanges: Exchange) -> bytes:
    """What the log holds after these exchanges."""
    reader, writer = os.pipe()
    log = AccessLog(writer)
    for exchange in exchanges:
        log.line(exchange, exchange.route.name if exchange.route else "", 0.0125)
    log.close()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def logged(gate: Gate) -> list[dict[str, Any]]:
    """The lines of every exchange of this connection, each a JSON object."""
    return [json.loads(line) for line in lines_of(*gate.desk.done).splitlines()]


def test_a_line_says_who_asked_for_what_and_how_it_ended() -> None:
    gate = Gate(a_generation(number=4))
    gate.send(an_order(start=b"PUT /orders/1?secret=1")).answer(OK)
    (line,) = logged(gate)
    assert list(line) == MEMBERS
    assert line.pop("time").endswith("Z")
    assert line == {
        "id": "0000000000000001",
        "route": "orders",
        "method": "PUT",
        "path": "/orders/1",
        "status": 200,
        "reason": "",
        "issuer": "main",
        "consumer": "",
        "client": "192.0.2.7",
        "ms": 12.5,
        "generation": 4,
    }


@pytest.mark.parametrize(
    "target",
    [
        b"/open/%22%2C%22status%22%3A200",
        b"/open/%C3%A4%F0%9F%92%A9",
        b"/open/%1B%5B31m",
        b"/open/%0D%0Ax",
        b'/open/"',
        b"/open/%E2%80%A8",
        b"/open/" + b"x" * 5000,
        b"http://other.example/",
        b"/open/\\",
    ],
)
def test_sec_144_a_hostile_path_stays_one_line_of_ascii(target: bytes) -> None:
    gate = Gate()
    gate.send(a_request(start=b"GET " + target))
    if not gate.desk.done:
        gate.answer(OK)
    raw = lines_of(*gate.desk.done)
    assert raw.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in raw[:-1])
    assert len(raw) < 1500
    assert len(json.loads(raw)["path"]) <= 1024


def test_sec_144_no_line_holds_a_token_a_query_or_a_cookie() -> None:
    gate = Gate()
    wrong = a_token(aud="somebody-else")
    fields = (b"Cookie: session=c00kie", b"X-Token: t0ken", b"User-Agent: agent-7")
    gate.send(an_order(*fields, start=b"GET /orders/1?access_token=qu3ry")).answer(OK)
    gate.send(an_order(*fields, token=wrong, start=b"GET /orders/1?access_token=qu3ry"))
    gate.send(a_request(*fields, start=b"GET /nowhere?access_token=qu3ry"))
    gate.send(a_request(*fields, b"Bad Name: n0nsense"))
    raw = lines_of(*gate.desk.done).decode()
    assert [json.loads(line)["status"] for line in raw.splitlines()] == [200, 401, 404, 400]
    for secret in ("c00kie", "t0ken", "agent-7", "qu3ry", "n0nsense", *TOKEN.split("."), *wrong.split(".")):
        assert secret not in raw


@settings(max_examples=40)
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=2))
def test_sec_144_whatever_comes_every_line_is_json(data: bytes, cuts: list[int]) -> None:
    gate = Gate(GENERATION)
    gate.send(*pieces_of(b"GET /open/" + data + b" HTTP/1.1\r\nHost: a\r\n\r\n", cuts))
    gate.transport.abort()
    gate.settle()
    lines = logged(gate)
    assert lines
    assert all(line["status"] in (400, 404, 499, 501) for line in lines)


GENERATION = a_generation()


def test_a_slow_reader_loses_lines_and_they_are_counted() -> None:
    gate = Gate()
    gate.send(a_request()).answer(OK)
    reader, writer = os.pipe()
    log = AccessLog(writer)
    log.flush()
    line = len(lines_of(*gate.desk.done))
    in_a_block = 70_000 // line  # more than a pipe takes, so that the thread waits in the first of them
    blocks = log.MOST_PENDING_BLOCKS + 3
    for _ in range(blocks):
        for _ in range(in_a_block):
            log.line(gate.desk.done[0], "open", 0.0)
        log.flush()
    assert log.lost
    assert log.lost % in_a_block == 0
    os.close(reader)
    log.close()
    os.close(writer)


def test_a_reader_that_is_gone_stops_nothing() -> None:
    gate = Gate()
    gate.send(a_request()).answer(OK)
    reader, writer = os.pipe()
    os.close(reader)
    log = AccessLog(writer)
    log.line(gate.desk.done[0], "open", 0.0)
    log.close()
    os.close(writer)
    assert log.lost == 0


def test_requests_are_counted_by_route_status_and_reason() -> None:
    counters = Counters()
    counters.count("orders", 200, "", seconds=0.001)
    counters.count("orders", 200, "", seconds=0.0011)
    counters.count("", 404, "route_unknown", seconds=99)
    assert counters.requests == {("orders", 200, ""): 2, ("", 404, "route_unknown"): 1}
    assert counters.seconds["orders"][:3] == [1, 1, 0]
    assert counters.seconds["orders"][-1] == pytest.approx(0.0021)
    assert counters.seconds[""][len(BUCKET_SECONDS) :] == [1, 99]


def test_counters_of_workers_add_up() -> None:
    one, two = (
        Counters(connections=1, connections_open=2),
        Counters(connections=10, connections_open=20, log_lines_lost=3),
    )
    for counters in (one, two):
        counters.count("orders", 200, "", seconds=0.5)
    two.count("open", 200, "", seconds=0.5)
    one.add(two)
    assert one.requests == {("orders", 200, ""): 2, ("open", 200, ""): 1}
    assert (one.connections, one.connections_open, one.log_lines_lost) == (11, 22, 3)
    assert one.seconds["orders"][-1] == 1.0
    assert two.requests[("orders", 200, "")] == 1


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
    counters = Counters(remembered_hits=5, connections_open=2)
    counters.count("orders", 200, "", seconds=0.02)
    counters.count("orders", 200, "", seconds=0.3)
    counters.count("orders", 401, "token_expired", seconds=99)
    issuer = IssuerReport("main", keys=2, age_seconds=1.5, stale=False, fetches=3, failures=1, skipped_keys=4)
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
    assert [samples[f"jwtgate_{name}", ()] for name in ("generation", "ready", "degraded", "workers")] == [7, 1, 0, 2]
    assert samples["jwtgate_worker_restarts_total", ()] == 1
    assert [samples[f"jwtgate_key_set_{name}", main] for name in ("keys", "age_seconds", "stale", "skipped_keys")] == [
        2,
        1.5,
        0,
        4,
    ]
    assert [samples[f"jwtgate_key_set_{name}_total", main] for name in ("fetches", "failures")] == [3, 1]
    labels = {name for _, labels in samples for name, _ in labels}
    assert labels == {"route", "status", "reason", "issuer", "le"}


def test_rel_39_every_dependency_has_metrics_labelled_by_names_of_the_document() -> None:
    report = Report(
        Counters(),
        1,
        ready=True,
        introspections=(IntrospectionReport("main", True, 7, 5, 3, 11, 2, "timeout"),),
        secret_stores=(SecretStoreReport("vault", 2, 1, None, True),),
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
    }
    assert {name: value for name, value in told.items() if name.startswith("secret_store_")} == {
        "secret_store_values": 2,
        "secret_store_missing": 1,
        "secret_store_stale": 1,
    }
    assert samples["jwtgate_consumers_count", (("origin", "store"),)] == 9
    assert {labels for _, labels in samples if labels} == {
        (("issuer", "main"),),
        (("store", "vault"),),
        (("origin", "document"),),
        (("origin", "store"),),
    }


def test_an_age_nobody_knows_is_left_out() -> None:
    never = IssuerReport("main", keys=0, age_seconds=None, stale=True, fetches=0, failures=2)
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
