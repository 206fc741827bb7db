"""The whole way with an issuer nobody here wrote: a certified OpenID provider signs, the gateway discovers its keys,
checks and signs anew, and an upstream that trusts only the gateway's JWK Set verifies what it gets with joserfc."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from .gateway_process import GatewayProcess
from .identity_provider import AUDIENCE_ES256, CLIENT_ID, IdentityProvider, missing, new_key_set

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

EXAMPLE = Path(__file__).parents[2] / "examples/openid-provider.yaml"


class _TrustingOnlyTheGateway(BaseHTTPRequestHandler):
    """Answers 200 with the claims of a bearer token that the gateway's own keys verify, and 401 to all else."""

    server: "Upstream"

    def do_GET(self) -> None:
        try:
            token = self.headers["Authorization"].removeprefix("Bearer ")
            verified = jwt.decode(token, self.server.gateway_keys(), algorithms=["ES256"])
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": "https://gateway.example"},
                aud={"essential": True, "value": "https://orders.internal"},
                exp={"essential": True},
            ).validate(verified.claims)
        except Exception as error:
            self._answer(401, {"error": repr(error)})
            return
        self._answer(200, {"header": verified.header, "claims": verified.claims})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Upstream(ThreadingHTTPServer):
    """An upstream that fetches the gateway's JWK Set for each request it verifies."""

    daemon_threads = True
    gateway_address = ""

    def gateway_keys(self) -> KeySet:
        with urllib.request.urlopen(f"{self.gateway_address}/.well-known/jwks.json", timeout=30) as answer:
            return KeySet.import_key_set(json.load(answer))


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    with IdentityProvider(tmp_path, new_key_set("first")) as running:
        yield running


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(("127.0.0.1", 0), _TrustingOnlyTheGateway) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway(tmp_path: Path, provider: IdentityProvider, upstream: Upstream) -> Iterator[GatewayProcess]:
    document = EXAMPLE.read_text().replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:8081", "127.0.0.1:0")
    environ = {"ISSUER": provider.issuer, "UPSTREAM": f"http://127.0.0.1:{upstream.server_port}"}
    with GatewayProcess(tmp_path, document, environ=environ) as running:
        upstream.gateway_address = f"http://127.0.0.1:{running.ports[0]}"
        yield running


def test_a_token_of_the_provider_becomes_one_the_upstream_can_verify(
    gateway: GatewayProcess, provider: IdentityProvider
) -> None:
    status, body = gateway.get("/orders/42", token=provider.token("orders:read"))
    assert status == 200, body
    seen = json.loads(body)
    assert seen["claims"]["client_id"] == CLIENT_ID
    assert seen["claims"]["scope"] == "orders:read"
    assert seen["claims"]["aud"] == "https://orders.internal"
    assert seen["header"]["alg"] == "ES256"
    assert provider.jwks_requests() == 1


@pytest.mark.parametrize(
    ("scope", "audience", "status"),
    [("orders:write", "https://orders.example", 403), ("orders:read", AUDIENCE_ES256, 401)],
)
def test_what_the_route_did_not_ask_for_is_refused(
    gateway: GatewayProcess, provider: IdentityProvider, scope: str, audience: str, status: int
) -> None:
    assert gateway.get("/orders/42", token=provider.token(scope, audience))[0] == status


def test_the_providers_own_token_is_not_one_the_upstream_takes(upstream: Upstream, gateway: GatewayProcess) -> None:
    """The upstream refuses what did not come through the gateway, so its 200 above means something."""
    request = urllib.request.Request(f"http://127.0.0.1:{upstream.server_port}/orders/42")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    refused.value.close()
    assert refused.value.code == 401


def test_rel_60_a_key_rotation_of_the_provider_costs_exactly_one_fetch_and_no_request(
    gateway: GatewayProcess, provider: IdentityProvider
) -> None:
    old = provider.token()
    assert gateway.get("/orders/1", token=old)[0] == 200
    provider.restart(new_key_set("second"))
    before = provider.jwks_requests()
    tokens = [provider.token() for _ in range(8)]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: statuses.append(gateway.get("/orders/1", token=one)[0]))
        for one in tokens
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert provider.jwks_requests() == before + 1
    # The old key is gone from the set, so its token is too, although it has not expired.
    assert gateway.get("/orders/1", token=old)[0] == 401
    assert provider.jwks_requests() == before + 1
