"""Lines that are kept open: connections used again, closed under our hands, and opened with newer files."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient

from .scripted_server import answer

RULES = FetchRules(connect_seconds=30, total_seconds=30)


class KeepingServer:
    """Answers `{}` to everything on connections it keeps, each until it has had `most` requests."""

    def __init__(self, most: int = 1000, *, ends_on_request: bool = False) -> None:
        self.connections = self.requests = 0
        self.bodies: list[bytes] = []
        self.subjects: list[object] = []
        self.port = 0
        self._most = most
        self._ends_on_request = ends_on_request

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http{'s' if tls else ''}://localhost:{self.port}/x"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.subjects.append((writer.get_extra_info("peercert") or {}).get("subject"))
        try:
            for _ in range(self._most):
                await self._request(reader)
                writer.write(answer(b"{}", fields=("Cache-Control: max-age=5", "Cache-Control: private")))
            if self._ends_on_request:
                await self._request(reader)
                self.requests -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /x HTTP/1.1\r\n")
        self.requests += 1
        self.bodies.append(await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])))


def test_a_line_uses_its_connection_again_and_tells_all_cache_rules() -> None:
    async def life() -> None:
        server = KeepingServer()
        async with server.running() as url, HttpClient().line(url, RULES) as line:
            for number in range(3):
                response = await line.send("POST", fields={"X-A": "b"}, body=b"a=%d" % number)
                assert response.cache_control == "max-age=5,private"
        assert (server.connections, server.bodies) == (1, [b"a=0", b"a=1", b"a=2"])

    asyncio.run(life())


def test_requests_at_once_each_have_a_connection() -> None:
    async def life() -> None:
        server = KeepingServer()
        async with server.running() as url, HttpClient().line(url, RULES) as line:
            await asyncio.gather(*(line.send("POST", body=b"a=1") for _ in range(60)))
        assert (server.requests, server.connections <= 60) == (60, True)

    asyncio.run(life())


def test_a_kept_connection_that_closes_under_our_hands_costs_no_request() -> None:
    async def life() -> None:
        server = KeepingServer(1, ends_on_request=True)
        async with server.running() as url, HttpClient().line(url, RULES) as line:
            for _ in range(3):
                assert (await line.send("POST", body=b"a=1")).body == b"{}"
        assert server.requests == 3

    asyncio.run(life())


def test_a_new_connection_that_closes_without_an_answer_is_a_failure_at_once() -> None:
    async def life() -> None:
        server = KeepingServer(0, ends_on_request=True)
        async with server.running() as url, HttpClient().line(url, RULES) as line:
            with pytest.raises(FetchFailed) as caught:
                await line.send("POST", body=b"a=1")
        assert (caught.value.cause, server.connections) == ("truncated", 1)

    asyncio.run(life())


def test_a_line_that_was_closed_opens_again_when_it_is_used() -> None:
    async def life() -> None:
        server = KeepingServer()
        async with server.running() as url, HttpClient().line(url, RULES) as line:
            await line.send("POST", body=b"a=1")
            await line.close()
            await line.send("POST", body=b"a=1")
        assert server.connections == 2

    asyncio.run(life())


def test_sec_60_a_line_leads_nowhere_that_a_fetch_may_not_go() -> None:
    async def life(url: str, rules: FetchRules) -> str:
        async with HttpClient().line(url, rules) as line:
            with pytest.raises(FetchFailed) as caught:
                await line.send("POST", body=b"a=1")
        return caught.value.cause

    assert asyncio.run(life("http://idp.example/x", RULES)) == "scheme_refused"
    private = FetchRules(private_addresses_refused=True)
    assert asyncio.run(life("http://127.0.0.1:9/x", private)) == "address_refused"
    assert asyncio.run(life("http://127.0.0.1:9/x", RULES)) == "refused"


def _written(folder: Path, name: str) -> None:
    """A certificate for `localhost` that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{name}-key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _server_tls(folder: Path, name: str, client: str | None = None) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}-key.pem")
    if client is not None:
        tls.load_verify_locations(folder / f"{client}.pem")
        tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    _written(tmp_path, "server")
    _written(tmp_path, "client")
    rules = FetchRules(
        ca_file=str(tmp_path / "server.pem"),
        client_certificate_file=str(tmp_path / "client.pem"),
        client_key_file=str(tmp_path / "client-key.pem"),
    )

    async def life() -> None:
        server = KeepingServer()
        tls = _server_tls(tmp_path, "server", client="client")
        async with server.running(tls) as url, HttpClient().line(url, rules) as line:
            await line.send("POST", body=b"a=1")
        assert server.subjects == [((("commonName", "client"),),)]

    asyncio.run(life())


def test_a_client_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    _written(tmp_path, "client")
    rules = FetchRules(client_certificate_file=str(tmp_path / "client.pem"), client_key_file=str(tmp_path / "none.pem"))

    async def life() -> str:
        async with HttpClient().line("https://localhost:9/x", rules) as line:
            with pytest.raises(FetchFailed) as caught:
                await line.send("POST", body=b"a=1")
        return caught.value.cause

    assert asyncio.run(life()) == "tls_file_unreadable"


def test_sec_63_a_line_that_meets_an_unknown_certificate_reads_its_authorities_anew(tmp_path: Path) -> None:
    _written(tmp_path, "old")
    _written(tmp_path, "new")
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes((tmp_path / "old.pem").read_bytes())

    async def life() -> None:
        server = KeepingServer(most=1)
        async with server.running(_server_tls(tmp_path, "old")) as url:
            line = HttpClient().line(url, FetchRules(ca_file=str(authorities)))
            await line.send("POST", body=b"a=1")
        async with server.running(_server_tls(tmp_path, "new")):
            with pytest.raises(FetchFailed) as caught:
                await line.send("POST", body=b"a=1")
            assert caught.value.cause == "tls"
            authorities.write_bytes((tmp_path / "new.pem").read_bytes())
            assert (await line.send("POST", body=b"a=1")).body == b"{}"
            await line.close()

    asyncio.run(life())
