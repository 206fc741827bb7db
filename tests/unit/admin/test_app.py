"""The Admin API as one application."""

from __future__ import annotations

from tests.unit.admin.conftest import Client


def test_an_operator_makes_reads_and_deletes_a_route(client: Client) -> None:
    made = client.ask("PUT", "/v1/routes/orders", {"path": "/orders"})
    assert (made.status, made.fields["etag"]) == (200, '"1"')
    assert client.ask("GET", "/v1/routes/orders").json["value"] == {"path": "/orders"}
    assert client.ask("DELETE", "/v1/routes/orders").status == 204
    assert client.ask("GET", "/v1/routes/orders").status == 404
