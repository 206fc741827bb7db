"""What becomes of each header field on its way through, in both directions (RFC 9110 section 7.6.1).

The verdict on a name is worked out once and looked up ever after: a request meets one dictionary look-up a field.
Nothing is copied raw: a head is written anew from the fields that were parsed and are to go on.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from http import HTTPStatus

from jwtgate.policy.plan import Plan
from jwtgate.policy.rooms.rewrite import fold

(
    FORWARD,
    REMOVE,
    HOST,
    LENGTH,
    CODING,
    CONNECTION,
    EXPECT,
    UPGRADE,
    AUTHORIZATION,
    COOKIE,
    UNUSUAL,
    CACHE,
    REQUEST_ID,
) = range(13)
"""Verdicts: pass on, drop, or one of the fields that are read on the way."""

MOST_NAMES = 2048
_LONGEST_NAME_BYTES = 64
"""Names remembered for each table; a client that invents more costs itself the working out, not us the memory."""

_READ = {
    b"host": HOST,
    b"content-length": LENGTH,
    b"transfer-encoding": CODING,
    b"connection": CONNECTION,
    b"expect": EXPECT,
    b"upgrade": UPGRADE,
    b"authorization": AUTHORIZATION,
    b"cookie": COOKIE,
}
_HOP_BY_HOP = frozenset(
    {
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"http2-settings",
    }
)
# What only a trusted proxy in front may say about the client; from anybody else it is dropped (SEC-114).
_ONLY_FROM_TRUSTED = re.compile(
    rb"forwarded|x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-url|x-http-method(-override)?|x-method-override"
    rb"|x-envoy-.*|x-(cluster-)?client-ip|true-client-ip|cf-connecting-ip"
    rb"|(x-)?ssl-client.*|x-client-(cert|verify|dn).*|client-cert(-chain)?|x-arr-clientcert|x-amzn-mtls-.*"
)
_USUAL = re.compile(rb"[a-z0-9-]+")


class FieldKinds(dict[bytes, int], ABC):
    """The verdict on each field name, by its raw name."""

    def __missing__(self, name: bytes) -> int:
        kind = self._kind(name.lower())
        if len(self) < MOST_NAMES and len(name) <= _LONGEST_NAME_BYTES:
            self[name] = kind
        return kind

    @abstractmethod
    def _kind(self, name: bytes) -> int:
        """The verdict on this name in lower case."""


class RequestFieldKinds(FieldKinds):
    """The verdict on each field name a client of one plan may send."""

    def __init__(self, plan: Plan, *, trusted: bool) -> None:
        super().__init__()
        self._identity = plan.identity_names
        self._request_id = plan.request_id_field.lower().encode()
        self._unusual = UNUSUAL if plan.refuse_unusual_field_names else REMOVE
        self._trusted = trusted

    def _kind(self, name: bytes) -> int:
        # Fields the decision reads come first: `Authorization` may be both a credential and one of ours to set.
        if name in _READ:
            return _READ[name]
        if fold(name) in self._identity:
            return REMOVE
        if not _USUAL.fullmatch(name):
            return self._unusual
        if name == self._request_id:
            return REQUEST_ID if self._trusted else REMOVE
        if name in _HOP_BY_HOP or (not self._trusted and _ONLY_FROM_TRUSTED.fullmatch(name)):
            return REMOVE
        return FORWARD


class ResponseFieldKinds(FieldKinds):
    """The verdict on each field name an upstream may send back."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._identity = plan.identity_names
        self._ours = {name.lower().encode() for name in (plan.request_id_field, plan.generation_field) if name}

    def _kind(self, name: bytes) -> int:
        # An upstream that echoes what we told it about the caller must not tell the caller.
        if fold(name) in self._identity or name in _HOP_BY_HOP or name in self._ours:
            return REMOVE
        read = _READ.get(name, FORWARD)
        if read in (LENGTH, CODING, CONNECTION, UPGRADE):
            return read
        return CACHE if name == b"cache-control" else FORWARD


class CallFieldKinds(FieldKinds):
    """The verdict on each field name in an answer that only we read: what frames it, and all that says something."""

    def _kind(self, name: bytes) -> int:
        if name in _HOP_BY_HOP:
            return REMOVE
        read = _READ.get(name, FORWARD)
        return read if read in (LENGTH, CODING, CONNECTION, UPGRADE) else FORWARD


STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


def status_line(status: int) -> bytes:
    """The status line for this code (RFC 9112 section 4)."""
    return STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


_HOST = re.compile(rb"([A-Za-z0-9\-._~]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def host_name(value: bytes) -> str | None:
    """The host of a `Host` value in lower case, without its port and the dot of the root; None when it is not valid."""
    found = _HOST.fullmatch(value)
    # With and without its last dot a name is the same, and has the same route.
    return found[1].decode("ascii").lower().removesuffix(".") or None if found else None


def content_length(value: bytes) -> int | None:
    """The length in bytes, or None when the value is anything but 1 to 18 digits (RFC 9110 section 8.6)."""
    return int(value) if value.isdigit() and len(value) <= 18 else None


def nominated(value: bytes) -> set[bytes]:
    """The lower-case names a `Connection` value nominates, `close` and `keep-alive` left out.

    What only a trusted proxy may say is not for a client to take away again (SEC-94).
    """
    names = {name for token in value.lower().split(b",") if (name := token.strip(b" \t"))}
    return {name for name in names - {b"close", b"keep-alive"} if not _ONLY_FROM_TRUSTED.fullmatch(name)}


_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def request_id(value: bytes) -> str | None:
    """The request id a trusted client sent, when it is fit for a log and a field."""
    return value.decode("ascii") if _REQUEST_ID.fullmatch(value) else None
