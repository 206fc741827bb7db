"""Certificates and sessions of TLS with two workers: what a client may resume, and certificates that change."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer
from .rig import document, request
from .test_tls import Authority

ATTEMPTS = 20
"""So many that both workers surely get some of them."""
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


@dataclass(frozen=True)
class Visit:
    """What one connection brought."""

    answer: bytes
    session: ssl.SSLSession | None
    certificate: bytes | None
    resumed: bool | None


class Client:
    """Connects anew for each request, with a session of before where one is given."""

    def __init__(self, authority: Authority, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        self._context = authority.client()
        self._context.minimum_version = self._context.maximum_version = version

    def visit(self, gateway: GatewayProcess, session: ssl.SSLSession | None = None) -> Visit:
        """Ask once."""
        with self.connect(gateway, session) as sock:
            return Visit(ask(sock), sock.session, sock.getpeercert(binary_form=True), sock.session_reused)

    def connect(self, gateway: GatewayProcess, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """A connection."""
        plain = socket.create_connection(("127.0.0.1", gateway.ports[0]), timeout=10)
        return self._context.wrap_socket(plain, server_hostname="localhost", session=session)


def ask(sock: ssl.SSLSocket) -> bytes:
    """The first bytes of an answer."""
    sock.sendall(request())
    return sock.recv(12)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path, "authority")


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> tuple[Path, Path]:
    """The files of the listener's certificate and of its key."""
    certificate, key = map(Path, authority.issue("localhost"))
    return certificate.rename(tmp_path / "shown.crt"), key.rename(tmp_path / "shown.key")


@pytest.fixture
def gateway(tmp_path: Path, files: tuple[Path, Path]) -> Iterator[GatewayProcess]:
    with LoopbackServer() as upstream:
        tls = {"certificate": str(files[0]), "private_key": str(files[1])}
        listeners = [{"address": "127.0.0.1:0", "tls": tls}]
        text = json.dumps(document(upstream.url, listen=listeners, status_listen="127.0.0.1:0"))
        with GatewayProcess(tmp_path, text) as gateway:
            yield gateway


@VERSIONS
def test_a_session_is_resumed_at_every_worker_and_after_a_reload(
    gateway: GatewayProcess, authority: Authority, version: ssl.TLSVersion
) -> None:
    client = Client(authority, version)
    session = client.visit(gateway).session
    assert [client.visit(gateway, session).resumed for _ in range(ATTEMPTS)] == [True] * ATTEMPTS
    assert gateway.reload()["event"] == "reloaded"
    assert [client.visit(gateway, session).resumed for _ in range(ATTEMPTS)] == [True] * ATTEMPTS
    stranger = Client(authority, version)
    assert not stranger.visit(gateway).resumed


def test_another_certificate_is_shown_by_the_same_workers_and_open_connections_go_on(
    gateway: GatewayProcess, authority: Authority, files: tuple[Path, Path]
) -> None:
    client, workers = Client(authority), gateway.workers()
    before = client.visit(gateway)
    with client.connect(gateway) as open_before:
        assert ask(open_before) == b"HTTP/1.1 200"
        for made, shown in zip(authority.issue("localhost"), files, strict=True):
            shutil.copy(made, shown)
        gateway.until(lambda: gateway.events("reloaded"))
        assert {client.visit(gateway).certificate for _ in range(ATTEMPTS)} != {before.certificate}
        shown_now = {client.visit(gateway).certificate for _ in range(ATTEMPTS)}
        assert len(shown_now) == 1
        assert before.certificate not in shown_now
        open_before.sendall(request())
        assert b"HTTP/1.1 200" in open_before.recv(100_000) + open_before.recv(100_000)
    resumed = [client.visit(gateway, before.session) for _ in range(ATTEMPTS)]
    assert {visit.resumed for visit in resumed} == {True}
    assert {visit.answer for visit in resumed} == {b"HTTP/1.1 200"}
    assert gateway.workers() == workers


def test_a_certificate_that_cannot_be_used_is_refused_and_the_one_before_stays(
    gateway: GatewayProcess, authority: Authority, files: tuple[Path, Path]
) -> None:
    client = Client(authority)
    before = client.visit(gateway).certificate
    _, other_key = authority.issue("other")
    shutil.copy(other_key, files[1])
    gateway.until(lambda: gateway.events("reload_refused"))
    (problem,) = gateway.events("reload_refused")[0]["problems"]
    assert problem.endswith(f"{files[1]} is not the key of {files[0]}")
    assert {client.visit(gateway).certificate for _ in range(ATTEMPTS)} == {before}
    assert gateway.readiness()["degraded"] is True
