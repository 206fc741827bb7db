"""Header fields the upstream receives, and those it must never receive from a client.

Every field that could tell an upstream who the caller is leaves the client's request before ours are set, on every
route, also on those that ask for no token. Names are compared folded, since upstreams differ in what they treat
alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jwtgate.errors import CATALOGUE, AccessRefused, DependencyFault, TokenRefused
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.facts import IssuedToken
from jwtgate.policy.provisions import Form, IdentityField, Issue, Origin
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.traffic.forwarding import (
    Respond,
    RespondAsCalled,
    Responding,
    RespondRefusal,
    Rewriting,
    worded_answer,
    worded_path,
    worded_query,
)
from jwtgate.policy.value import Known, value_of

MOST_IDENTITY_BYTES = 16 * 1024
"""What the values of all identity fields of one request may add up to."""

_TO_FOLD = re.compile(rb"[^a-z0-9]")
# Everything but visible ASCII and the blank, the percent sign that escapes, and a blank at either end, which would
# be lost on the way (RFC 9110 section 5.5).
_TO_ESCAPE = re.compile(rb"[^ -$&-~]|\A | \Z")
_INVISIBLE = re.compile(rb"[^ -~]|\A | \Z")
# What frames an answer, or belongs to the way it came.
_OF_ONE_HOP = frozenset(
    ("connection", "content-length", "date", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding")
) | {"upgrade"}


class Rewrite(NamedTuple):
    """The fields to set on the way to the upstream, and in its answer, in order; what it is asked for.

    What is to be removed stands in the route. `sent` is a method and a path; None: the client's own. A path with a `?`
    is followed by its own query, and never by that of the client. `respond` is answered instead of all that.
    """

    fields: tuple[tuple[bytes, bytes], ...]
    answer_fields: tuple[tuple[bytes, bytes], ...] = ()
    sent: tuple[str, str] | None = None
    respond: Respond | None = None


def fold(name: bytes) -> bytes:
    """A field name as the most forgiving upstream might read it: `X_User.Id` and `x-user-id` are one."""
    return _TO_FOLD.sub(b"-", name.strip().lower())


def rewrite(known: Known, *, issued: Iterable[tuple[Issue, IssuedToken]]) -> Rewrite:
    """What is sent besides the client's own fields. Refuses `field_value_unsafe`, `path_not_canonical`.

    A route that always refuses does so here, with the reason it names. Fails with `expression_failed` for a value that
    was worked out and cannot be sent.
    """
    try:
        return _rewritten(known, issued)
    except ExpressionFailed as failure:
        cause = str(failure)
    except ValueError:  # a text or a number without a form to send it in
        cause = "a value cannot be sent"
    raise DependencyFault("expression_failed", cause=cause)


def _rewritten(known: Known, issued: Iterable[tuple[Issue, IssuedToken]]) -> Rewrite:
    fields = [(issue.field, f"{issue.prefix}{token.text}".encode()) for issue, token in issued]
    for slot in known.route.slots:
        proven = known.principal.tokens.get(slot.name)
        if slot.original_field is not None and proven is not None:
            fields.append((slot.original_field, _passed_on(slot.original_field, proven.text)))
    route = known.route
    for wanted in (route.identity, route.sent_fields):
        if wanted:
            fields += _set(wanted, known)
    rewriting, respond = route.rewriting, route.respond
    return Rewrite(
        tuple(fields),
        tuple(_set(route.answer_fields, known)) if route.answer_fields else (),
        None if rewriting is None else _sent(rewriting, known),
        None if respond is None else _responded(respond, known),
    )


def _passed_on(name: bytes, credential: str) -> bytes:
    """A credential as a field value. One that a value of the document found may be any text."""
    written = credential.encode()
    if _INVISIBLE.search(written):
        raise TokenRefused("field_value_unsafe", field=name.decode(), cause="a credential that is no field value")
    return written


def _sent(rewriting: Rewriting, known: Known) -> tuple[str, str]:
    """The method and the path for the upstream, and the query where that is not the client's own."""
    request = known.request
    method, path = rewriting.sent(request.method, request.path)
    if rewriting.path_value is not None:
        path = worded_path(value_of(rewriting.path_value, known), rewriting.rules)
    if rewriting.query_value is not None:
        query = value_of(rewriting.query_value, known)
        path += "?" if query is MISSING or query is None else f"?{worded_query(query)}"
    return method, path


