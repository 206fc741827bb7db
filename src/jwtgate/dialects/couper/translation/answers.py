"""What errors look like: Couper's own answers by kind, changed or replaced by the handlers of a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jwtgate.dialects.couper.reading.configuration import (
    AccessControl,
    BasicAuth,
    Edits,
    Endpoint,
    ErrorHandler,
    ErrorHandlers,
    Jwt,
    Place,
    Response,
    Source,
    Text,
)
from jwtgate.dialects.couper.translation.access_log import log_of
from jwtgate.dialects.couper.translation.backends.calls import blocks_of, calls_of
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import Changes, as_fields, change_responses, set_fields, take_media_type
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import (
    VARIES,
    Around,
    constant_of,
    source_of,
    special,
    status_of,
    value_of,
    whole_status,
)
from jwtgate.dialects.dialect import as_name, literal

SERVER = "couper.io"
JSON, HTML, PLAIN = "application/json", "text/html", "text/plain"
_INVALID = 'error="invalid_token"'
_DPOP = 'DPoP algs="RS256 RS384 RS512 ES256 ES384 ES512"'
_PARAMETERS: Mapping[str, str] = {
    "jwt_token_missing": "",
    "jwt_token_invalid": _INVALID,
    "jwt_token_expired": f'{_INVALID}, error_description="The access token expired"',
    "jwt_token_inactive": f'{_INVALID}, error_description="The access token is inactive"',
}
_OF_JWT: Mapping[str, tuple[str, ...]] = {
    "jwt_token_missing": ("credential_missing", "credential_repeated"),
    "jwt_token_expired": ("token_expired",),
    "jwt_token_inactive": ("token_inactive",),
    "jwt_token_invalid": ("token_refused", "request_refused", "issuer_unreachable"),
    "jwt": ("introspection_unreachable",),
}
_OF_BASIC_AUTH: Mapping[str, tuple[str, ...]] = {
    "basic_auth_credentials_missing": ("credential_missing",),
    "basic_auth": ("token_refused", "request_refused"),
}
_OF_ROUTES: Mapping[str, str] = {
    "insufficient_permissions": "permission_missing",
    "backend_timeout": "upstream_slow",
    "unexpected_status": "upstream_unexpected",
    "backend": "upstream_fault",
}
_FAULTS = frozenset({"issuer_unreachable", "introspection_unreachable", "upstream_slow", "upstream_fault"})
_FAULTS_OF_CALLS = frozenset({"upstream_unexpected"})
_FROM = 400
_PASSED_BACK = ("content-type", "location", "set-cookie", "www-authenticate", "retry-after", "etag", "last-modified")
_PRIVATE = Text('"private"', Place("", 0, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class Surface:
    """How the answers of one route look, whoever gives them.

    `edits` are those of the blocks around, each with its place, in the order they apply; `cors` the fields of `cors`.
    `calls` collects what handlers ask of backends.
    """

    around: Around
    is_api: bool = False
    error_file: Path | None = None
    edits: tuple[tuple[Edits, str], ...] = ()
    cors: Section = field(default_factory=dict)
    private: bool = False
    path: str = ""
    calls: dict[str, Section] = field(default_factory=dict)


def standard(draft: Draft, surface: Surface, *, handler: ErrorHandler | None = None) -> Section:
    """The answer to an error, but for its status: that which a handler without a response changes, or nobody does."""
    changes = Changes()
    own = () if handler is None else ((handler.edits, place_of(handler)),)
    for edits, place in (*own, *surface.edits):
        change_responses(draft, changes, edits, place)
    error_file = surface.error_file if handler is None else handler.error_file or surface.error_file
    ours = {"Retry-After": None, "Server": SERVER, "Couper-Error": special("@error_synopsis"), **surface.cors}
    body = _error_body(surface, error_file)
    media = take_media_type(draft, changes, surface.around)
    told = {} if media is None else {"content_type": media}
    fields = _with_changes(draft, surface, ours, changes)
    return {"headers": fields, **body, **told, "challenge": False}


def _with_changes(draft: Draft, surface: Surface, ours: Section, changes: Changes) -> Section:
    """Our fields with these changes, and what tells caches that the answer is for one caller alone."""
    if surface.private:
        changes.add("cache-control", _PRIVATE)
    fields = as_fields(draft, changes, surface.around)
    kept = {name: value for name, value in ours.items() if name.lower() not in {*changes.removed, *fields}}
    return {"Cache-Control": None, **kept, **fields} if "cache-control" not in fields else {**kept, **fields}


def _error_body(surface: Surface, error_file: Path | None) -> Section:
    if error_file is not None:
        is_json = error_file.suffix == ".json"
        template = error_file.read_text("utf-8")
        body = special("@error_template", template=literal(template))
        return {"body": body, "content_type": JSON if is_json else HTML}
    if surface.is_api:
        return {"body": special("@error_body_json"), "content_type": JSON}
    return {"body": special("@error_body_html"), "content_type": HTML}


def of_route(draft: Draft, surface: Surface, handlers: ErrorHandlers) -> Section:
    """The answers of a route, but for those of its slots."""
    answers: Section = {"*": standard(draft, surface)}
    for kind, reason in _OF_ROUTES.items():
        handler = handlers.for_kind(kind)
        if handler is not None:
            answers |= _answer(draft, surface, handler, reason=reason, status=None, challenge=None)
    return answers


def of_slot(draft: Draft, surface: Surface, control: AccessControl) -> Section:
    """The answers to what is wrong with the credential of one access control."""
    if isinstance(control, BasicAuth):
        return dict(_of_basic_auth(draft, surface, control))
    answers: Section = {}
    for kind, reasons in _OF_JWT.items():
        status = _status_of_failed_introspection(draft) if kind == "jwt" else 401
        handler = control.handler_for(kind)
        challenge = _challenge(control, kind)
        for reason in reasons:
            if not _may_be(reason, control):
                continue
            if handler is None:
                answers[reason] = _built_in(draft, surface, reason, status=status, challenge=challenge)
                continue
            answers |= _answer(draft, surface, handler, reason=reason, status=status, challenge=challenge)
    return answers


def _may_be(reason: str, jwt: Jwt) -> bool:
    if reason == "issuer_unreachable":
        return jwt.jwks_url is not None
    return jwt.introspection is not None or reason not in ("introspection_unreachable", "token_inactive")


def _of_basic_auth(draft: Draft, surface: Surface, control: BasicAuth) -> Iterator[tuple[str, Section]]:
    realm = f'Basic realm="{control.realm}"' if control.realm else "Basic"
    for kind, reasons in _OF_BASIC_AUTH.items():
        handler = control.error_handlers.for_kind(kind)
        for reason in reasons:
            if handler is None:
                yield reason, _built_in(draft, surface, reason, status=401, challenge=realm)
                continue
            yield from _answer(draft, surface, handler, reason=reason, status=401, challenge=realm).items()


def _status_of_failed_introspection(draft: Draft) -> int:
    status = draft.option("introspection_failure_status")
    return status if isinstance(status, int) else 403


def _challenge(control: Jwt, kind: str) -> str | None:
    """The challenge Couper makes by itself; None: none."""
    if not control.is_bearer or kind not in _PARAMETERS:
        return None
    parameters = _PARAMETERS[kind]
    if control.source is Source.BEARER:
        return f"Bearer {parameters}".rstrip()
    if kind == "jwt_token_inactive":
        return None
    return f"{_DPOP}, {parameters}" if parameters else _DPOP


def _built_in(draft: Draft, surface: Surface, reason: str, *, status: int, challenge: str | None) -> Section:
    answer = {"status": status, **standard(draft, surface)}
    if challenge is not None:
        answer["headers"] = {**answer["headers"], "WWW-Authenticate": challenge}
    return answer | _allowed(reason, status)


def _allowed(reason: str, status: int) -> Section:
    """What has to be said where a fault of ours may look like a refusal."""
    return {"fault_may_answer_401_for_legacy_clients": True} if reason in _FAULTS and status == 401 else {}


def _answer(
    draft: Draft, surface: Surface, handler: ErrorHandler, *, reason: str, status: int | None, challenge: str | None
) -> Section:
    """What a handler answers to a reason. Where it cannot be had, what Couper answers without it."""
    place, calls = place_of(handler), _calls(draft, surface, handler)
    if calls is None:
        return {}
    if calls:
        surface = replace(surface, around=replace(surface.around, calls={**surface.around.calls, **calls}))
    answer = _handled(draft, surface, handler, status=status) | ({"calls": list(calls.values())} if calls else {})
    told = answer.get("status")
    if reason in _FAULTS | _FAULTS_OF_CALLS and isinstance(told, int) and told < _FROM:
        sentence = f"Where we fail ourselves, which is no mistake of a caller's, it is answered with {status or 502}."
        draft.notes.changed(f"{place}/status", sentence)
        return {reason: _built_in(draft, surface, reason, status=status or 502, challenge=challenge)}
    if handler.response is not None:
        answer |= _unless_it_fails(draft, handler.response, told, surface.around, calls=calls)
    return {reason: answer | _allowed(reason, told if isinstance(told, int) else 0)}


def _unless_it_fails(draft: Draft, response: Response, status: Any, around: Around, *, calls: Iterable[str]) -> Section:
    """The status, unless something in the answer or a call fails: then that which belongs to the error stands."""
    varying = [
        text.source
        for text in (response.status, response.headers, response.body, response.json_body)
        if text is not None and constant_of(draft, text) is VARIES
    ]
    answered = [f"backend_responses[{source_of(name)}].status != null" for name in calls]
    if not varying and not answered:
        return {}
    whole = whole_status(response.status)
    told = whole.source if whole is not None else str(status)
    holds = " && ".join([f"can([{', '.join(f'({source})' for source in varying)}])", *answered])
    guarded = f"{holds} ? {told} : null"
    return {"status": value_of(draft, Text(guarded, response.place), around)}


def _calls(draft: Draft, surface: Surface, handler: ErrorHandler) -> dict[str, str] | None:
    """What a handler asks of backends first, in order: our names by Couper's. None where that cannot be asked."""
    where = f"{handler.place.file}-{handler.place.line}-{handler.place.column}"
    asked = Endpoint(surface.path, surface.path, handler.place, proxies=handler.proxies, requests=handler.requests)
    names = {block.name: as_name(f"{block.name}-{where}") for block in blocks_of(asked)}
    calls = calls_of(draft, asked, replace(surface.around, calls={**surface.around.calls, **names}))
    if calls is None:
        return None
    surface.calls.update({name: {**call, "for_answers": True} for name, call in calls.items()})
    by_ours = {ours: name for name, ours in names.items()}
    return {by_ours[ours]: ours for ours in calls}


