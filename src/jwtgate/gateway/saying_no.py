"""What a refusal or a fault looks like to a client: as we say it, or as its route or the document does.

Answers are named by reason, by class and for all of them (`*`); the most particular is taken, and what a route says
before what the document says. Whatever stands there, the log says what happened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from jwtgate.errors import Fault, RateRefused, Refusal
from jwtgate.gateway.logs.members import told_of
from jwtgate.gateway.logs.values import logged_refusal
from jwtgate.gateway.respond import OwnAnswer, refusal_body, refusal_fields
from jwtgate.jose.encoding import json_bytes
from jwtgate.policy.calls.making import make_calls_for
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import Steps
from jwtgate.policy.plan import NO_ROUTE
from jwtgate.policy.provisions import Answer, Form, IdentityField, Origin, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.limits import limit_of
from jwtgate.policy.rooms.rewrite import field_value
from jwtgate.policy.value import Known, asking, value_of

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange
    from jwtgate.policy.plan import Plan, Route

_CHALLENGE = "WWW-Authenticate"
_JSON = "application/json"
_CLAIM_OF = {"token_expired": "exp", "token_lives_too_long": "exp", "token_not_yet_valid": "nbf"}
_NONE: Mapping[str, Answer] = {}


def ours(error: Refusal | Fault, route: Route | None, request_id: str) -> OwnAnswer:
    """The status, fields and body we answer with."""
    return error.status, refusal_fields(error, route), refusal_body(error, request_id)


def has_words(route: Route, plan: Plan) -> bool:
    """Whether a refusal or a fault here may be answered, or logged, with words of the document."""
    return route.has_answers or bool(plan.answers) or plan.access_log is not None


def answer_to(error: Refusal | Fault, exchange: Exchange) -> OwnAnswer:
    """What an exchange that ends so is answered with. Its line of the log will tell of it."""
    route, plan = exchange.route or NO_ROUTE, exchange.generation.plan
    if not has_words(route, plan) and not isinstance(error, RateRefused):
        exchange.detail += told_of(error)
        return ours(error, exchange.route, exchange.request_id)
    known = _known(route, exchange)
    known.error = error
    answer = of_route(error, known, exchange.request_id, others=plan.answers)
    exchange.detail = logged_refusal(error, known, plan.access_log)
    return answer


def words_needed(error: Refusal | Fault, known: Known, *, others: Mapping[str, Answer]) -> Steps[None]:
    """Have at hand what the answer to a decided request needs; where that cannot be had, it goes out without."""
    answer = _answer_of(error, known, others)
    if answer is None:
        return
    try:
        yield from make_calls_for(known, answer.calls)
        for value in answer.asking:
            yield from asking(known, partial(value_of, value, known))
    except (Refusal, Fault):
        return


def _known(route: Route, exchange: Exchange) -> Known:
    """What is known of a request that may not have been decided."""
    return exchange.known or Known(route, exchange.view(), exchange.principal, int(time.time()))


def of_route(
    error: Refusal | Fault, known: Known, request_id: str, *, others: Mapping[str, Answer] = _NONE
) -> OwnAnswer:
    """The same as the route of the request says it, or else the document by `others`, where either does."""
    answer = _answer_of(error, known, others)
    status, fields, body = ours(error, None if known.route is NO_ROUTE else known.route, request_id)
    if answer is None:
        return status, fields, body
    told = replace(known, refusal=_told(error, request_id), error=error)
    known.logged = {name: said for name, value in answer.log if (said := _said(value, told)) is not None}
    said = _body(answer, told)
    body, answer = (body, replace(answer, body=None)) if said is None else (said, answer)
    return _status(answer, told, status), [*_kept(fields, answer, told), *_fields(answer, told)], body


def _answer_of(error: Refusal | Fault, known: Known, others: Mapping[str, Answer]) -> Answer | None:
    in_slot = known.route.slot_answers.get(known.slot, _NONE)
    answer = _of_limit(error, known) or _named(error, in_slot) or _named(error, known.route.answers)
    return answer or _named(error, others)


def _status(answer: Answer, known: Known, ours: int) -> int:
    """The status of an answer. What was worked out and cannot be one leaves our own, and a fault stays one."""
    if not isinstance(answer.status, Value):
        return answer.status or ours
    status = _said(answer.status, known)
    if type(status) is not int or not 200 <= status <= 599:
        return ours
    if isinstance(known.error, Fault) and (status < 400 or (status == 401 and not answer.may_fault_with_401)):
        return ours
    return status


def _named(error: Refusal | Fault, answers: Mapping[str, Answer]) -> Answer | None:
    """The most particular of these answers."""
    names = (error.reason, *(kind.__name__ for kind in type(error).__mro__), "*")
    return next((answers[name] for name in names if name in answers), None)


def _told(error: Refusal | Fault, request_id: str) -> Mapping[str, str]:
    """What an answer may say of the refusal. No detail of ours but the name of a claim is for a client."""
    claim = error.detail.get("claim", _CLAIM_OF.get(error.reason))
    name = claim[-1] if isinstance(claim, tuple) and claim else claim
    told = {"reason": error.reason, "sentence": error.sentence, "request_id": request_id}
    told["claim"] = name if isinstance(name, str) else ""
    failing = error.detail.get("times", {told["claim"]: error.reason})
    assert isinstance(failing, dict)  # noqa: S101 - as the checks of claims put it
    return {**told, "exp": failing.get("exp", ""), "nbf": failing.get("nbf", "")}


def _of_limit(error: Refusal | Fault, known: Known) -> Answer | None:
    """The answer a limit has of its own, which is more particular than any other."""
    limit = limit_of(known.route, known.principal) if isinstance(error, RateRefused) else None
    return limit.answer if limit is not None else None


def _kept(fields: list[tuple[str, str]], answer: Answer, known: Known) -> list[tuple[str, str]]:
    """Our own fields that belong to the answer, too."""
    kept = [field for field in fields if answer.challenge or field[0] != _CHALLENGE]
    if answer.body is not None:
        kept = [field for field in kept if field[0] != "Content-Type"] + [("Content-Type", _media_type(answer, known))]
    named = {name.decode("latin-1").lower() for name, _ in answer.fields}
    return [field for field in kept if field[0].lower() not in named]


def _body(answer: Answer, known: Known) -> bytes | None:
    """The body of an answer, None where there is none or it cannot be sent."""
    said = None if answer.body is None else _said(answer.body, known)
    try:
        return said.encode() if isinstance(said, str) else None if said is None else json_bytes(said)
    except ValueError:
        return None


def _media_type(answer: Answer, known: Known) -> str:
    said = _said(answer.content_type, known) if isinstance(answer.content_type, Value) else answer.content_type
    return said if isinstance(said, str) and said.isascii() and said.isprintable() and said else _JSON


def _fields(answer: Answer, known: Known) -> list[tuple[str, str]]:
    found = ((name, value, each) for name, value in answer.fields for each in _elements(value, known))
    fields = [(name.decode("latin-1"), _shown(name, value, each)) for name, value, each in found if each is not None]
    return [field for field in fields if field[1].isprintable()]


def _elements(value: Value, known: Known) -> list[object]:
    """What makes a field each: of what a language says, every element of a list."""
    said = _said(value, known)
    return said if isinstance(said, list) and value.origin is Origin.LANGUAGE else [said]


def _shown(name: bytes, value: Value, said: object) -> str:
    # The document's own words stand as they are, and an expression of a language has escapes of its own.
    if value.origin is Origin.CONSTANT and isinstance(said, str):
        return said
    form = Form.LINES if value.origin is Origin.LANGUAGE else Form.TEXT
    try:
        return field_value(IdentityField(name, value, form), said).decode("latin-1")
    except (Refusal, ExpressionFailed, ValueError):
        return ""


def _said(value: Value, known: Known) -> object:
    """The value, or None where there is none: a refusal that cannot be worded goes out all the same."""
    try:
        said = value_of(value, known)
    except (Refusal, Fault, Asks):
        return None
    return None if said is MISSING else said
