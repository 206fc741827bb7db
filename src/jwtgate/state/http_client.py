"""The one way out: asking for a small document over HTTP, within limits of time, size and address.

Redirects are never followed, TLS is always verified, and the environment gives neither proxy nor credential.
Addresses are checked on the very address a socket is about to connect to, so no second answer of the name
service can slip between the check and the connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import Self
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.resolver import ThreadedResolver

from jwtgate.policy.sources import Fetching

LIMIT_BYTES = 1024 * 1024
NO_FIELDS: Mapping[str, str] = MappingProxyType({})
LINE_IDLE_SECONDS = 15.0
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
    client_certificate_file: str | None = None
    client_key_file: str | None = None

    @classmethod
    def of(cls, fetching: Fetching) -> FetchRules:
        """What a document says of a fetch."""
        return cls(
            connect_seconds=fetching.connect_seconds,
            total_seconds=fetching.total_seconds,
            ca_file=fetching.ca_file,
            insecure_http=fetching.insecure_http,
            private_addresses_refused=fetching.private_addresses_refused,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with status 200. `media_type` is lower case and without parameters; empty when not given."""

    media_type: str
    body: bytes = field(repr=False)
    cache_control: str = ""


class FetchFailed(Exception):
    """A document that could not be had. `cause` is a stable slug, `status` that of the answer, if there was one."""

    def __init__(self, cause: str, *, detail: str = "", status: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail
        self.status = status


class HttpClient:
    """Asks for documents, each over a connection of its own: they are asked for minutes apart."""

    async def get(self, url: str, *, rules: FetchRules) -> Response:
        """The document at `url`. Raises `FetchFailed`."""
        return await self.send("GET", url, rules=rules)

    async def send(
        self,
        method: str,
        url: str,
        *,
        rules: FetchRules,
        fields: Mapping[str, str] = NO_FIELDS,
        body: bytes | None = None,
    ) -> Response:
        """The answer to a request with these fields beside ours, and this body. Raises `FetchFailed`."""
        async with Line(url, rules) as line:
            return await line.send(method, fields=fields, body=body)

    def line(self, url: str, rules: FetchRules) -> Line:
        """A line to an address that is asked again and again. Nothing is opened yet; whoever has it closes it."""
        return Line(url, rules, idle_seconds=LINE_IDLE_SECONDS)


class Line:
    """Connections to one address. Without `idle_seconds` each closes after its answer."""

    def __init__(self, url: str, rules: FetchRules, *, idle_seconds: float = 0) -> None:
        self._url = url
        self._rules = rules
        self._idle_seconds = idle_seconds
        self._refused: list[str] = []
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, method: str, *, fields: Mapping[str, str] = NO_FIELDS, body: bytes | None = None) -> Response:
        """The answer, if its status is 200. Raises `FetchFailed`."""
        reused: list[bool] = []
        try:
            return await self._exchange(method, fields, body, reused=reused)
        except FetchFailed as failure:
            if failure.cause == "tls":
                await self.close()  # the files that the next connection is opened with may be newer
            # A kept connection may have been closed while the request was on its way: no fault of the server's.
            if not reused or failure.cause not in ("truncated", "connection_lost"):
                raise
        return await self._exchange(method, fields, body, reused=[])

    async def close(self) -> None:
        """Close all connections. Asking again opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(
        self, method: str, fields: Mapping[str, str], body: bytes | None, *, reused: list[bool]
    ) -> Response:
        self._refused.clear()
        try:
            session = await self._opened()
            async with session.request(
                method, self._url, data=body, headers=dict(fields), allow_redirects=False, trace_request_ctx=reused
            ) as answer:
                return Response(
                    answer.content_type if "Content-Type" in answer.headers else "",
                    await _body(answer, self._rules),
                    ",".join(answer.headers.getall("Cache-Control", [])),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = "address_refused" if self._refused else _cause(error)
            raise FetchFailed(cause, detail="".join(self._refused[:1])) from error

    async def _opened(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                self._session = await self._open()
            return self._session

    async def _open(self) -> aiohttp.ClientSession:
        rules, parts = self._rules, check_url(self._url, self._rules)
        tls = await asyncio.to_thread(_tls, rules) if parts.scheme == "https" else True
        connector = aiohttp.TCPConnector(
            ssl=tls,
            resolver=ThreadedResolver(),
            socket_factory=_socket_factory(_address_rule(parts, rules), self._refused),
            **({"keepalive_timeout": self._idle_seconds} if self._idle_seconds else {"force_close": True}),
            limit=0,  # whoever asks has a limit of its own
        )
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_note_reuse)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=rules.total_seconds, connect=rules.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "jwtgate"},
            trace_configs=[tracing],
        )


def basic_fields(username: str, password: str) -> Mapping[str, str]:
    """The field that says who asks (RFC 7617)."""
    return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}


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


def _tls(rules: FetchRules) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=rules.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if rules.client_certificate_file is not None:
        context.load_cert_chain(rules.client_certificate_file, rules.client_key_file, _no_password)
    return context


def _no_password() -> str:
    """Instead of asking at the terminal."""
    return ""


async def _note_reuse(
    _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionReuseconnParams
) -> None:
    context.trace_request_ctx.append(True)


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
        return "tls_file_unreadable"
    return "malformed"
