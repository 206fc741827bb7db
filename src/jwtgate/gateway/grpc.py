"""Calls of gRPC: how long they may take, and what a refusal looks like to those who make them (gRPC over HTTP/2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwtgate.errors import CATALOGUE

if TYPE_CHECKING:
    from jwtgate.gateway.heads.request_head import RequestHead

_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])").fullmatch
_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_CALL = re.compile(rb"application/grpc(?:[+;].*)?", re.IGNORECASE).fullmatch
_UNKNOWN, _DEADLINE_EXCEEDED, _PERMISSION_DENIED, _UNIMPLEMENTED = 2, 4, 7, 12
_INTERNAL, _UNAVAILABLE, _UNAUTHENTICATED = 13, 14, 16
# What gRPC makes of the status of an answer that is none of its own.
_STATUSES = {
    400: _INTERNAL,
    401: _UNAUTHENTICATED,
    403: _PERMISSION_DENIED,
    404: _UNIMPLEMENTED,
    **dict.fromkeys((429, 502, 503, 504), _UNAVAILABLE),
}
# What describes a body, which such an answer does not have.
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language"})
Fields = list[tuple[str, str]]
LATE_END = b"0\r\ngrpc-status: %d\r\ngrpc-message: %b\r\n\r\n" % (
    _DEADLINE_EXCEEDED,
    CATALOGUE["deadline_passed"].sentence.encode(),
)
"""The end of an answer in chunks to a call whose deadline has passed: its status comes behind what it got."""


def is_call(head: RequestHead) -> bool:
    """Whether this request is a call of gRPC."""
    return any(name.lower() == b"content-type" and _CALL(value) is not None for name, value in head.fields)


def call_seconds(head: RequestHead) -> float:
    """How long the caller waits for this call; for ever, where it does not say so as it should."""
    said = [value for name, value in head.fields if name.lower() == b"grpc-timeout"]
    found = _TIMEOUT(said[0]) if len(said) == 1 else None
    return int(found[1]) * _UNITS[found[2]] if found is not None else float("inf")


def call_answer(status: int, fields: Fields, reason: str) -> tuple[int, Fields]:
    """An answer of ours as a call has it: its status and sentence as fields of an answer that is nothing but a head."""
    code = _DEADLINE_EXCEEDED if reason == "deadline_passed" else _STATUSES.get(status, _UNKNOWN)
    sentence = CATALOGUE[reason].sentence if reason in CATALOGUE else ""
    kept = [field for field in fields if field[0].lower() not in _OF_BODY]
    return 200, [("content-type", "application/grpc"), ("grpc-status", str(code)), ("grpc-message", sentence), *kept]
