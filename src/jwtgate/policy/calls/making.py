"""The calls a route makes once the caller is let through: what each asks, worked out, and the answers kept.

An upstream of the document is asked, always; a request takes part in the path and the query alone, and a path that
could be read in two ways refuses the request instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from jwtgate.errors import DependencyFault, UpstreamFault
from jwtgate.jose.encoding import json_bytes
from jwtgate.policy.calls.call import BodyForm, Call, NeedCall
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.facts import Steps, find_called
from jwtgate.policy.provisions import Form, IdentityField, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.rewrite import MOST_IDENTITY_BYTES, field_value
from jwtgate.policy.traffic.forwarding import parameter_pairs, worded_path, worded_query
from jwtgate.policy.value import Known, asking, value_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_TARGET_BYTES = 8 * 1024


def make_calls(known: Known) -> Steps[None]:
    """Make the calls of the route, in order; `known.called` has what was answered.

    Fails with what the upstream fails with, `upstream_unexpected`, and `expression_failed` for a call without sense.
    """
    yield from _made(known, (call for call in known.route.calls if not call.for_answers))


def make_calls_for(known: Known, names: Iterable[str]) -> Steps[None]:
    """Make the calls of these names, for the answer to a refusal or a fault. It fails as `make_calls` does."""
    calls = {call.name: call for call in known.route.calls}
    yield from _made(known, (calls[name] for name in names))


def _made(known: Known, calls: Iterable[Call]) -> Steps[None]:
    for call in calls:
        need = yield from asking(known, partial(worked_out, call, known))
        called = yield from find_called(need)
        known.note_called(call.name, replace(called, asked=need))
        if call.expected and called.status not in call.expected:
            raise UpstreamFault("upstream_unexpected", call=call.name, status=called.status)


def worked_out(call: Call, known: Known) -> NeedCall:
    """The call with all it says. Refuses `path_not_canonical`; fails with `expression_failed`."""
    try:
        return _worked_out(call, known)
    except ExpressionFailed as failure:
        raise _senseless(call, str(failure)) from None
    except ValueError:  # a text or a number without a form to send it in
        raise _senseless(call, "a value of it cannot be sent") from None


def _worked_out(call: Call, known: Known) -> NeedCall:
    method = value_of(call.method, known)
    if not isinstance(method, str) or method not in _METHODS:
        raise _senseless(call, "its method is none that is served")
    path, query = worded_path(value_of(call.path, known)), _query(call, known)
    if len(path) + len(query) > _MOST_TARGET_BYTES:
        raise _senseless(call, "its path and query are too long")
    fields, body = tuple(_fields(call, known)), _body(call, known)
    if body is not None and not any(name.lower() == b"content-type" for name, _ in fields):
        fields = (*fields, (b"Content-Type", call.form.value.encode()))
    return NeedCall(call, method, f"{path}{query}", fields, body)


def _senseless(call: Call, cause: str) -> DependencyFault:
    return DependencyFault("expression_failed", call=call.name, cause=cause)


def _query(call: Call, known: Known) -> str:
    said = MISSING if call.query is None else value_of(call.query, known)
    query = "" if said is MISSING or said is None else worded_query(said)
    return f"?{query}" if query else ""


def _fields(call: Call, known: Known) -> Iterator[tuple[bytes, bytes]]:
    room = MOST_IDENTITY_BYTES
    for name, value in call.fields:
        for each in _several(value, known):
            written = field_value(IdentityField(name, value, Form.LINES), each)
            room -= len(written)
            if room < 0:
                raise _senseless(call, "its header fields are too long")
            yield name, written


def _several(value: Value, known: Known) -> Iterator[object]:
    said = value_of(value, known)
    if said is not MISSING:
        yield from (each for each in (said if isinstance(said, list) else (said,)) if each is not None)


def _body(call: Call, known: Known) -> bytes | None:
    body = MISSING if call.body is None else value_of(call.body, known)
    if body is MISSING or (body is None and call.form is not BodyForm.JSON):
        return None
    if call.form is BodyForm.FORM:
        if not isinstance(body, dict):
            raise _senseless(call, "its form is no object")
        return urlencode(list(parameter_pairs(body))).encode()
    return body.encode() if isinstance(body, str) and call.form is BodyForm.TEXT else json_bytes(body)
