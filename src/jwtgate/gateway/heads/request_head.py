"""The head of a request: read from the client's fields, written anew for the upstream (RFC 9112 sections 3 and 6).

A head says in exactly one way where the request goes and how its body is framed, or it is refused. What the upstream
gets is put together from the fields that are to go on; nothing is copied as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jwtgate.errors import RequestRefused
from jwtgate.gateway.heads.fields import (
    AUTHORIZATION,
    CODING,
    CONNECTION,
    COOKIE,
    EXPECT,
    FORWARD,
    HOST,
    LENGTH,
    REMOVE,
    REQUEST_ID,
    UNUSUAL,
    UPGRADE,
    content_length,
    nominated,
    request_id,
)
from jwtgate.gateway.heads.reading import PLAIN_HEADS, PlainHeads
from jwtgate.gateway.logs.members import TEXT_LIMIT, quoted
from jwtgate.policy.plan import Route
from jwtgate.policy.request import PathRules, RequestView, canonical_path, cookies_without, query_without

if TYPE_CHECKING:
    from jwtgate.gateway.memory import Key

_AUTHORIZATION = frozenset({b"authorization"})
_NONE: frozenset[bytes] = frozenset()


class RequestHead:
    """What the head of a request says. `path` is canonical, `query` raw, `host` lower case and without its port."""

    __slots__ = (
        "_asked", "_begun", "_logged", "authorization", "authorization_repeated", "chunked", "cookie",
        "expects_continue", "fields", "forwarded", "host", "host_value", "http_11", "length", "line", "method",
        "nominated", "path", "query", "request_id", "routed", "target", "upgrade",
    )  # fmt: skip

    def __init__(self, method: str, target: bytes, *, fields: list[tuple[bytes, bytes]], http_11: bool) -> None:
        self.method = method
        self.target = target
        self.fields = fields
        self.http_11 = http_11
        self.path = self.host = self._logged = ""
        self.query = self.host_value = self.forwarded = b""
        self.authorization: bytes | None = None
        self.cookie: bytes | None = None
        self.length: int | None = None
        self.upgrade: bytes | None = None
        self.request_id: str | None = None
        self.chunked = self.expects_continue = self.authorization_repeated = False
        self.nominated: frozenset[bytes] | set[bytes] = _NONE
        self.line = b""
        """Its request line as it came, of a head that is remembered."""
        self.routed: tuple[Route, Key] | None = None
        """Its route and what its outcome is remembered by, where nothing else of a request takes part in either."""
        self._asked = b""
        """The request line an upstream gets, where nothing is taken out of it and it is not told to ask for more."""
        self._begun: tuple[Route, bytes, bytes] | None = None
        """The lines an upstream gets below it but what is ours: for which route, with which `Host`, and the text."""

    @property
    def logged(self) -> str:
        """The members of a log line that tell what was asked for."""
        if not self._logged:
            self._logged = f'"method":"{self.method}","path":{quoted(self.path[:TEXT_LIMIT])}'
        return self._logged

    def again(self, line: bytes, limit_bytes: int, heads: PlainHeads = PLAIN_HEADS) -> RequestHead | None:
        """The head with this request line and the fields of this one, which is plain.

        Its target is still to be read where its path is empty. None when the line is not a plain one, or its target
        longer than is allowed.
        """
        plain = heads.line(line)
        if plain is None or len(plain[1]) > limit_bytes:
            return None
        head = _new_head(RequestHead)
        head.method, head.target, head.path, head.query = plain
        head._asked = line if head.path else b""  # what is canonical as it stands goes on as it came
        head.line = line
        head.fields, head.forwarded, head._begun = self.fields, self.forwarded, self._begun
        head.host, head.host_value = self.host, self.host_value
        head.authorization, head.authorization_repeated = self.authorization, self.authorization_repeated
        head.cookie, head.nominated, head.request_id = self.cookie, self.nominated, self.request_id
        head._logged = ""
        head.http_11 = True
        head.length = head.upgrade = head.routed = None
        head.chunked = head.expects_continue = False
        return head

    @property
    def is_plain(self) -> bool:
        """Whether another request with the same fields is read the same way, its request line aside."""
        return self.http_11 and self.length is None and not (self.chunked or self.upgrade or self.expects_continue)

    def read(self, kinds: Mapping[bytes, int], host_names: Mapping[bytes, str], *, paths: PathRules) -> None:
        """Read every field once, then the target. Refuses what can be read in more than one way."""
        self.read_fields(kinds, host_names)
        self.read_target(paths)

    def read_fields(self, kinds: Mapping[bytes, int], host_names: Mapping[bytes, str]) -> None:
        """Read every field once."""
        forwarded: list[bytes] = []
        for name, value in self.fields:
            kind = kinds[name]
            if kind == FORWARD:
                forwarded += (name, b": ", value, b"\r\n")
            elif kind == HOST:
                if self.host_value or not value:
                    raise RequestRefused("request_malformed", cause="Host")
                self.host_value = value
            elif kind == AUTHORIZATION:
                # Where several are let pass the first is meant, and no other goes on in its place.
                self.authorization_repeated = self.authorization is not None
                self.authorization = self.authorization if self.authorization_repeated else value
            elif kind >= LENGTH:
                self._read_field(kind, name, value)
        self.host = host_names[self.host_value]
        self.forwarded = b"".join(forwarded)

    def _read_field(self, kind: int, name: bytes, value: bytes) -> None:
        if kind in (LENGTH, CODING):
            self._read_framing(kind, value)
        elif kind == CONNECTION:
            if (lowered := value.lower()) not in (b"keep-alive", b"close"):
                self.nominated = self.nominated | nominated(lowered)
        elif kind == EXPECT:
            if value.lower() != b"100-continue":
                raise RequestRefused("request_malformed", cause="Expect")
            self.expects_continue = self.http_11
        elif kind == UPGRADE:
            self.upgrade = value.lower()
        elif kind == COOKIE:
            self.cookie = value if self.cookie is None else self.cookie + b"; " + value
        elif kind == REQUEST_ID:
            self.request_id = request_id(value)
        elif kind == UNUSUAL:
            raise RequestRefused("field_name_unusual", field=name.decode("latin-1"))

    def _read_framing(self, kind: int, value: bytes) -> None:
        if kind == CODING:
            if self.chunked or self.length is not None or value.lower() != b"chunked" or not self.http_11:
                raise RequestRefused("request_malformed", cause="Transfer-Encoding")
            self.chunked = True
            return
        length = content_length(value)
        if length is None or self.length is not None or self.chunked:
            raise RequestRefused("request_malformed", cause="Content-Length")
        self.length = length

    def read_target(self, paths: PathRules) -> None:
        """Read the target, once the fields are."""
        target = self.target
        plain = PLAIN_HEADS.target(target)
        if plain is not None:
            self.path, self.query = plain
            return
        if not target.isascii() or b"#" in target:
            raise RequestRefused("request_malformed", cause="the target")
        if not target.startswith(b"/"):
            target = self._absolute_target(target)
        path, _, self.query = target.partition(b"?")
        self.path = canonical_path(path, paths)

    def _absolute_target(self, target: bytes) -> bytes:
        """The path and query of an absolute target, whose host must be that of `Host` (RFC 9112 section 3.2.2)."""
        try:
            parts = urlsplit(target.decode("ascii"))
        except ValueError:
            raise RequestRefused("request_malformed", cause="the target") from None
        if parts.scheme not in ("http", "https") or parts.netloc.lower().encode() != self.host_value.lower():
            raise RequestRefused("request_malformed", cause="the target")
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.path or '/'}{query}".encode()

    @property
    def asks_for_websocket(self) -> bool:
        """Whether this asks for a change to WebSocket (RFC 6455 section 4.1)."""
        asked = self.upgrade == b"websocket" and b"upgrade" in self.nominated
        return asked and self.method == "GET" and self.http_11 and not self.has_body

    def check_origin(self, allowed: frozenset[bytes]) -> None:
        """Refuse `origin_refused` to a page of another origin (RFC 6455 section 10.2). Only browsers name any."""
        origins = [value for name, value in self.fields if name.lower() == b"origin"]
        if len(origins) > 1 or not allowed.issuperset(origins):
            raise RequestRefused("origin_refused")

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.chunked or bool(self.length)

    def fields_told(self, kinds: Mapping[bytes, int], read: frozenset[bytes]) -> tuple[tuple[bytes, bytes], ...]:
        """The fields a decision may go by, under their names in lower case: those that are not taken away.

        Who a client says it is, and what only a trusted proxy may say of it, decides nothing (SEC-112, SEC-114).
        `read` are names that are read all the same: credentials stand there.
        """
        told = [(name.lower(), value) for name, value in self.fields if kinds[name] != REMOVE or name.lower() in read]
        return tuple(told)

    def view(
        self,
        scheme: str,
        client: str,
        *,
        fields: tuple[tuple[bytes, bytes], ...],
        request_id: str = "",
        trusted: bool = False,
        port: int = 0,
    ) -> RequestView:
        """The request as the decision sees it."""
        return RequestView(
            method=self.method,
            scheme=scheme,
            host=self.host,
            path=self.path,
            query=self.query.decode("ascii"),
            fields=fields,
            client=client,
            id=request_id,
            trusted=trusted,
            port=port,
        )

    def written_for(
        self, route: Route, *, host_line: bytes, ours: bytes, upgrading: bool, sent: tuple[str, str] | None = None
    ) -> bytes:
        """The head for the upstream. `ours` are whole field lines that no client can add to or take away.

        `sent`: the method and path the upstream is asked for, where they are not the client's.
        """
        if upgrading or sent is not None:
            line = self._line(route, *(sent or (self.method, self.path)))
            return b"%b%b%b\r\n" % (line, self._lines(route, host_line, upgrading=upgrading), ours)
        begun = self._begun
        if begun is None or begun[0] is not route or begun[1] is not host_line:
            begun = self._begun = (route, host_line, self._lines(route, host_line, upgrading=False))
        if route.removed_parameters:
            line = self._line(route, self.method, self.path)
        elif not (line := self._asked):
            line = self._asked = self._line(route, self.method, self.path)
        return b"".join((line, begun[2], ours, b"\r\n"))

    def _lines(self, route: Route, host_line: bytes, *, upgrading: bool) -> bytes:
        """All fields that are the client's or say how the body is framed, as lines for the upstream."""
        host = b"Host: %b\r\n" % self.host_value if route.upstream.preserve_host else host_line
        forwarded = self.forwarded
        if self.nominated or not route.removed_fields <= _AUTHORIZATION:
            forwarded = self.forwarded_without(route.removed_fields)
        if self.authorization is not None and b"authorization" not in route.removed_fields:
            forwarded += b"Authorization: %b\r\n" % self.authorization
        if self.cookie is not None and b"cookie" not in route.removed_fields:
            cookie = cookies_without(self.cookie, route.removed_cookies) if route.removed_cookies else self.cookie
            forwarded += b"Cookie: %b\r\n" % cookie if cookie else b""
        if self.chunked:
            forwarded += b"Transfer-Encoding: chunked\r\n"
        elif self.length is not None:
            forwarded += b"Content-Length: %d\r\n" % self.length
        if upgrading:
            forwarded += b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        return host + forwarded

    def _line(self, route: Route, method: str, path: str) -> bytes:
        """The request line for the upstream, which is asked for this path."""
        path, brings, query = path.partition("?")
        if not brings:
            query = self.query.decode("ascii")
        if query and route.removed_parameters:
            query = query_without(query, route.removed_parameters)
        return f"{method} {path}{'?' if query else ''}{query} HTTP/1.1\r\n".encode()

    def forwarded_without(self, names: frozenset[bytes]) -> bytes:
        """The lines of the fields that go on, but for those of these names, in lower case."""
        lines, without = self.forwarded.splitlines(keepends=True), names | self.nominated
        return b"".join(line for line in lines if line.partition(b":")[0].lower() not in without)


_new_head = RequestHead.__new__
