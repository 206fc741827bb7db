"""TLS to clients and to upstreams, with an authority of the test's own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .rig import (
    Client,
    Document,
    Flow,
    Gateway,
    Message,
    Served,
    Upstream,
    document,
    gateway_and_upstream,
    request,
    response,
    say,
    say_and_reset,
    token,
    until,
)

DAY = datetime.timedelta(days=1)
WHOLE = 20 * 1024 * 1024


@dataclass(frozen=True)
class Authority:
    """A certificate authority that keeps what it makes in a folder."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path, name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _certificate(own, own, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        authority = cls(folder, name, key, certificate)
        authority.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return authority

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str, *, address: str | None = None) -> tuple[str, str]:
        """The files of a certificate for this host name (and address) and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if address is not None:
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _certificate(subject, self.certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(files[0]), str(files[1])

    def server(self, name: str, *, address: str | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, address=address))
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("tls"), "authority")


def listening(authority: Authority, upstream: str) -> Document:
    certificate, key = authority.issue("localhost")
    listener = {"address": "127.0.0.1:0", "tls": {"certificate": certificate, "private_key": key}}
    return document(upstream, listen=[listener])


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[tuple[Gateway, Upstream]]:
    with Upstream() as upstream, Gateway(listening(authority, upstream.url)) as gateway:
        yield gateway, upstream


@pytest.fixture
def client(authority: Authority, secure: tuple[Gateway, Upstream]) -> Iterator[Client]:
    secure[1].forget()
    secure[1].script = say(response())
    with Client(secure[0].port, tls=authority.client()) as client:
        yield client


def test_a_client_may_speak_tls(secure: tuple[Gateway, Upstream], client: Client) -> None:
    assert client.ask(request("/orders/1", bearer=token())).status == 200
    assert client.ask(request("/open/1", method="POST", body=b"abc")).status == 200
    first, second = secure[1].requests
    assert (first.value("X-Forwarded-Proto"), second.body) == ("https", b"abc")
    assert isinstance(client.sock, ssl.SSLSocket)
    assert client.sock.version() in ("TLSv1.2", "TLSv1.3")


def test_plain_http_on_a_tls_port_is_no_request(secure: tuple[Gateway, Upstream]) -> None:
    secure[1].forget()
    with Client(secure[0].port) as client:
        client.send(request())
        assert b"HTTP" not in client.to_end()
    assert secure[1].requests == []


def test_tls_on_a_plain_port_is_refused() -> None:
    with (
        gateway_and_upstream() as (gateway, _),
        socket.create_connection(("127.0.0.1", gateway.port)) as sock,
        pytest.raises(ssl.SSLError),
    ):
        ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")


def test_rel_16_a_download_over_tls_waits_for_its_reader(secure: tuple[Gateway, Upstream], client: Client) -> None:
    poured, drunk = Flow(), Flow()

    def pour(served: Served, _: Message) -> None:
        served.send(response(b"", length=WHOLE))
        poured.pour(served, WHOLE)

    secure[1].script = pour
    client.send(request())
    assert (client.upto(b"\r\n\r\n") or b"").startswith(b"HTTP/1.1 200")
    drunk.drink(client, WHOLE)
    assert drunk.moved == WHOLE


def test_rel_71_a_broken_answer_over_tls_cannot_look_complete(secure: tuple[Gateway, Upstream], client: Client) -> None:
    secure[1].script = say_and_reset(b"HTTP/1.1 200 OK\r\n\r\nabc")
    answer = client.ask(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (answer.complete, client.end) == (False, "reset")


def test_an_unwanted_body_over_tls_ends_the_connection(client: Client) -> None:
    answer = client.ask(request("/nowhere", "Content-Length: 100000", method="POST"))
    assert (answer.status, answer.value("Connection")) == (404, "close")
    assert client.ended() in ("eof", "reset")


def test_rel_22_a_tls_client_that_goes_takes_its_request_with_it(
    secure: tuple[Gateway, Upstream], client: Client
) -> None:
    secure[1].script = lambda served, _: served.to_end()
    client.send(request())
    until(lambda: secure[1].requests)
    client.close()
    (served,) = [each for each in secure[1].connections if secure[1].requests[0] in each.requests]
    until(lambda: served.end)


# To an upstream.


def ask_through(upstream: Upstream, **settings: str) -> list[Message]:
    with Gateway(document(upstream.url, upstreams={"echo": settings})) as gateway, Client(gateway.port) as client:
        return [client.ask(request(f"/open/{number}")) for number in range(3)]


def test_an_upstream_may_speak_tls(authority: Authority) -> None:
    with Upstream(tls=authority.server("shop", address="127.0.0.1")) as upstream:
        answers = ask_through(upstream, ca_file=str(authority.file))
        assert [answer.status for answer in answers] == [200] * 3
        assert len(upstream.connections) == 1


def test_an_upstreams_certificate_may_have_another_name_that_is_said(authority: Authority) -> None:
    with Upstream(tls=authority.server("shop.example")) as upstream:
        answers = ask_through(upstream, ca_file=str(authority.file), server_name="shop.example")
        assert [answer.status for answer in answers] == [200] * 3


def test_sec_63_a_certificate_of_somebody_else_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority.new(tmp_path, "stranger")
    with Upstream(tls=stranger.server("shop", address="127.0.0.1")) as upstream:
        for answer in (*ask_through(upstream, ca_file=str(authority.file)), *ask_through(upstream)):
            assert (answer.status, json.loads(answer.body)["error"]) == (502, "upstream_unreachable")
        assert upstream.requests == []


def test_sec_63_a_certificate_for_another_name_is_not_believed(authority: Authority) -> None:
    with Upstream(tls=authority.server("other.example")) as upstream:
        answers = ask_through(upstream, ca_file=str(authority.file))
        assert [answer.status for answer in answers] == [502] * 3
        assert upstream.requests == []


def test_sec_63_an_upstream_without_tls_is_not_spoken_to_in_the_clear(authority: Authority) -> None:
    with Upstream() as upstream:
        changed = document(upstream.url.replace("http:", "https:"), upstreams={"echo": {"connect_seconds": 0.5}})
        with Gateway(changed) as gateway, Client(gateway.port) as client:
            assert client.ask(request()).status in (502, 504)
        assert upstream.requests == []
