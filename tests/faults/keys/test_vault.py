"""A Vault that is sealed, denies, forgets leases and logins, is slow, and has a new version of a secret."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.keys.neighbours import AUDIENCE, Neighbours
from tests.integration.gateway_process import GatewayProcess
from tests.integration.vault_server import AppRole, VaultModel, VaultServer

PADDING = "a text that is the same for all and longer than 32 bytes: "
FAILS = "the secret store {} cannot be read: {}"
WORKS = "the secret store {} can be read again"
SLOW, SEALED, DENIED = (
    "it did not answer in time",
    "it is sealed or down for maintenance",
    "it does not let us read this",
)


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with VaultServer(VaultModel()) as running:
        running.model.approles = [AppRole("gateway", "s")]
        yield running


def document(around: Neighbours, vault: VaultServer) -> str:
    """A gateway with two partners: the key of one stands in Vault, the other's is lent by it."""
    login = {"address": vault.url, "auth": {"approle": {"role_id": "gateway", "secret_id": "${env:SECRET_ID}"}}}
    stores = {"vault": login, "lent": {**login, "mount": "database", "version": 1}}
    keys = {"jack": "${vault:partners/jack#secret}", "ann": f"{PADDING}${{lent:creds/orders#password}}"}
    return json.dumps(
        {
            "listen": ["127.0.0.1:0"],
            "status_listen": "127.0.0.1:0",
            "secret_stores": {name: {"refresh_seconds": 1, "vault": store} for name, store in stores.items()},
            "issuers": {"partners": {"audience": AUDIENCE, "consumers": {"claim": "iss"}}},
            "consumers": {
                name: {"credentials": {f"{name}-key": {"alg": "HS256", "secret": secret}}}
                for name, secret in keys.items()
            },
            "upstreams": {"echo": {"targets": [around.upstream]}},
            "routes": {
                "orders": {"path": "/orders/*", "auth": "required", "issuers": ["partners"], "upstream": "echo"}
            },
        }
    )


def token(name: str, secret: str) -> str:
    """A token of this partner."""
    claims = {"iss": f"{name}-key", "aud": AUDIENCE, "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def test_rel_84_the_last_value_serves_whatever_becomes_of_vault(
    full: bool, tmp_path: Path, around: Neighbours, vault: VaultServer
) -> None:
    seconds, amount = (20.0, 2_000) if full else (1.0, 200)
    old, new = "the secret that jack has until today", "the secret that jack has from now on"
    vault.model.put("partners/jack", secret=old)
    model = vault.model

    def sealed(broken: bool) -> None:
        model.sealed = broken

    def denied(broken: bool) -> None:
        model.forbidden = (
            {"secret/data/partners/jack", "sys/leases/renew", "database/creds/orders"} if broken else set()
        )

    def slow(broken: bool) -> None:
        (vault.answers.clear if broken else vault.answers.set)()

    with GatewayProcess(tmp_path, document(around, vault), environ={"SECRET_ID": "s"}) as gateway:

        def passes(which: str) -> Callable[[], bool]:
            return lambda: gateway.get("/orders/1", token=which)[0] == 200

        jack = Load(gateway.ports[0], token=token("jack", old), pause_seconds=0.004)
        figures = Figures(
            "REL-84",
            f"Vault sealed, then 403, then slow, {seconds:.0f} s each; login and lease lost; a new version",
            pids=gateway.pids,
            log=gateway.journal,
        )
        with figures:
            recoveries = []
            with jack:
                jack.more(amount)
                began = time.monotonic()
                for breaks in (sealed, denied, slow):
                    breaks(True)
                    gateway.until(lambda: gateway.metric("jwtgate_secret_store_stale") == 2)
                    assert gateway.readiness()["ready"]
                    assert gateway.metric("jwtgate_degraded") == 1
                    time.sleep(seconds)
                    breaks(False)
                    recoveries.append(
                        recovery_seconds(lambda: gateway.metric("jwtgate_secret_store_stale") == 0, most_seconds=30)
                    )
                    if breaks is denied:  # what was lent is lost with it, and another user is taken up
                        gateway.until(lambda: gateway.events("reloaded"))
                asked = len(model.asked)
                with vault.lock:
                    model.tokens = {name: lived for name, lived in model.tokens.items() if lived.ttl == 0}
                    model.leases.clear()
                lent = model.lent[-1]["password"]
                gateway.until(lambda: model.lent[-1]["password"] != lent)
                relogin = recovery_seconds(passes(token("ann", PADDING + model.lent[-1]["password"])), most_seconds=5)
                ended = time.monotonic()
                jack.more(amount)
            model.put("partners/jack", secret=new)
            taken_up = recovery_seconds(passes(token("jack", new)), most_seconds=5)
            figures.note_load(jack, began=began, ended=ended)
            figures.note("recovery_seconds", max(recoveries))
            figures.note("fetches", f"{asked} while broken, {len(model.asked) - asked} after")
            figures.note("new_lease_taken_up", f"{relogin:.2f} s")
            figures.note("new_version_taken_up", f"{taken_up:.2f} s")
        assert (jack.dropped, jack.wrong(200)) == (0, 0)
        assert gateway.get("/orders/1", token=token("jack", old))[0] == 401
        assert gateway.get("/orders/1", token=token("ann", PADDING + lent))[0] == 401
        told = figures.log_events()
        assert {line: told[line] for line in told if "secret store" in line} == {
            **{FAILS.format(name, why): 1 for name in ("vault", "lent") for why in (SEALED, DENIED, SLOW)},
            **{WORKS.format(name): 3 for name in ("vault", "lent")},
        }
        assert gateway.metric("jwtgate_secret_store_stale") == gateway.metric("jwtgate_secret_store_missing") == 0
