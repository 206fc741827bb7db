"""The one way out: fetching a small document over HTTP, within limits of time, size and address.

Redirects are never followed, TLS is always verified, and the environment gives neither proxy nor credential.
Addresses are checked on the very address a socket is about to connect to, so no second answer of the name
service can slip between the check and the connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.resolver import ThreadedResolver

LIMIT_BYTES = 1024 * 1024
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Azure's metadata service stands on a public address; those of the other clouds are link-local or private.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class FetchRules:
    """What a fetch may do. `insecure_http` also allows http to hosts that are not this machine."""

    connect_seconds: float = 2.0
    total_seconds: float = 5.0
    limit_bytes: int = LIMIT_BYTES
    ca_file: str | None = None
    insecure_http: bool = False
    private_addresses_refused: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with status 200. `media_type` is lower case and without parameters; empty when not given."""

    media_type: str
    body: bytes


class FetchFailed(Exception):
    """A document that could not be had. `cause` is a stable slug, `status` the HTTP status if that was it."""

    def __init__(self, cause: str, *, detail: str = "", status: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail
        self.status = status


class HttpClient:
    """Fetches documents, each over a connection of its own: they are fetched minutes apart."""

    async def get(self, url: str, *, rules: FetchRules) -> Response:
        """The document at `url`. Raises `FetchFailed`."""
        parts = check_url(url, rules)
        refused: list[str] = []
        timeout = aiohttp.ClientTimeout(total=rules.total_seconds, connect=rules.connect_seconds)
        try:
            tls = await asyncio.to_thread(_tls, rules.ca_file) if parts.scheme == "https" else True
            connector = aiohttp.TCPConnector(
                ssl=tls,
                resolver=ThreadedResolver(),
                socket_factory=_socket_factory(_address_rule(parts, rules), refused),
                force_close=True,
            )
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=timeout,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    headers={
                        "Accept": "application/json",
                        "Accept-Encoding": "identity",
                        "User-Agent": "jwtgate",
                    },
                ) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                return Response(
                    answer.content_type if "Content-Type" in answer.headers else "",
                    await _body(answer, rules),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed("address_refused" if refused else _cause(error), detail="".join(refused[:1])) from error


def check_url(url: str, rules: FetchRules) -> SplitResult:
    """The parts of an address we may fetch from (SEC-60). Raises `FetchFailed`."""
    try:
        parts = urlsplit(url)
        port_sound = parts.port != 0
    except ValueError:
        raise FetchFailed("address_malformed") from None
    # Blanks, control characters and backslashes are where two readers of one address come to differ.
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not parts.hostname or not port_sound or not plain:
        raise FetchFailed("address_malformed")
    if parts.username is not None or parts.password is not None:
        raise FetchFailed("address_has_user_info")
    plain_allowed = rules.insecure_http or parts.hostname in _LOOPBACK_NAMES
    if parts.scheme != "https" and not (parts.scheme == "http" and plain_allowed):
        raise FetchFailed("scheme_refused", detail=parts.scheme)
    return parts


def is_internal(address: Address) -> bool:
    """Whether this address belongs to no host of the open internet, also when an IPv6 address wraps it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_internal(inner)
    return not address.is_global or address.is_multicast or address in _METADATA


def _address_rule(parts: SplitResult, rules: FetchRules) -> Callable[[Address], bool]:
    """Tells which addresses may not be connected to."""
    if rules.private_addresses_refused:
        return is_internal
    if parts.scheme == "http" and not rules.insecure_http:
        return lambda address: not address.is_loopback
    return lambda _: False


def _socket_factory(forbidden: Callable[[Address], bool], refused: list[str]) -> Callable[..., socket.socket]:
    def create(info: tuple[int, int, int, str, tuple[str | int, ...]]) -> socket.socket:
        family, kind, protocol, _, place = info
        if forbidden(ipaddress.ip_address(place[0])):
            refused.append(str(place[0]))
            raise OSError("the address is not permitted")
        return socket.socket(family, kind, protocol)

    return create


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _body(answer: aiohttp.ClientResponse, rules: FetchRules) -> bytes:
    if 300 <= answer.status < 400:
        raise FetchFailed("redirect", status=answer.status)
    if answer.status != 200:
        raise FetchFailed(f"status_{answer.status}", status=answer.status)
    # A few bytes can unfold into gigabytes: we asked for none of that.
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("encoded")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > rules.limit_bytes:
            raise FetchFailed("too_large")
    return bytes(body)


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name_unknown"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
        return "truncated"
    if isinstance(error, aiohttp.ClientConnectionError):
        return "connection_lost"
    if isinstance(error, OSError):
        return "ca_file_unreadable"
    return "malformed"
