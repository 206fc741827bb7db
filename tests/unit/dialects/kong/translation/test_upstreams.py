from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.kong.kong_yml import not_exact, refused, service, translate
from tests.unit.dialects.kong.test_complaints import CERTIFICATE

TLS = "https://127.0.0.1:9"


def served(more: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    data = service(**(more or {}))
    data["services"][0] |= changed
    return data


def upstream(more: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    (found,) = translate(served(more, **changed)).document["upstreams"].values()
    return dict(found)


def test_a_service_is_an_upstream_with_its_time_limits() -> None:
    assert upstream(retries=7, connect_timeout=1500, read_timeout=2500) == {
        "targets": ["http://127.0.0.1:9"],
        "connect_seconds": 1.5,
        "first_byte_seconds": 2.5,
        "idle_seconds": 2.5,
        "retries": 7,
        "x_real_ip": True,
        "forwarded_port": True,
        "forwarded_path": True,
    }


def test_the_host_of_the_client_may_be_kept() -> None:
    routes = [{"name": "a", "paths": ["/a"]}, {"name": "b", "paths": ["/b"], "preserve_host": True}]
    upstreams = translate(served(routes=routes)).document["upstreams"]
    assert {name: section.get("preserve_host") for name, section in upstreams.items()} == {
        "s": None,
        "s/preserving-host": True,
    }


def test_more_retries_than_we_make_are_told() -> None:
    translation = translate(served(retries=99, write_timeout=5))
    assert translation.document["upstreams"]["s"]["retries"] == 32
    assert not_exact(translation).keys() == {"services/s/retries", "services/s/write_timeout"}


POOL = {"name": "pool", "targets": [{"target": "127.0.0.1:1", "weight": 10}, {"target": "b.c"}], "slots": 100}


def test_a_host_may_be_an_upstream_of_kongs() -> None:
    section = upstream({"upstreams": [POOL]}, url="http://pool")
    assert section["targets"] == [
        {"url": "http://127.0.0.1:1", "weight": 10},
        {"url": "http://b.c:8000", "weight": 100},
    ]
    assert section["host"] == "pool"
    assert upstream({"upstreams": [{**POOL, "host_header": "x.y"}]}, url="http://pool")["host"] == "x.y"
    kept = translate(
        served({"upstreams": [POOL]}, url="http://pool", routes=[{"paths": ["/a"], "preserve_host": True}])
    )
    assert "host" not in kept.document["upstreams"]["s/preserving-host"]
    assert not_exact(kept).keys() == {"upstreams/pool/slots"}


@pytest.mark.parametrize(
    ("said", "balancing", "notes"),
    [
        ({}, {}, set()),
        ({"algorithm": "least-connections"}, {"balance": "least_requests"}, set()),
        ({"algorithm": "latency"}, {}, {"algorithm"}),
        ({"hash_on": "ip"}, {}, set()),
        (
            {"algorithm": "consistent-hashing", "hash_on": "ip"},
            {"balance": "consistent_hash", "hash_by": "client"},
            set(),
        ),
        (
            {"algorithm": "consistent-hashing", "hash_on": "consumer", "hash_fallback": "ip"},
            {"balance": "consistent_hash", "hash_by": "consumer"},
            set(),
        ),
        (
            {"algorithm": "consistent-hashing", "hash_on": "header", "hash_on_header": "X-User"},
            {"balance": "consistent_hash", "hash_by": {"header": "X-User"}},
            {"hash_fallback"},
        ),
        ({"algorithm": "consistent-hashing", "hash_on": "header"}, {}, {"hash_on"}),
        ({"algorithm": "consistent-hashing", "hash_on": "header", "hash_on_header": "a b"}, {}, {"hash_on"}),
        ({"algorithm": "consistent-hashing", "hash_on": "cookie", "hash_on_cookie": "a"}, {}, {"hash_on"}),
        ({"algorithm": "consistent-hashing"}, {}, {"hash_on"}),
        ({"healthchecks": {"active": {}}}, {}, {"healthchecks"}),
    ],
)
def test_targets_are_chosen_as_kong_does_where_that_can_be_had(
    said: dict[str, Any], balancing: dict[str, Any], notes: set[str]
) -> None:
    pool = {"name": "pool", "targets": POOL["targets"], **said}
    translation = translate(served({"upstreams": [pool]}, url="http://pool"))
    section = translation.document["upstreams"]["s"]
    assert {name: section[name] for name in ("balance", "hash_by") if name in section} == balancing
    assert not_exact(translation).keys() == {f"upstreams/pool/{name}" for name in notes}


def test_an_upstream_without_targets_fails_its_requests() -> None:
    translation = translate(served({"upstreams": [{"name": "pool"}]}, url="http://pool"))
    assert "upstreams/pool" in not_exact(translation)


def test_what_only_tls_has_is_told() -> None:
    deep = translate(served(url=TLS, tls_verify=True, tls_verify_depth=2))
    assert not_exact(deep).keys() == {"services/s/tls_verify_depth"}
    assert not_exact(translate(served(url=TLS, tls_verify=False))).keys() == {"services/s/tls_verify"}
    assert not_exact(translate(served(url=TLS, tls_verify=True))) == {}


def test_certificates_to_trust_become_a_file() -> None:
    id_ = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    authority = {"ca_certificates": [{"id": id_, "cert": CERTIFICATE}]}
    section = upstream(authority, url=TLS, tls_verify=True, ca_certificates=[id_])
    assert Path(section["ca_file"]).read_text() == CERTIFICATE
    assert refused(translate(served(url=TLS, ca_certificates=[id_]))) == {"services/s/ca_certificates"}


def test_what_is_neither_http_nor_https_is_refused() -> None:
    assert refused(translate(served(url="grpc://127.0.0.1:9"))) == {"services/s/protocol"}


def test_no_service_is_taken_for_another() -> None:
    kept = {"paths": ["/a"], "preserve_host": True}
    services = [
        {"name": "s-preserving-host", "url": "http://127.0.0.1:1", "routes": [{"paths": ["/b"]}]},
        {"name": "s", "url": "http://127.0.0.1:2", "routes": [kept]},
    ]
    document = translate({"services": services}).document
    targets = {document["upstreams"][route["upstream"]]["targets"][0] for route in document["routes"].values()}
    assert targets == {"http://127.0.0.1:1", "http://127.0.0.1:2"}
