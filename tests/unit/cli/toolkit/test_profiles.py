from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jwtgate.cli.toolkit.keys import sign
from jwtgate.control.state_folder import DATABASE
from jwtgate.errors import TokenRefused
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys.keyring import Keyring, sealer_of
from jwtgate.state.stores.sqlite import SqliteStore

MASTER = "a master key of more than thirty-two bytes"
SECRET = "a secret of more than thirty-two bytes"
PAIR = generate_key("RS256", kid="file-key")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A document with a profile for each way a signing key is kept."""
    (tmp_path / "key.pem").write_text(PAIR.to_private_pem())
    (tmp_path / "key.pem").chmod(0o600)
    profile = {"audience": "https://partner.example", "ttl_seconds": 600, "type": "partner+jwt"}
    text = {
        "listen": "127.0.0.1:8080",
        "signing": {
            "issuer": "https://gate.example",
            "keys": {
                "default": {"alg": "ES256"},
                "file": {"alg": "RS256", "file": str(tmp_path / "key.pem")},
                "shared": {"alg": "HS256", "secret": SECRET},
            },
            "profiles": {
                "partner": {**profile, "key": "default", "claims": {"tier": "gold"}, "headers": {"cty": "text"}},
                "file": {**profile, "key": "file"},
                "shared": {**profile, "key": "shared"},
            },
        },
        "upstreams": {"echo": {"targets": ["http://127.0.0.1:9020"]}},
        "routes": {"all": {"path": "/*", "auth": "none", "upstream": "echo"}},
    }
    path = tmp_path / "gate.json"
    path.write_text(json.dumps(text))
    return path


def keyring(folder: Path, master_key: str | None = None) -> Key:
    """The key of a gateway that was started with its state in this folder."""
    store = SqliteStore(folder / DATABASE)
    try:
        kept = Keyring.open(store, wall=time.time, sealer=sealer_of(master_key) if master_key else None)
        kept.ensure(SigningKeys("default", "ES256"))
        return kept.signer("default").key
    finally:
        store.close()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(sign, list(map(str, arguments)))


def token(key: Key, alg: str, *arguments: str | Path) -> VerifiedToken:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return UnverifiedToken.parse(result.stdout.strip()).verify((key,), {alg})


def mistake(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 2
    return result.stderr


def lives(claims: Mapping[str, Any]) -> int:
    return int(claims["exp"] - claims["iat"])


def test_a_token_is_signed_with_the_keys_of_the_gateway(document: Path, tmp_path: Path) -> None:
    key = keyring(tmp_path)
    asked = (
        "--config",
        document,
        "--profile",
        "partner",
        "--state",
        tmp_path,
        "--claim",
        "sub=ada",
        "--claim",
        "tier=x",
    )
    signed = token(key.public(), "ES256", *asked)
    assert signed.header == {"alg": "ES256", "kid": key.kid, "typ": "partner+jwt", "cty": "text"}
    assert (signed.claims["iss"], signed.claims["aud"]) == ("https://gate.example", "https://partner.example")
    assert (signed.claims["sub"], signed.claims["tier"], lives(signed.claims)) == ("ada", "gold", 600)
    assert lives(token(key.public(), "ES256", *asked, "--ttl", "60").claims) == 60
    assert lives(token(key.public(), "ES256", *asked, "--ttl", "900").claims) == 600


def test_sealed_keys_open_with_the_master_key_of_the_document(document: Path, tmp_path: Path) -> None:
    key = keyring(tmp_path, MASTER)
    asked = ("--config", document, "--profile", "partner", "--state", tmp_path)
    assert "sealed" in mistake(*asked)
    text = json.loads(document.read_text())
    text["signing"]["master_key"] = MASTER
    document.write_text(json.dumps(text))
    assert token(key.public(), "ES256", *asked).kid == key.kid


def test_a_key_of_a_file_or_a_secret_needs_no_gateway(document: Path) -> None:
    of_file = token(PAIR.public(), "RS256", "--config", document, "--profile", "file")
    assert of_file.kid == PAIR.thumbprint()
    secret = Key.secret(SECRET.encode(), alg="HS256")
    assert token(secret, "HS256", "--config", document, "--profile", "shared").typ == "partner+jwt"
    with pytest.raises(TokenRefused):
        token(generate_key("RS256").public(), "RS256", "--config", document, "--profile", "file")


def test_another_key_may_take_the_place_of_the_gateways(document: Path, key_file: Path, key: Key) -> None:
    signed = token(key.public(), "ES256", "--config", document, "--profile", "partner", "--key", key_file)
    assert signed.kid == key.kid


def test_a_profile_nobody_described_is_a_mistake_that_lists_the_others(document: Path, key_file: Path) -> None:
    told = mistake("--config", document, "--profile", "none", "--key", key_file)
    assert "has no signing profile 'none'; it has partner, file, shared" in told


def test_the_place_of_the_key_must_be_said(document: Path, tmp_path: Path) -> None:
    assert "add --state" in mistake("--config", document, "--profile", "partner")
    empty = tmp_path / "empty"
    assert "no state folder" in mistake("--config", document, "--profile", "partner", "--state", empty)


def test_a_state_folder_without_the_key_is_a_mistake(document: Path, tmp_path: Path) -> None:
    SqliteStore(tmp_path / DATABASE).close()
    told = mistake("--config", document, "--profile", "partner", "--state", tmp_path)
    assert "cannot sign under the profile 'partner'" in told


def test_a_key_that_does_not_fit_the_profile_is_a_mistake(document: Path, key_file: Path) -> None:
    assert "cannot sign" in mistake("--config", document, "--profile", "file", "--key", key_file)


def test_what_the_profile_says_cannot_be_said_beside_it(document: Path, key_file: Path) -> None:
    asked = ("--config", document, "--profile", "partner", "--key", key_file)
    for option in ("--alg", "--kid", "--typ", "--issuer", "--audience"):
        assert "The profile says" in mistake(*asked, option, "x")


def test_a_document_and_a_profile_go_together(document: Path, key_file: Path) -> None:
    for asked in ((), ("--config", document), ("--profile", "partner", "--key", key_file)):
        assert "Name either a --key, or --config and --profile" in mistake(*asked)
