"""Whom the gateway trusts when it fetches keys over TLS, and what it shows of itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import CERTS, Neighbours, token
from tests.integration.test_tls import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def issuer(authority: Authority) -> Iterator[Neighbours]:
    """An issuer that gives its keys to those only who show a certificate of the authority."""
    context = authority.server("localhost", address="127.0.0.1")
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    with Neighbours(context) as neighbours:
        yield neighbours


def _demo(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.post("/services", "name=demo", f"url={neighbours.url}")
    assert kong.post("/services/demo/routes", "paths[]=/demo").status == 201


def test_keys_are_fetched_with_a_certificate(
    authority: Authority, issuer: Neighbours, neighbours: Neighbours, tmp_path: Path
) -> None:
    environ = {"KONG_LUA_SSL_TRUSTED_CERTIFICATE": str(authority.file)}
    cert, key = (Path(each).read_text() for each in authority.issue("gate"))
    with KongProcess(tmp_path, environ=environ) as kong:
        _demo(kong, neighbours)
        plugin = kong.signer(f"config.access_token_jwks_uri={issuer.url}{CERTS}")
        assert kong.get(bearer=token()).status in (401, 500)
        assert issuer.fetched == []
        made = kong.send("POST", "/certificates", {"cert": cert, "key": key})
        assert made.status == 201, made
        shown = {"access_token_jwks_uri_client_certificate": {"id": made.value["id"]}}
        assert kong.send("PATCH", f"/plugins/{plugin['id']}", {"config": shown}).status == 200
        assert kong.get(bearer=token()).status == 200
        refused = kong.send("DELETE", f"/certificates/{made.value['id']}")
        assert (refused.status, refused.value["code"]) == (400, 19)


def test_an_issuer_nobody_vouches_for_is_not_believed_even_where_that_is_asked_for(
    authority: Authority, neighbours: Neighbours, tmp_path: Path
) -> None:
    context = authority.server("localhost", address="127.0.0.1")
    with Neighbours(context) as unknown, KongProcess(tmp_path) as kong:
        _demo(kong, neighbours)
        for verify in ("true", "false"):
            plugin = kong.signer(
                f"config.access_token_jwks_uri={unknown.url}{CERTS}",
                f"config.access_token_endpoints_ssl_verify={verify}",
            )
            assert kong.get(bearer=token()).status in (401, 500)
            kong.send("DELETE", f"/plugins/{plugin['id']}")
        assert unknown.fetched == []
