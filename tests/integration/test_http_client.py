"""Fetches over real connections: what an issuer may answer, and what becomes of it (SEC-60 to 64, REL-58, 59)."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response

from .scripted_server import Script, ScriptedServer, answer

PATIENT = FetchRules(connect_seconds=30.0, total_seconds=30.0)
QUICK = FetchRules(connect_seconds=0.3, total_seconds=0.5)


async def fetch(page: bytes | Script, rules: FetchRules = PATIENT) -> Response:
    server = ScriptedServer()
    server.pages["/x"] = page
    async with server.running():
        return await HttpClient().get(f"{server.origin}/x", rules=rules)


def failure(page: bytes | Script, rules: FetchRules = PATIENT) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(fetch(page, rules))
    return caught.value


def test_a_document_is_fetched_with_its_media_type() -> None:
    page = answer(b'{"a":1}', media_type="Application/JWK-Set+json; charset=utf-8")
    assert asyncio.run(fetch(page)) == Response("application/jwk-set+json", b'{"a":1}')


def test_a_document_may_come_in_chunks_and_without_a_media_type() -> None:
    page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert asyncio.run(fetch(page)) == Response("", b"abcde")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_sec_61_redirects_are_not_followed(status: str) -> None:
    async def life() -> int:
        server = ScriptedServer()
        async with server.running():
            server.pages["/x"] = answer(b"", status=status, fields=(f"Location: {server.origin}/y",))
            with pytest.raises(FetchFailed) as caught:
                await HttpClient().get(f"{server.origin}/x", rules=PATIENT)
            assert caught.value.cause == "redirect"
            return server.asked["/y"]

    assert asyncio.run(life()) == 0


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "401 No", "404 Not Found", "500 Oh", "503 Oh"])
def test_sec_64_only_status_200_will_do(status: str) -> None:
    failed = failure(answer(b"", status=status))
    assert (failed.cause, failed.status) == (f"status_{status[:3]}", int(status[:3]))


def test_sec_64_a_body_of_50_megabytes_is_cut_off_at_the_limit() -> None:
    sent = 0

    async def huge(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        for _ in range(50):
            writer.write(bytes(1024 * 1024))
            await writer.drain()
            sent += 1

    assert failure(huge, FetchRules()).cause == "too_large"
    assert sent < 50


def test_sec_64_the_limit_holds_to_the_byte() -> None:
    rules = FetchRules(limit_bytes=1000)
    assert len(asyncio.run(fetch(answer(bytes(1000)), rules)).body) == 1000
    assert failure(answer(bytes(1001)), rules).cause == "too_large"


def test_sec_64_nothing_is_decompressed() -> None:
    bomb = gzip.compress(bytes(10**7))
    assert failure(answer(bomb, fields=("Content-Encoding: gzip",))).cause == "encoded"


def test_we_ask_for_no_compression_and_send_no_credentials() -> None:
    async def life() -> bytes:
        server = ScriptedServer()
        server.pages["/x"] = answer(b"{}", fields=("Set-Cookie: a=b",))
        client = HttpClient()
        async with server.running():
            for _ in range(2):
                await client.get(f"{server.origin}/x", rules=PATIENT)
        return server.heads[1].lower()

    head = asyncio.run(life())
    assert b"accept-encoding: identity" in head
    assert b"cookie" not in head
    assert b"authorization" not in head


async def _never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _head_only(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    await asyncio.sleep(60)


async def _byte_by_byte(writer: asyncio.StreamWriter) -> None:
    for byte in answer(bytes(100)):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("script", [_never, _head_only, _byte_by_byte])
def test_rel_58_a_slow_issuer_costs_no_more_than_the_time_limit(script: Script) -> None:
    started = time.monotonic()
    assert failure(script, QUICK).cause == "timeout"
    assert time.monotonic() - started < 10


def test_a_connection_torn_down_halfway_is_told() -> None:
    async def torn(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        await writer.drain()
        writer.transport.abort()

    assert failure(torn).cause in ("truncated", "connection_lost")


def test_an_issuer_that_does_not_listen_is_refused() -> None:
    async def life() -> None:
        server = ScriptedServer()
        async with server.running():
            pass
        await HttpClient().get(f"{server.origin}/x", rules=PATIENT)

    with pytest.raises(FetchFailed) as caught:
        asyncio.run(life())
    assert caught.value.cause == "refused"


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "truncated"),
        (b"", "truncated"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", "malformed"),
    ],
)
def test_an_answer_that_is_cut_off_or_no_http_is_told_apart(page: bytes, cause: str) -> None:
    assert failure(page).cause == cause


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_sec_63_a_private_address_is_refused_before_anything_is_sent(host: str) -> None:
    async def life() -> int:
        server = ScriptedServer()
        server.pages["/x"] = answer(b"{}")
        async with server.running():
            rules = FetchRules(private_addresses_refused=True)
            with pytest.raises(FetchFailed) as caught:
                await HttpClient().get(f"http://{host}:{server.port}/x", rules=rules)
            assert caught.value.cause == "address_refused"
            assert (await HttpClient().get(f"http://{host}:{server.port}/x", rules=PATIENT)).body == b"{}"
        return server.connections

    assert asyncio.run(life()) == 1


def _certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS for `localhost`, and the file of the authority that vouches for it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, private)
    return context, str(chain)


def _over_tls(folder: Path, *, host: str, trusted: str | None = "chain.pem") -> Response:
    async def life() -> Response:
        tls, _ = _certificate(folder)
        server = ScriptedServer()
        server.pages["/x"] = answer(b"{}")
        rules = FetchRules(ca_file=str(folder / trusted) if trusted else None)
        async with server.running(tls):
            return await HttpClient().get(f"https://{host}:{server.port}/x", rules=rules)

    return asyncio.run(life())


def test_sec_63_an_authority_of_ones_own_may_be_named(tmp_path: Path) -> None:
    assert _over_tls(tmp_path, host="localhost").body == b"{}"


def test_sec_63_an_authority_nobody_named_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed) as caught:
        _over_tls(tmp_path, host="localhost", trusted=None)
    assert caught.value.cause == "tls"


def test_sec_63_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed) as caught:
        _over_tls(tmp_path, host="127.0.0.1")
    assert caught.value.cause == "tls"


@pytest.mark.parametrize("trusted", ["none.pem", "key.pem"])
def test_a_file_that_holds_no_authority_is_told(tmp_path: Path, trusted: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        _over_tls(tmp_path, host="localhost", trusted=trusted)
    assert caught.value.cause in ("tls_file_unreadable", "tls")


def test_a_request_may_carry_fields_and_a_body() -> None:
    async def life() -> tuple[bytes, bytes]:
        received = asyncio.Queue[bytes]()

        async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.put_nowait(await reader.readuntil(b"\r\n\r\n"))
            received.put_nowait(await reader.readexactly(3))
            writer.write(answer(b"{}"))
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(page, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
            fields = {"Content-Type": "application/json", "X-Vault-Token": "t"}
            assert (await HttpClient().send("POST", url, rules=PATIENT, fields=fields, body=b"[1]")).body == b"{}"
        return await received.get(), await received.get()

    head, body = asyncio.run(life())
    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert b"\r\nX-Vault-Token: t\r\n" in head
    assert b"\r\nUser-Agent: jwtgate\r\n" in head
    assert body == b"[1]"
