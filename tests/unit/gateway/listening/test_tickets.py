"""Session tickets that one worker made and another takes."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.unit.control.samples import write_certificate
from tests.unit.gateway.listening.handshakes import shake_hands

from jwtgate.gateway.listening.certificates import server_tls
from jwtgate.gateway.listening.tickets import share_tickets, ticket_keys
from jwtgate.policy.plan import Tls

KEYS = ticket_keys(b"s" * 32, "127.0.0.1:1")
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    write_certificate(certificate, key)
    return Tls(str(certificate), str(key))


@VERSIONS
def test_a_session_goes_on_at_whoever_shares_the_keys(tls: Tls, version: ssl.TLSVersion) -> None:
    one, other = server_tls(tls), server_tls(tls)
    assert share_tickets(one, KEYS)
    assert share_tickets(other, KEYS)
    assert shake_hands(other, version, resumed=shake_hands(one, version)).reused


@VERSIONS
def test_a_session_does_not_go_on_where_the_keys_are_others(tls: Tls, version: ssl.TLSVersion) -> None:
    one, other, third = server_tls(tls), server_tls(tls), server_tls(tls)
    share_tickets(one, KEYS)
    share_tickets(other, ticket_keys(b"s" * 32, "127.0.0.1:2"))
    first = shake_hands(one, version)
    assert not shake_hands(other, version, resumed=first).reused
    assert not shake_hands(third, version, resumed=first).reused


def test_the_keys_follow_from_the_secret_and_the_listener() -> None:
    keys = {ticket_keys(secret, place) for secret in (b"s" * 32, b"t" * 32) for place in ("a:1", "b:1")}
    assert len(keys) == 4
    assert {len(each) for each in keys} == {80}
    assert ticket_keys(b"s" * 32, "127.0.0.1:1") == KEYS
