"""What requests learn while the key set of an issuer comes, stays and goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token

from .background_server import BackgroundServer, QuietHandler
from .rig import Client, Gateway, Upstream, document, request, until

RSA, UNNAMED = generate_key("RS256", kid="k1"), generate_key("ES256").with_kid(None)


def entry(key: Key, **more: object) -> dict[str, object]:
    """The public JWK, without its algorithm."""
    return {**{name: value for name, value in key.public().to_jwk().items() if name != "alg"}, **more}


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: _Issuer

    def do_GET(self) -> None:
        self.server.probes.append(self.headers["x-probe"])
        self.answer(self.server.status, json_bytes({"keys": self.server.keys}))


class _Issuer(BackgroundServer):
    """Publishes a key for signatures, one that does not say so, and one without a name."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.keys = [entry(RSA, use="sig"), entry(UNNAMED, use="sig"), entry(generate_key("ES256", kid="k2"))]
        self.status = 200
        self.probes: list[str | None] = []


@contextmanager
def gateway(issuer: _Issuer, **changes: Any) -> Iterator[tuple[Gateway, Client]]:
    section = {
        "issuer": None,
        "iss_not_looked_at_for_legacy_issuer": True,
        "audience": "any",
        "algorithms": ["RS256", "RS384", "ES256"],
        "exp_optional_for_legacy_tokens": True,
        "keys": {"jwks": None, "url": issuer.url, "headers": {"X-Probe": "1"}},
        "keys_by_kid_alone": True,
        "keys_must_say_use": True,
        "keys_without_alg_serve_every_algorithm": True,
        "keys_fetched_for_unknown_kid": False,
        **changes,
    }
    with (
        Upstream() as upstream,
        Gateway(document(upstream.url, issuers={"main": section}, routes={"orders": {"issue": None}})) as made,
        Client(made.port) as client,
    ):
        yield made, client


def status(client: Client, key: Key = RSA, *, alg: str = "RS256", kid: str | None = "k1") -> int:
    signing = Key.from_jwk({**key.to_private_jwk(), "alg": alg}).with_kid(kid)
    return client.ask(request("/orders/1", bearer=sign_token({"sub": "a"}, signing, alg=alg))).status


def test_a_token_fits_keys_of_its_kid_that_are_for_signatures_and_no_others() -> None:
    with _Issuer() as issuer, gateway(issuer) as (made, client):
        assert [status(client, alg=alg) for alg in ("RS256", "RS384", "RS512")] == [200, 200, 401]
        assert status(client, UNNAMED, alg="ES256", kid=None) == 200
        assert [status(client, kid=kid) for kid in (None, "other")] == [401, 401]
        assert status(client, UNNAMED, alg="ES256", kid="k2") == 401
        assert [line["reason"] for line in made.log(7)][2:] == ["alg_not_allowed", "", *["key_unknown"] * 3]
        assert issuer.probes == ["1"]


def test_a_set_that_never_came_is_a_fault_that_tells_the_status() -> None:
    with _Issuer() as issuer:
        issuer.status = 404
        with gateway(issuer) as (made, client):
            assert status(client) == 503
            assert len(issuer.probes) == 3  # the request waited for the first fetches
            assert made.log()[0]["detail"] == {"issuer": "main", "cause": "status_404", "status": 404}


def test_an_issuer_that_comes_a_moment_later_costs_nobody_a_request() -> None:
    with _Issuer() as issuer:
        issuer.status = 500
        with gateway(issuer) as (_, client):
            issuer.status = 200
            assert status(client) == 200


def test_a_set_is_used_until_it_is_stale_and_dropped_then() -> None:
    with _Issuer() as issuer, gateway(issuer, refresh_seconds=1, max_stale_seconds=0) as (made, client):
        assert status(client) == 200
        issuer.status = 500
        until(lambda: status(client) == 503)
        until(lambda: any(line["status"] == 503 for line in made.log()))
        told = [line["detail"] for line in made.log() if line["status"] == 503]
        assert told[0] == {"issuer": "main", "cause": "status_500", "status": 500}
        issuer.status = 200
        until(lambda: status(client) == 200)
