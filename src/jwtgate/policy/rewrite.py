"""Header fields the upstream receives, and those it must never receive from a client.

Every field that could tell an upstream who the caller is leaves the client's request before ours are set, on every
route, also on those that ask for no token. Names are compared folded, since upstreams differ in what they treat
alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.policy.claims import MISSING
from jwtgate.policy.facts import IssuedToken
from jwtgate.policy.identify import Principal
from jwtgate.policy.plan import Form, IdentityField, Issue, Route
from jwtgate.policy.request import RequestView
from jwtgate.policy.value import value_of

VALUE_LIMIT_BYTES = 8 * 1024
_TO_FOLD = re.compile(rb"[^a-z0-9]")
# Visible ASCII and the blank, without the percent sign that escapes the rest.
_TO_ESCAPE = re.compile(rb"[^\x20-\x24\x26-\x7e]")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The fields to set on the way to the upstream, in order. What is to be removed stands in the route."""

    fields: tuple[tuple[bytes, bytes], ...]


def fold(name: bytes) -> bytes:
    """A field name as the most forgiving upstream might read it: `X_User.Id` and `x-user-id` are one."""
    return _TO_FOLD.sub(b"-", name.strip().lower())


def rewrite(
    route: Route, request: RequestView, principal: Principal, *, issued: Iterable[tuple[Issue, IssuedToken]]
) -> Rewrite:
    """What the upstream receives besides the client's own fields. Refuses `field_value_unsafe`."""
    fields = [(issue.field, f"{issue.prefix}{token.text}".encode()) for issue, token in issued]
    for identity in route.identity:
        value = value_of(identity.value, request, principal)
        if value is not MISSING and value is not None:
            fields.append((identity.name, field_value(identity, value)))
    return Rewrite(tuple(fields))


def field_value(identity: IdentityField, value: object) -> bytes:
    """A claim as a field value: nothing but visible ASCII and inner blanks, the rest percent-encoded."""
    written = _written(identity, value)
    if len(written) > VALUE_LIMIT_BYTES:
        raise TokenRefused("field_value_unsafe", field=identity.name.decode(), cause="too long")
    return written


def _written(identity: IdentityField, value: object) -> bytes:
    if identity.form is Form.BASE64URL:
        return base64url_encode(json_bytes(value)).encode()
    if identity.form is Form.JSON:
        return _escaped(json_bytes(value))
    if isinstance(value, list):
        escaped_separator = "".join(f"%{byte:02X}" for byte in identity.separator.encode()).encode()
        separator = identity.separator.encode()
        items = (_escaped(_scalar(identity, item)).replace(separator, escaped_separator) for item in value)
        return separator.join(items)
    return _escaped(_scalar(identity, value))


def _scalar(identity: IdentityField, value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int | float):  # bool is an int, and JSON writes it as we want it
        return json_bytes(value)
    raise TokenRefused("field_value_unsafe", field=identity.name.decode(), cause="not a plain value")


def _escaped(text: bytes) -> bytes:
    # Blanks at the ends would be lost on the way (RFC 9110 section 5.5), so those are escaped as well.
    escaped = _TO_ESCAPE.sub(lambda found: b"%%%02X" % found[0][0], text)
    inner = escaped.strip(b" ")
    left = len(escaped) - len(escaped.lstrip(b" "))
    right = len(escaped) - len(inner) - left if inner else 0
    return b"%20" * left + inner + b"%20" * right