def _handled(draft: Draft, surface: Surface, handler: ErrorHandler, *, status: int | None) -> Section:
    place, around, response = place_of(handler), surface.around, handler.response
    logged = log_of(draft, (handler.custom_log_fields,), around, place)
    log = {"log": logged} if logged else {}
    if response is None and (handler.proxies or handler.requests):
        return {**_passed_on(draft, surface, handler), **log}
    if response is None:
        told = _status(draft, handler.edits.set_response_status, status, around)
        return {**told, **standard(draft, surface, handler=handler), **log}
    changes = Changes()
    set_fields(draft, changes, response.headers, f"{place_of(response)}/headers")
    for edits, where in ((handler.edits, place), *surface.edits):
        change_responses(draft, changes, edits, where)
    content = own_content(draft, changes, response.body, response.json_body, around)
    fields = _with_changes(draft, surface, {"Server": SERVER, **surface.cors}, changes)
    told = _status(draft, whole_status(response.status), 200, around)
    return {**told, "headers": fields, **({"body": "", "content_type": PLAIN} | content), "challenge": False, **log}


def _passed_on(draft: Draft, surface: Surface, handler: ErrorHandler) -> Section:
    """What a backend answers to what a handler asks it."""
    place, around = handler.place, surface.around
    changes = Changes()
    for name in _PASSED_BACK:
        changes.put(name, Text(f'backend_responses.default.headers["{name}"]', place))
    for edits, where in ((handler.edits, place_of(handler)), *surface.edits):
        change_responses(draft, changes, edits, where)
    content = own_content(draft, changes, Text("backend_responses.default.body", place), None, around)
    fields = _with_changes(draft, surface, {"Server": SERVER, **surface.cors}, changes)
    status = handler.edits.set_response_status or Text("backend_responses.default.status", place)
    return {**_status(draft, status, None, around), "headers": fields, **content, "challenge": False}


def _status(draft: Draft, text: Text | None, status: int | None, around: Around) -> Section:
    told = status if text is None else status_of(draft, text, around)
    return {} if told is None else {"status": told}


def own_content(draft: Draft, changes: Changes, body: Text | None, json_body: Text | None, around: Around) -> Section:
    """The body of an answer of our own and its media type, which is taken from the fields where it stands there."""
    told = take_media_type(draft, changes, around)
    media: Any = (PLAIN if json_body is None else JSON) if told is None else told
    if json_body is not None:
        body = Text(f"json_encode({json_body.source})", json_body.place)
    if body is None:
        return {"body": "", "content_type": media} if told is not None else {}
    constant = value_of(draft, body, around).get("constant")
    if isinstance(constant, str):
        return {"body": constant, "content_type": media}
    if json_body is None:  # no body is an empty one, not that of somebody else
        body = Text(f'default({body.source}, "")', body.place)
    return {"body": value_of(draft, body, around), "content_type": media}
