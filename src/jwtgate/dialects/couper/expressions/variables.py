"""What an expression may name: `request`, `env`, `couper`, and what calls were answered with.

A path that is written out is worked out when it is compiled: `request.headers.accept` looks for one field and builds
nothing else. What is not there is null, and never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from jwtgate.dialects.couper.expressions.frame import Constant, Frame, Run
from jwtgate.dialects.couper.expressions.functions import parsed
from jwtgate.dialects.couper.expressions.kinds import member
from jwtgate.policy.calls.call import Called, NeedCall
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.match import path_parameters
from jwtgate.policy.value import Known

Steps = tuple[Any, ...]
Given = Mapping[str, Any]

VERSION = "1"
"""Of the language, since there is no program of that name here."""
_PORTS = {"http": 80, "https": 443}
_FORM = "application/x-www-form-urlencoded"


def reader(root: str, steps: Steps, given: Given) -> Run | None:
    """What reads this path; None for a root that does not exist."""
    make = _ROOTS.get(root)
    return make(steps, given) if make is not None else None


def along(run: Run, steps: Steps) -> Run:
    """What follows these steps from what `run` gives."""
    if not steps:
        return run
    if isinstance(run, Constant):
        value = run.value
        for step in steps:
            value = member(value, step)
        return Constant(value)
    first, rest = steps[0], steps[1:]
    if isinstance(first, str) and not first.isdecimal():

        def named(frame: Frame) -> Any:
            value = run(frame)
            return value.get(first) if isinstance(value, dict) else None

        return along(named, rest)
    return along(lambda frame: member(run(frame), first), rest)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _remembered(known: Known, key: Hashable, make: Callable[[], Any]) -> Any:
    """What was made once for this request, however many expressions look at it."""
    if key not in known.answers:
        known.answers[key] = make()
    return known.answers[key]


def _host(request: RequestView) -> str:
    return urlsplit(request.origin).hostname or request.host


def _port(request: RequestView) -> int | None:
    parts = urlsplit(request.origin)
    try:
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _field(request: RequestView, name: bytes) -> str | None:
    for other, value in request.fields:
        if other == name:
            return _text(value)
    return None


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _fields(request: RequestView) -> dict[str, str]:
    return _first((_text(name), _text(value)) for name, value in request.fields)


def _cookies(values: Iterable[str]) -> dict[str, str]:
    pairs = (pair.strip(" \t").partition("=") for value in values for pair in value.split(";"))
    return _first((name, value.strip('"')) for name, found, value in pairs if found)


def _request_cookies(request: RequestView) -> dict[str, str]:
    return _cookies(map(_text, request.field_values(b"cookie")))


def _parameters(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair and ";" not in pair:
            name, _, value = pair.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return found


def _media_type(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def _json(body: bytes | None, media_type: str) -> Any:
    if body is None or not (media_type == "application/json" or media_type.endswith("+json")):
        return None
    try:
        return parsed(body)
    except ValueError:
        return None


def _json_body(known: Known) -> Any:
    request = known.request
    return _remembered(
        known, (_json_body, "request"), lambda: _json(request.body, _media_type(_field(request, b"content-type")))
    )


def _form_body(known: Known) -> dict[str, list[str]]:
    request = known.request
    if request.body is None or _media_type(_field(request, b"content-type")) != _FORM:
        return {}
    body = request.body
    return _remembered(known, (_form_body, "request"), lambda: _parameters(_text(body)))  # type: ignore[no-any-return]


def _path_parameters(known: Known) -> dict[str, str]:
    found = path_parameters(known.route.templates, known.request.path)
    return {name: unquote(segment) for name, segment in found.items()}


_OF_REQUEST: dict[str, Run] = {
    "body": lambda frame: None if frame.known.request.body is None else _text(frame.known.request.body),
    "cookies": lambda frame: _request_cookies(frame.known.request),
    "form_body": lambda frame: _form_body(frame.known),
    "headers": lambda frame: _fields(frame.known.request),
    "host": lambda frame: _host(frame.known.request),
    "id": lambda frame: frame.known.request.id,
    "json_body": lambda frame: _json_body(frame.known),
    "method": lambda frame: frame.known.request.method,
    "origin": lambda frame: frame.known.request.origin,
    "path": lambda frame: unquote(frame.known.request.path),
    "path_params": lambda frame: _path_parameters(frame.known),
    "port": lambda frame: _port(frame.known.request),
    "protocol": lambda frame: urlsplit(frame.known.request.origin).scheme,
    "query": lambda frame: _parameters(frame.known.request.query),
    "remote_ip": lambda frame: frame.known.request.client,
    "url": lambda frame: frame.known.request.url,
}


def _of_request(steps: Steps, given: Given) -> Run:
    if not steps:
        context = _context((), given)
        return lambda frame: {**{name: run(frame) for name, run in _OF_REQUEST.items()}, "context": context(frame)}
    name, rest = steps[0], steps[1:]
    if name == "context":
        return _context(rest, given)
    if name == "headers" and rest and isinstance(rest[0], str):
        field = rest[0].encode("utf-8", "replace")
        return along(lambda frame: _field(frame.known.request, field), rest[1:])
    if name == "path_params" and rest and isinstance(rest[0], str):
        return along(_parameter(rest[0]), rest[1:])
    run = _OF_REQUEST.get(name)
    return Constant(None) if run is None else along(run, rest)


def _parameter(name: str) -> Run:
    def read(frame: Frame) -> Any:
        value = frame.known.parameter(name)
        return None if value is MISSING else value

    return read


def _granted(frame: Frame) -> list[str] | None:
    return list(frame.known.principal.permissions) or None


def _context(steps: Steps, given: Given) -> Run:
    slots: Mapping[str, str] = given.get("slots", {})
    required: Run = given.get("required_permission", Constant(None))
    if not steps:
        return lambda frame: _whole_context(frame, slots, required)
    label, rest = steps[0], steps[1:]
    if label == "granted_permissions":
        return along(_granted, rest)
    if label == "required_permission":
        return along(required, rest)
    if label not in slots:
        return Constant(None)
    slot = slots[label]
    if not rest:
        return lambda frame: _claims(frame.known, slot)
    claim, rest = rest[0], rest[1:]

    def read(frame: Frame) -> Any:
        proven = frame.known.principal.tokens.get(slot)
        return None if proven is None else proven.token.claims.get(claim)

    return along(read, rest)


def _claims(known: Known, slot: str) -> dict[str, Any] | None:
    proven = known.principal.tokens.get(slot)
    return None if proven is None else dict(proven.token.claims)


def _whole_context(frame: Frame, slots: Mapping[str, str], required: Run) -> dict[str, Any]:
    found: dict[str, Any] = {label: _claims(frame.known, slot) for label, slot in slots.items()}
    found["granted_permissions"] = _granted(frame)
    found["required_permission"] = required(frame)
    return {name: value for name, value in found.items() if value is not None}


def _env(steps: Steps, given: Given) -> Run:
    return along(Constant(dict(given.get("env", {}))), steps)


def _couper(steps: Steps, given: Given) -> Run:
    return along(Constant({"version": VERSION, "environment": given.get("environment", "")}), steps)


Parts = Mapping[str, Callable[[Known, str, Called], Any]]
"""What may be read of a call, by name."""
_OF_RESPONSE: Parts = {
    "body": lambda known, name, called: _text(called.body),
    "cookies": lambda known, name, called: _cookies(called.fields.get("set-cookie", ())),
    "headers": lambda known, name, called: {field: values[0] for field, values in called.fields.items() if values},
    "json_body": lambda known, name, called: _remembered(
        known, (_json_body, name), lambda: _json(called.body, _media_type(_of(called, "content-type")))
    ),
    "status": lambda known, name, called: called.status,
}


def _sent_url(asked: NeedCall) -> str:
    target = asked.call.upstream.targets[0]
    return f"{'https' if target.tls else 'http'}://{target.authority}{asked.target}"


def _sent_fields(asked: NeedCall) -> dict[str, str]:
    return _first((_text(name).lower(), _text(value)) for name, value in asked.fields)


def _sent_type(asked: NeedCall) -> str:
    return _media_type(_sent_fields(asked).get("content-type"))


_OF_SENT: dict[str, Callable[[NeedCall], Any]] = {
    "body": lambda asked: None if asked.body is None else _text(asked.body),
    "form_body": lambda asked: _parameters(_text(asked.body or b"")) if _sent_type(asked) == _FORM else {},
    "headers": _sent_fields,
    "json_body": lambda asked: _json(asked.body, _sent_type(asked)),
    "method": lambda asked: asked.method,
    "path": lambda asked: unquote(asked.target.partition("?")[0]),
    "query": lambda asked: _parameters(asked.target.partition("?")[2]),
    "url": _sent_url,
}
_OF_REQUESTS: Parts = {
    part: lambda known, name, called, read=read: None if called.asked is None else read(called.asked)  # type: ignore[misc]
    for part, read in _OF_SENT.items()
}


def _of(called: Called, field: str) -> str | None:
    values = called.fields.get(field)
    return values[0] if values else None


def _calls(parts: Parts, steps: Steps, given: Given) -> Run:
    calls: Mapping[str, str] = given.get("calls", {})
    if not steps:
        runs = {name: _call(parts, (name,), given) for name in calls}
        return lambda frame: {name: run(frame) for name, run in runs.items()}
    return _call(parts, steps, given)


def _call(parts: Parts, steps: Steps, given: Given) -> Run:
    name: str | None = given.get("calls", {}).get(steps[0])
    if name is None:
        return Constant(None)
    if len(steps) == 1:
        return lambda frame: _whole(parts, frame.known, name)
    read = parts.get(steps[1])
    if read is None:
        return Constant(None)

    def one(frame: Frame) -> Any:
        called = frame.known.called.get(name)
        return None if called is None else read(frame.known, name, called)

    return along(one, steps[2:])


def _whole(parts: Parts, known: Known, name: str) -> dict[str, Any] | None:
    called = known.called.get(name)
    return None if called is None else {part: read(known, name, called) for part, read in parts.items()}


def _nothing(steps: Steps, given: Given) -> Run:
    return Constant(None)


_ROOTS: dict[str, Callable[[Steps, Given], Run]] = {
    "backend_request": lambda steps, given: _calls(_OF_REQUESTS, ("default", *steps), given),
    "backend_requests": partial(_calls, _OF_REQUESTS),
    "backend_response": lambda steps, given: _calls(_OF_RESPONSE, ("default", *steps), given),
    "backend_responses": partial(_calls, _OF_RESPONSE),
    "backends": _nothing,
    "couper": _couper,
    "env": _env,
    "request": _of_request,
}
"""What is known of backends is not kept: it is null."""
ROOTS = frozenset(_ROOTS)
