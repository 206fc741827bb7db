"""A client of the Admin API: one connection, kept while it is of use, and every problem as an exception."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes

PATIENCE_SECONDS = 60.0
LIMIT_BYTES = 64 * 1024 * 1024
_WHERE = "is the gateway running, with `admin` in its document? --url or JWTGATE_ADMIN_URL says where it listens"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """Where the Admin API is, and how we say who we are."""

    url: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the Admin API answered, with the version its entity tag names."""

    status: int
    value: Any
    version: str | None


class Refused(Exception):
    """A problem (RFC 9457) the Admin API answered with."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"status {status}"))
        self.status = status
        self.problem = problem

    @property
    def sentences(self) -> tuple[str, ...]:
        """The problem in sentences: each mistake with its place, or what happened."""
        mistakes = [each for each in self.problem.get("mistakes", ()) if isinstance(each, dict)]
        named = tuple(f"{each.get('place') or 'request'}: {each.get('sentence')}" for each in mistakes)
        return named or (str(self),)


class Unreachable(ConfigError):
    """There is no Admin API at that address, as far as we can tell."""


class AdminClient:
    """Asks the Admin API, inside `with`. `Unreachable` when it cannot be reached."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ConfigError("--url: must be an http or https address without a path, such as http://127.0.0.1:9901")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ConfigError("--url: a token is sent to this machine or over https only")
        self._access = access
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(parts.hostname, port, timeout=PATIENCE_SECONDS, context=_tls(access))
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, port, timeout=PATIENCE_SECONDS)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        media_type: str = "application/json",
        fields: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer. Raises `Refused` for a problem."""
        target = f"/v1/{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        sent = {"Accept": "application/json, application/problem+json", **(fields or {})}
        if self._access.token is not None:
            sent["Authorization"] = f"Bearer {self._access.token}"
        body = None if value is None else json_bytes(value)
        if body is not None:
            sent["Content-Type"] = media_type
        answer, data = self._exchange(method, target, body, sent)
        content = _content(data)
        if answer.status >= 300:
            raise self._refusal(answer, content)
        tag = answer.headers.get("ETag")
        return Reply(answer.status, content, tag.strip('"') if tag else None)

    def every(self, path: str, *, query: Mapping[str, str] | None = None, most: int | None = None) -> Iterator[Any]:
        """The items of a list, asked for part by part; `most` of them."""
        asked, left = dict(query or {}), most
        while left is None or left > 0:
            asked["limit"] = str(min(1000, left or 1000))
            part = self.ask("GET", path, query=asked).value
            yield from part["items"]
            if part["next"] is None:
                return
            asked["after"] = part["next"]
            left = None if left is None else left - len(part["items"])

    def _refusal(self, answer: http.client.HTTPResponse, content: Any) -> Exception:
        if answer.headers.get_content_type() == "application/problem+json" and isinstance(content, dict):
            return Refused(answer.status, content)
        return Unreachable(f"{self._access.url}: answers with {answer.status}, but is no Admin API; {_WHERE}")

    def _exchange(
        self, method: str, target: str, body: bytes | None, fields: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        was_open = self._connection.sock is not None
        try:
            return self._once(method, target, body, fields)
        except (http.client.HTTPException, OSError) as trouble:
            self._connection.close()
            # A kept connection may have been closed before the request was read: then nothing happened there.
            if not was_open or not isinstance(trouble, http.client.RemoteDisconnected | ConnectionError):
                raise _unreachable(self._access.url, trouble) from trouble
        try:
            return self._once(method, target, body, fields)
        except (http.client.HTTPException, OSError) as trouble:
            raise _unreachable(self._access.url, trouble) from trouble

    def _once(
        self, method: str, target: str, body: bytes | None, fields: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, target, body, fields)
        answer = self._connection.getresponse()
        data = answer.read(LIMIT_BYTES)
        return answer, data


def named(*steps: str) -> str:
    """A path of these steps, each percent-encoded whole."""
    return "/".join(quote(step, safe="") for step in steps)


def _content(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _unreachable(url: str, trouble: Exception) -> Unreachable:
    return Unreachable(f"{url}: the Admin API cannot be reached: {_cause(trouble)}; {_WHERE}")


def _cause(trouble: Exception) -> str:
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({trouble.verify_message}); --ca-file names what to trust"
    if isinstance(trouble, ssl.SSLError):
        return f"no TLS connection ({trouble.reason})"
    if isinstance(trouble, TimeoutError):
        return f"no answer within {PATIENCE_SECONDS:g} seconds"
    if isinstance(trouble, http.client.HTTPException | ConnectionResetError):
        return "the connection ended without an answer, as where TLS is spoken: then it is an https address"
    return getattr(trouble, "strerror", None) or type(trouble).__name__


def _tls(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca_file)
        if access.certificate_file is not None:
            context.load_cert_chain(access.certificate_file, access.key_file, password=lambda: "")
    except (OSError, ValueError) as trouble:
        raise ConfigError("--ca-file, --certificate or --key: cannot be read") from trouble
    return context