def _responded(respond: Responding, known: Known) -> Respond:
    """The answer of the route's own."""
    match respond:
        case Respond():
            return respond
        case RespondAsCalled():
            return _as_called(respond, known)
        case RespondRefusal():
            raise CATALOGUE[respond.reason].raised_as(respond.reason)
    status, body = value_of(respond.status, known), value_of(respond.body, known)
    media_type = value_of(respond.media_type, known)
    return worded_answer(status, body, media_type=media_type, as_json=respond.as_json)


def _as_called(respond: RespondAsCalled, known: Known) -> Respond:
    """The answer of a call without what belongs to the way it came, and with what is told instead."""
    called = known.called[respond.call]
    status = None if respond.status is None else value_of(respond.status, known)
    media_type = None if respond.media_type is None else value_of(respond.media_type, known)
    own_status, own_type = status not in (None, MISSING), media_type not in (None, MISSING)
    told = worded_answer(status if own_status else 200, None, media_type=media_type)
    nominated = {name.strip().lower() for each in called.fields.get("connection", ()) for name in each.split(",")}
    dropped = _OF_ONE_HOP | nominated | ({"content-type"} if own_type else set())
    fields = ((name, value) for name, values in called.fields.items() for value in values if name not in dropped)
    return Respond(
        told.status if own_status else called.status, told.media_type if own_type else None, called.body, tuple(fields)
    )


def _set(wanted: Iterable[IdentityField], known: Known) -> Iterator[tuple[bytes, bytes]]:
    """The fields that have a value."""
    room = MOST_IDENTITY_BYTES
    for identity in wanted:
        value = value_of(identity.value, known)
        in_lines = identity.form is Form.LINES
        for each in value if isinstance(value, list) and in_lines else (value,):
            if each is MISSING or each is None or (in_lines and isinstance(each, list | dict)):
                continue
            written = field_value(identity, each)
            room -= len(written)
            if room < 0:
                raise _unsafe(identity, "too long")
            yield identity.name, written


def field_value(identity: IdentityField, value: object) -> bytes:
    """A claim as a field value: nothing but visible ASCII and inner blanks, the rest percent-encoded.

    Refuses `field_value_unsafe`, `condition_not_met` for the result of an expression (CEL). Raises `ExpressionFailed`.
    """
    if identity.form is Form.BASE64URL:
        return base64url_encode(json_bytes(value)).encode()
    if identity.form is Form.JSON:
        return _escaped(json_bytes(value))
    if isinstance(value, list):
        return _joined(identity, value)
    plain = _plain(identity, value)
    if identity.form is Form.LINES:  # blanks at either end are no part of a field value (RFC 9110 section 5.5)
        plain = plain.strip(b" ")
    return _INVISIBLE.sub(_hex_of, plain) if identity.form in (Form.VISIBLE, Form.LINES) else _escaped(plain)


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


def _unsafe(identity: IdentityField, cause: str) -> Exception:
    """Why a value is no field value: the token's fault, unless it was worked out, or stands in the document."""
    field, value = identity.name.decode(), identity.value
    if value.origin is Origin.EXPRESSION and value.expression is not None:
        return AccessRefused("condition_not_met", expression=value.expression.text, field=field, cause=cause)
    if value.origin in (Origin.LANGUAGE, Origin.CONSTANT):
        return ExpressionFailed(f"{field}: {cause}")
    return TokenRefused("field_value_unsafe", field=field, cause=cause)
