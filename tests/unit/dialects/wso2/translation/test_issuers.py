from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import draft

from jwtgate.dialects.wso2.translation.issuers import OPAQUE_ISSUER, consumer_claims, issuers
from jwtgate.errors import ConfigError
from jwtgate.jose.key import generate_key

RSA = generate_key("RS256").public().to_pem()
EC = generate_key("ES384").public().to_pem()


def made(folder: Path, **issuer: Any) -> dict[str, Any]:
    found = issuers(draft(folder, issuers=[{"name": "https://i", **issuer}]))
    assert found.pop(OPAQUE_ISSUER) == {"consumers": {"api_key": True}, "audience": "any"}
    (section,) = found.values()
    assert (section["issuer"], section["audience"]) == ("https://i", "any")
    return section


@pytest.mark.parametrize("jwks", ["https://i/k", {"url": "https://i/k"}])
def test_keys_are_fetched(tmp_path: Path, jwks: object) -> None:
    section = made(tmp_path, jwks=jwks)
    assert section["keys"] == {"url": "https://i/k"}
    assert section["algorithms"] == ["RS256", "ES256", "ES384", "ES512"]
    assert made(tmp_path, jwks=jwks, algorithms=["PS256"])["algorithms"] == ["PS256"]
    assert "insecure_http" not in section


@pytest.mark.parametrize(
    ("url", "insecure"),
    [
        ("http://127.0.0.1:1/k", False),
        ("http://a.localhost/k", False),
        ("http://10.0.0.1/k", True),
        ("http://i/k", True),
    ],
)
def test_without_tls_only_from_this_machine_unless_that_is_said(tmp_path: Path, url: str, insecure: bool) -> None:
    assert made(tmp_path, jwks={"url": url}).get("insecure_http", False) is insecure


@pytest.mark.parametrize(("pem", "algorithms"), [(RSA, ["RS256"]), (EC, ["ES384"])])
def test_a_key_that_stands_there_is_for_what_it_fits(tmp_path: Path, pem: str, algorithms: list[str]) -> None:
    section = made(tmp_path, certificate=pem)
    assert (section["keys"], section["algorithms"]) == ({"pem": pem}, algorithms)
    (tmp_path / "i.pem").write_text(pem)
    assert made(tmp_path, certificate="i.pem") == section


def test_a_set_may_stand_there(tmp_path: Path) -> None:
    assert made(tmp_path, jwks={"keys": []})["keys"] == {"jwks": {"keys": []}}


def test_what_is_no_key_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"records\.json: issuers/https://i/certificate: cannot be read"):
        made(tmp_path, certificate="-----BEGIN NOTHING")
    twice = [{"name": "a", "jwks": "https://x"}, {"name": "a", "jwks": "https://y"}]
    with pytest.raises(ConfigError, match="stands there twice"):
        issuers(draft(tmp_path, issuers=twice))


def test_claims_that_hold_the_consumer_key_are_tried_in_order(tmp_path: Path) -> None:
    assert consumer_claims(draft(tmp_path)) == [["consumerKey"], ["azp"]]
    named = [{"name": "i", "jwks": "https://x", "consumer_key_claim": name} for name in ("aud", "azp")]
    named[1]["name"] = "j"
    assert consumer_claims(draft(tmp_path, issuers=named)) == [["aud"], ["aud", 0], ["azp"], ["consumerKey"]]


def test_an_address_of_keys_is_one(tmp_path: Path) -> None:
    for jwks in ("http://[::1", {"url": "http://[::1"}):
        with pytest.raises(ConfigError, match=r"records\.json: issuers/https://i/jwks: is no address"):
            made(tmp_path, jwks=jwks)
