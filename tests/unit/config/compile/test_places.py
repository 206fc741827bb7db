"""Where we are administered and where secrets are kept, as the plan has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.policy.plan import Plan
from jwtgate.policy.sources import Administration, Operator, SecretStore

Compile = Callable[[dict[str, Any]], Plan]

HASH = "0123456789abcdef" * 4


def test_operators_are_known_by_a_token_or_a_certificate(plan: Compile) -> None:
    admin = {
        "listen": "0.0.0.0:1",
        "operators": {"alice": {"token_sha256": HASH}, "bob": {"certificate": "CN=bob", "may_write": False}},
        "tls": {"certificate": "c.pem", "private_key": "k.pem", "client_ca": "ca.pem"},
        "page": False,
    }
    assert plan({"admin": admin}).sources.administration == Administration(
        host="0.0.0.0",
        port=1,
        operators=(Operator("alice", HASH), Operator("bob", None, "CN=bob", may_write=False)),
        certificate_file="/etc/gate/c.pem",
        private_key_file="/etc/gate/k.pem",
        client_ca_file="/etc/gate/ca.pem",
        page=False,
    )
    local = plan({"admin": {"operators": {"alice": {"token_sha256": HASH}}}}).sources.administration
    assert local == Administration("127.0.0.1", 9901, (Operator("alice", HASH),))
    assert plan({}).sources.administration is None


def test_a_secret_store_has_its_settings_with_their_defaults(plan: Compile) -> None:
    approle = {"role_id": "r", "secret_id": "${env:S}"}
    stores = {
        "kv": {"vault": {"address": "https://v.example", "auth": {"approle": approle}}, "max_stale_seconds": 60.0},
        "cloud": {"gcp": {"project": "p", "credentials_file": "sa.json"}},
    }
    assert plan({"secret_stores": stores}).sources.secret_stores == (
        SecretStore(
            "kv",
            "vault",
            {
                "address": "https://v.example",
                "mount": "secret",
                "version": 2,
                "insecure_http": False,
                "auth": {"approle": {**approle, "mount": "approle"}},
            },
            max_stale_seconds=60.0,
        ),
        SecretStore("cloud", "gcp", {"project": "p", "credentials_file": "/etc/gate/sa.json"}),
    )


def test_a_secret_store_that_may_be_away_is_kept_as_such(plan: Compile) -> None:
    stores = {"cloud": {"gcp": {"project": "p"}, "may_be_away": True}}
    assert plan({"secret_stores": stores}).sources.secret_stores[0].may_be_away
