"""Lines of the access log in the shape the document gives them, over sockets and by several workers' rules."""

from __future__ import annotations

from typing import Any

from .rig import Client, gateway_and_upstream, request, token

SHAPE = {
    "members": {
        "timestamp": "time",
        "type": {"constant": "access"},
        "uid": "id",
        "request": {"method": "method", "path": "path", "proto": "scheme", "host": "host"},
        "url": "url",
        "response": {"status": "status"},
        "took": "ms",
        "who": {"issuer": "issuer", "client": "client"},
    },
    "refused": {"level": "error", "asked": {"request": "path"}},
    "custom": "custom",
}
LOG = {"log": {"sub": {"claim": "sub"}, "nested": {"constant": {"a": 1, "b": [True]}}}}
ANSWERS = {"answers": {"credential_missing": {"status": 418, "log": {"nested": {"constant": {"a": 2}}, "x": "y"}}}}


def test_lines_have_the_documents_shape_and_those_of_refusals_more() -> None:
    changes: dict[str, Any] = {"access_log": SHAPE, "routes": {"orders": {**LOG, **ANSWERS}}}
    with gateway_and_upstream(**changes) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(request("/orders/1?secret=s3cret", bearer=token())).status == 200
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        assert client.ask(request("/orders/2")).status == 418
        assert client.ask(request("/nowhere?secret=s3cret")).status == 404
        allowed, remembered, refused, unknown = gateway.log(4)
        assert b"s3cret" not in gateway.raw_log()
        assert list(allowed) == [*SHAPE["members"], "custom"]
        assert allowed["request"] == {"method": "GET", "path": "/orders/1", "proto": "http", "host": "gate.example"}
        assert allowed["url"] == "http://gate.example/orders/1"
        assert (allowed["response"], allowed["who"]) == ({"status": 200}, {"issuer": "main", "client": "127.0.0.1"})
        assert allowed["custom"] == remembered["custom"] == {"sub": "alice", "nested": {"a": 1, "b": [True]}}
        assert refused["custom"] == {"nested": {"a": 2, "b": [True]}, "x": "y"}
        assert (refused["level"], refused["asked"], refused["response"]) == ("error", "/orders/2", {"status": 418})
        assert (unknown["level"], unknown["asked"], "custom" in unknown) == ("error", "/nowhere", False)


def test_a_fault_of_the_upstream_is_told_with_what_is_known_of_the_caller() -> None:
    shape = {"members": {"status": "status"}, "refused": {"why": "none", "path": {"request": "path"}}}
    gone = {"gone": {"targets": ["http://127.0.0.1:9"]}}
    changes: dict[str, Any] = {
        "access_log": shape,
        "upstreams": gone,
        "routes": {"orders": {**LOG, "upstream": "gone"}},
    }
    with gateway_and_upstream(**changes) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(request("/orders/1", bearer=token())).status == 502
        (line,) = gateway.log()
        assert (line["status"], line["why"], line["path"]) == (502, "none", "/orders/1")
        assert line["log"] == {"sub": "alice", "nested": {"a": 1, "b": [True]}}
        assert line["detail"]["target"] == "127.0.0.1:9"
