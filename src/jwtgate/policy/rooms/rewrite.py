"""Header fields the upstream receives, and those it must never receive from a client.

Every field that could tell an upstream who the caller is leaves the client's request before ours are set, on every
route, also on those that ask for no token. Names are compared folded, since upstreams differ in what they treat
alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.policy.facts import IssuedToken
from jwtgate.policy.provisions import Form, IdentityField, Issue
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.value import Known, value_of

MOST_IDENTITY_BYTES = 16 * 1024
"""What the values of all identity fields of one request may add up to."""

_TO_FOLD = re.compile(rb"[^a-z0-9]")
# Everything but visible ASCII and the blank, the percent sign that escapes, and a blank at either end, which would
# be lost on the way (RFC 9110 section 5.5).
_TO_ESCAPE = re.compile(rb"[^ -$&-~]|\A | \Z")
_INVISIBLE = re.compile(rb"[^ -~]|\A | \Z")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The fields to set on the way to the upstream, and in its answer, in order; what it is asked for.

    What is to be removed stands in the route. `sent` is a method and a path; None: the client's own.
    """

    fields: tuple[tuple[bytes, bytes], ...]
    answer_fields: tuple[tuple[bytes, bytes], ...] = ()
    sent: tuple[str, str] | None = None


def fold(name: bytes) -> bytes:
    """A field name as the most forgiving upstream might read it: `X_User.Id` and `x-user-id` are one."""
    return _TO_FOLD.sub(b"-", name.strip().lower())


def rewrite(known: Known, *, issued: Iterable[tuple[Issue, IssuedToken]]) -> Rewrite:
    """What is sent besides the client's own fields. Refuses `field_value_unsafe`, `path_not_canonical`."""
    fields = [(issue.field, f"{issue.prefix}{token.text}".encode()) for issue, token in issued]
    for slot in known.route.slots:
        proven = known.principal.tokens.get(slot.name)
        if slot.original_field is not None and proven is not None:
            fields.append((slot.original_field, proven.text.encode()))
    fields += _set(known.route.identity, known)
    fields += _set(known.route.sent_fields, known)
    answered = _set(known.route.answer_fields, known)
    rewriting, request = known.route.rewriting, known.request
    sent = None if rewriting is None else rewriting.sent(request.method, request.path)
    return Rewrite(tuple(fields), tuple(answered), sent)


def _set(wanted: Iterable[IdentityField], known: Known) -> Iterator[tuple[bytes, bytes]]:
    """The fields that have a value."""
    room = MOST_IDENTITY_BYTES
    for identity in wanted:
        value = value_of(identity.value, known)
        if value is not MISSING and value is not None:
            written = field_value(identity, value)
            room -= len(written)
            if room < 0:
                raise _unsafe(identity, "too long")
            yield identity.name, written


def field_value(identity: IdentityField, value: object) -> bytes:
    """A claim as a field value: nothing but visible ASCII and inner blanks, the rest percent-encoded."""
    if identity.form is Form.BASE64URL:
        return base64url_encode(json_bytes(value)).encode()
    if identity.form is Form.JSON:
        return _escaped(json_bytes(value))
    if isinstance(value, list):
        return _joined(identity, value)
    plain = _plain(identity, value)
    return _INVISIBLE.sub(_hex_of, plain) if identity.form is Form.VISIBLE else _escaped(plain)


def _joined(identity: IdentityField, values: Iterable[object]) -> bytes:
    """The values with the separator between them; where it could begin inside one, that byte is escaped."""
    separator = identity.separator.encode()
    first = separator[:1]
    joined = separator.join(_escaped(_plain(identity, value)).replace(first, _hex(first)) for value in values)
    if joined != joined.strip(b" "):
        raise _unsafe(identity, "an empty element beside a blank")
    return joined


def _plain(identity: IdentityField, value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int | float):  # bool is an int, and JSON writes it as we want it
        return json_bytes(value)
    raise _unsafe(identity, "not a plain value")


def _escaped(text: bytes) -> bytes:
    return _TO_ESCAPE.sub(_hex_of, text)


def _hex_of(found: re.Match[bytes]) -> bytes:
    return _hex(found[0])


def _hex(byte: bytes) -> bytes:
    return b"%%%02X" % ord(byte)


def _unsafe(identity: IdentityField, cause: str) -> TokenRefused:
    return TokenRefused("field_value_unsafe", field=identity.name.decode(), cause=cause)
