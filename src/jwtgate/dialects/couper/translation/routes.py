"""Endpoints, and the paths nobody serves, as routes of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from jwtgate.dialects.couper.expressions.language import given_needed
from jwtgate.dialects.couper.reading.configuration import (
    AccessControl,
    Api,
    Cors,
    Edits,
    Endpoint,
    ErrorHandlers,
    Jwt,
    Proxy,
    Server,
    Text,
)
from jwtgate.dialects.couper.translation import cors as cors_of
from jwtgate.dialects.couper.translation.access_log import log_of
from jwtgate.dialects.couper.translation.answers import SERVER, Surface, of_route, own_content
from jwtgate.dialects.couper.translation.backends.calls import blocks_of, calls_of, names_of, texts_of, texts_of_answers
from jwtgate.dialects.couper.translation.backends.forwarding import forwarded
from jwtgate.dialects.couper.translation.controls.slots import is_private, reads_body_first, share_a_place, slots_of
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import (
    Changes,
    as_own_fields,
    as_response_headers,
    change_responses,
    sends_own_cookies,
    set_fields,
    sets_media_type,
    take_media_type,
)
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.routing import below, is_template, templates_of
from jwtgate.dialects.couper.translation.values import (
    VARIES,
    Around,
    constant_of,
    reads_body,
    special,
    status_of,
    value_of,
    whole_status,
)
from jwtgate.dialects.dialect import literal

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NEVER = frozenset({"CONNECT", "TRACE"})
_FAILED: Section = {"auth": "none", "respond": {"status": 503, "body": "", "headers": {"Server": SERVER}}}
_NO_METHOD: Section = {"respond": {"refusal": "method_not_permitted"}}

Named = Iterator[tuple[str, Section]]


def routes_of(draft: Draft, server: Server, api: Api | None, endpoint: Endpoint, keys: Section) -> Named:
    """The routes of an endpoint, each with what its name ends in; the first to be tried first."""
    if not is_template(endpoint.path):
        draft.notes.refused(place_of(endpoint), "A parameter of a path is a whole segment.")
        return
    keys = {"paths": templates_of(endpoint.path), **keys}
    methods = _methods(endpoint.allowed_methods)
    if endpoint.cors is not None and endpoint.cors.allowed_origins:
        yield "-preflight", {**cors_of.with_condition(keys), **cors_of.preflight(endpoint.cors, methods)}
    around = Around(endpoint.access_control, names_of(endpoint), endpoint.required_permission)
    surface = _surface(draft, server, api, endpoint.access_control, cors=endpoint.cors)
    surface = replace(surface, around=around, error_file=endpoint.error_file, path=endpoint.path)
    done = _done(draft, endpoint, surface) if methods else _NO_METHOD
    if done is None:
        yield "", {**keys, **_FAILED}
        return
    asked = _asked(draft, endpoint.access_control, surface)
    answers = of_route(draft, surface, endpoint.error_handlers)
    section = {
        **keys,
        **asked,
        **({"methods_permitted": list(methods)} if methods else {}),
        **_permission(draft, endpoint, around),
        **_with_calls(done, surface),
        **_limits(draft, endpoint, surface),
    }
    log = _log(draft, endpoint.access_control, endpoint.custom_log_fields, around, place_of(endpoint))
    yield "", {**section, "answers": answers, **({"log": log} if log else {})}


def nowhere(draft: Draft, server: Server, api: Api | None, keys: Section) -> Named:
    """The routes of what no endpoint of an api or a server takes: who may not come in is not told what there is not."""
    block = api or server
    around = Around(block.access_control)
    surface = _surface(draft, server, api, block.access_control, cors=block.cors)
    keys = {"paths": templates_of(below(block.base_path)), **keys}
    if block.cors is not None and block.cors.allowed_origins:
        yield "-preflight", {**cors_of.with_condition(keys), **cors_of.preflight(block.cors, METHODS)}
    log = _log(draft, block.access_control, block.custom_log_fields, around, place_of(block))
    section = {**keys, **_asked(draft, block.access_control, surface), "respond": {"refusal": "route_unknown"}}
    section = _with_calls(section, surface)
    answers = of_route(draft, surface, ErrorHandlers())
    yield "", {**section, "answers": answers, **({"log": log} if log else {})}


def _surface(draft: Draft, server: Server, api: Api | None, labels: Sequence[str], *, cors: Cors | None) -> Surface:
    block = api or server
    return Surface(
        Around(tuple(labels)),
        is_api=api is not None,
        error_file=block.error_file,
        edits=_outer(server, api),
        cors=cors_of.fields_of(cors),
        private=any(is_private(draft.control(label)) for label in labels),
    )


def _outer(server: Server, api: Api | None) -> tuple[tuple[Edits, str], ...]:
    """The blocks around an endpoint, the order their modifiers apply in."""
    blocks: Iterable[Api | Server] = (server,) if api is None else (api, server)
    return tuple((block.edits, place_of(block)) for block in blocks)


def _asked(draft: Draft, labels: Sequence[str], surface: Surface) -> Section:
    if not labels:
        return {"auth": "none"}
    slots = slots_of(draft, labels, surface)
    shared = {"slots_may_share_a_place": True} if share_a_place(slots) else {}
    return {"auth": "required", "slots": slots, **shared}


def _methods(allowed: Sequence[str] | None) -> tuple[str, ...]:
    if allowed is None:
        return METHODS
    named = (each for name in allowed for each in (METHODS if name == "*" else (name.upper(),)))
    return tuple(name for name in dict.fromkeys(named) if name not in _NEVER)


def _permission(draft: Draft, endpoint: Endpoint, around: Around) -> Section:
    text = endpoint.required_permission
    if text is None:
        return {}
    constant = constant_of(draft, text)
    if constant == "":
        return {}
    if not endpoint.access_control:
        place = f"{place_of(endpoint)}/required_permission"
        draft.notes.refused(place, "Nobody can be granted a permission where no access_control asks who it is.")
        return {}
    if isinstance(constant, str):
        return {"permission": literal(constant)}
    if isinstance(constant, dict) and all(isinstance(each, str) for each in constant.values()):
        if len({name.upper() for name in constant}) < len(constant):
            draft.notes.refused(f"{place_of(endpoint)}/required_permission", "A method stands in it twice.")
        return {"permission": _by_method(constant)}
    if draft.option("undefined_permission_is_none"):
        draft.notes.dangerous(f"{place_of(endpoint)}/required_permission", "Without a value it asks for none.")
        text = Text(f'default(({text.source}), "")', text.place)
    if constant is not VARIES:
        return {"permission": special(text.source)}  # which fails, as it should
    return {"permission": value_of(draft, text, around)}


def _by_method(permissions: dict[str, Any]) -> Section:
    named = {name.upper(): literal(permission) for name, permission in permissions.items()}
    every = named.pop("*", None)
    return named if every is None else {**dict.fromkeys(METHODS, every), **named}


def _limits(draft: Draft, endpoint: Endpoint, surface: Surface) -> Section:
    """How large a body may be, and whether it is read first."""
    limit = endpoint.request_body_limit
    texts = [text for block in blocks_of(endpoint) for text in texts_of(block)]
    response = endpoint.response
    if response is not None:
        found = (response.status, response.headers, response.body, response.json_body)
        texts += [text for text in found if text is not None]
    texts += [text for text in (endpoint.required_permission, *endpoint.custom_log_fields) if text is not None]
    proxied = bool(endpoint.proxies) and not _is_forwarded(endpoint, surface)
    if proxied or surface.calls or reads_body(texts) or reads_body_first(draft, endpoint.access_control):
        return {"body_limit_bytes": limit, "body_read_before_decision_bytes": max(limit, 1)}
    return {"body_limit_bytes": limit}


def _is_forwarded(endpoint: Endpoint, surface: Surface) -> bool:
    """Whether requests are sent on as they come; else an answer is worked out."""
    if len(endpoint.proxies) != 1 or endpoint.requests or endpoint.response is not None:
        return False
    proxy = endpoint.proxies[0]
    asked = [endpoint.edits, proxy.edits, *([] if proxy.backend is None else [proxy.backend.edits])]
    if any(map(sends_own_cookies, asked)):
        return False
    # What is passed on keeps its status and its media type, whatever it is; a call is looked at.
    edits = [edits for edits, _ in _edits(endpoint, surface)]
    if proxy.expected_status or any(each.set_response_status or sets_media_type(each) for each in edits):
        return False
    texts = (*endpoint.custom_log_fields, *(text for each in edits for text in texts_of_answers(each)))
    return not any(_reads_calls(text) for text in texts)


def _edits(endpoint: Endpoint, surface: Surface) -> Iterator[tuple[Edits, str]]:
    """What modifies the answer of the one block that is passed on, the order it applies in, with places."""
    block = next((each for each in blocks_of(endpoint) if each.name == "default"), None)
    if block is not None and block.backend is not None:
        yield block.backend.edits, place_of(block.backend)
    if isinstance(block, Proxy):
        yield block.edits, place_of(block)
    yield endpoint.edits, place_of(endpoint)
    yield from surface.edits


def _reads_calls(text: Text) -> bool:
    return given_needed(text.source).calls != frozenset()


def _done(draft: Draft, endpoint: Endpoint, surface: Surface) -> Section | None:
    """What a route does with requests that are let in; None where that cannot be said."""
    if _is_forwarded(endpoint, surface):
        keys = forwarded(draft, endpoint, endpoint.proxies[0], surface.around, surface.edits)
        return None if keys is None else {**keys, "response_headers": _with_cors(keys["response_headers"], surface)}
    calls = calls_of(draft, endpoint, surface.around)
    if calls is None:
        return None
    calls_keys = {"calls": calls} if calls else {}
    return {**calls_keys, **(_passed_on if endpoint.response is None else _responded)(draft, endpoint, surface)}


def _with_calls(section: Section, surface: Surface) -> Section:
    """The section with what handlers ask of backends."""
    return {**section, "calls": {**section.get("calls", {}), **surface.calls}} if surface.calls else section


def _with_cors(headers: Section, surface: Surface) -> Section:
    """Changes to the fields of an answer, and the fields of `cors`; `Vary` may be there already."""
    added = {name: value for name, value in surface.cors.items() if name == "Vary"}
    fields = {name: value for name, value in surface.cors.items() if name != "Vary"}
    told = {**headers, "set": {**fields, **headers.get("set", {})}}
    return {**told, "add": {**added, **headers.get("add", {})}} if added else told


def _passed_on(draft: Draft, endpoint: Endpoint, surface: Surface) -> Section:
    """The answer of a call, but for its fields."""
    changes, status = Changes(), None
    for edits, where in _edits(endpoint, surface):
        change_responses(draft, changes, edits, where)
        status = edits.set_response_status or status
    media_type = take_media_type(draft, changes, surface.around)
    headers = as_response_headers(draft, changes, surface.around, place_of(endpoint))
    headers = {**headers, "set": {"Server": SERVER, **headers.get("set", {})}}
    told = {} if media_type is None else {"content_type": media_type}
    return {
        "respond": {"call": surface.around.calls["default"], **_status(draft, status, surface.around), **told},
        "response_headers": _with_cors(headers, surface),
    }


def _responded(draft: Draft, endpoint: Endpoint, surface: Surface) -> Section:
    """An answer of our own."""
    response, around = endpoint.response, surface.around
    assert response is not None  # noqa: S101 - the caller looked
    changes = Changes()
    set_fields(draft, changes, response.headers, f"{place_of(response)}/headers")
    for edits, where in ((endpoint.edits, place_of(endpoint)), *surface.edits):
        change_responses(draft, changes, edits, where)
    status = _status(draft, endpoint.edits.set_response_status or whole_status(response.status), around)
    content = own_content(draft, changes, response.body, response.json_body, around)
    if response.file is not None:
        content["body"] = literal(response.file.read_text("utf-8"))
    fields = {"Server": SERVER, **surface.cors, **as_own_fields(draft, changes, around)}
    return {"respond": {**status, "headers": fields, **content}}


def _status(draft: Draft, text: Text | None, around: Around) -> Section:
    told = None if text is None else status_of(draft, text, around)
    return {} if told is None else {"status": told}


def _log(draft: Draft, labels: Sequence[str], objects: Iterable[Text], around: Around, place: str) -> Section:
    of_controls = (draft.control(label).custom_log_fields for label in labels)
    log = log_of(draft, (*of_controls, *objects), around, place)
    if any(_reads_grants(draft.control(label)) for label in labels):
        log.setdefault("warnings", special("@warnings"))
    return log


def _reads_grants(control: AccessControl) -> bool:
    return isinstance(control, Jwt) and (control.permissions_claim is not None or control.roles_claim is not None)
