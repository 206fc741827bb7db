"""A refusal looks as its route says, for a reason, for a class or for all of them; else it looks as usual."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.gateway.logs.test_access_log import logged
from tests.unit.gateway.messages import head_of, status_of
from tests.unit.gateway.parts import OK, Gate, a_generation, a_plan, a_request, a_token, an_order
from tests.unit.policy.plans import told

from jwtgate.config.expressions import compiled_expression
from jwtgate.errors import (
    AccessRefused,
    CredentialMissing,
    DependencyFault,
    Fault,
    RateRefused,
    Refusal,
    RequestRefused,
    RouteUnknown,
    ScopeRefused,
    TokenRefused,
    UpstreamFault,
)
from jwtgate.gateway.saying_no import of_route, ours, words_needed
from jwtgate.policy.callers import Consumer
from jwtgate.policy.calls.call import Call, Called, NeedCall
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import NeedConsumer
from jwtgate.policy.plan import NO_ROUTE, Route
from jwtgate.policy.provisions import Answer, Origin, Value
from jwtgate.policy.rate_limits import RateLimit
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.claims import MISSING as NOTHING
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.upstreams import NOWHERE
from jwtgate.policy.value import Known

REQUEST = RequestView("GET", "https", "gate.example", "/a/ü", query="", fields=(), client="192.0.2.7")
EXPIRED, MISSING = TokenRefused("token_expired"), CredentialMissing("credential_missing")
PATH = Value(Origin.PATH)


class Failing:
    """An expression without a value."""

    text = "nothing.there"

    def __call__(self, _: object) -> object:
        raise ExpressionFailed("nothing there")


def constant(value: Any) -> Value:
    return Value(Origin.CONSTANT, constant=value)


def said(error: Refusal | Fault, **answers: Answer) -> tuple[int, dict[str, str], bytes]:
    named = {"*" if name == "any" else name: answer for name, answer in answers.items()}
    known = Known(Route("a", NOWHERE, answers=named), REQUEST, Principal({}, Consumer("ann", "1")), 0)
    status, fields, body = of_route(error, known, "0001")
    assert len(dict(fields)) == len(fields)
    return status, dict(fields), body


def usual(error: Refusal | Fault) -> tuple[int, dict[str, str], bytes]:
    status, fields, body = ours(error, Route("a", NOWHERE), "0001")
    return status, dict(fields), body


@pytest.mark.parametrize("error", [EXPIRED, MISSING, UpstreamFault("upstream_slow")])
def test_without_words_of_its_own_a_route_answers_as_usual(error: Refusal | Fault) -> None:
    assert said(error, signature_wrong=Answer(status=303)) == usual(error)
    assert said(error, any=Answer()) == usual(error)


def test_the_most_particular_answer_is_taken() -> None:
    every = {"any": Answer(status=418), "TokenRefused": Answer(status=403), "token_expired": Answer(status=303)}
    assert said(EXPIRED, **every)[0] == 303
    assert said(TokenRefused("signature_wrong"), **every)[0] == 403
    assert said(MISSING, **every)[0] == 418


def test_refusals_and_faults_have_an_answer_of_their_own() -> None:
    every = {"Refusal": Answer(status=403), "Fault": Answer(status=500), "any": Answer(status=418)}
    assert said(EXPIRED, **every)[0] == 403
    assert said(UpstreamFault("upstream_slow"), **every)[0] == 500
    assert said(UpstreamFault("upstream_slow"), Refusal=Answer(status=403), any=Answer(status=418))[0] == 418
    assert said(EXPIRED, TokenRefused=Answer(status=404), **every)[0] == 404


def test_a_field_of_the_route_takes_the_place_of_ours() -> None:
    fields = ((b"cache-control", constant("no-cache")), (b"Location", constant("/login?from=%2Fa")))
    _, told, _ = said(EXPIRED, any=Answer(fields=fields))
    assert told["cache-control"] == "no-cache"
    assert told["Location"] == "/login?from=%2Fa"
    assert "Cache-Control" not in told


def test_a_challenge_may_be_left_out() -> None:
    assert "WWW-Authenticate" in said(EXPIRED, any=Answer())[1]
    assert "WWW-Authenticate" not in said(EXPIRED, any=Answer(challenge=False))[1]


@pytest.mark.parametrize(
    ("value", "body"), [(constant("go away"), b"go away"), (constant({"code": 7}), b'{"code":7}'), (PATH, REQUEST.path)]
)
def test_a_body_is_text_or_json(value: Value, body: Any) -> None:
    _, fields, told = said(EXPIRED, any=Answer(body=value, content_type="text/plain"))
    assert told == (body.encode() if isinstance(body, str) else body)
    assert fields["Content-Type"] == "text/plain"


def test_values_of_the_request_are_escaped_in_a_field() -> None:
    _, fields, _ = said(EXPIRED, any=Answer(fields=((b"X-Path", PATH),)))
    assert fields["X-Path"] == "/a/%C3%BC"


@pytest.mark.parametrize("hostile", ["a\r\nSet-Cookie: b", "a\x00", "a\n"])
def test_sec_117_nothing_begins_another_field(hostile: str) -> None:
    assert "X-A" not in said(EXPIRED, any=Answer(fields=((b"X-A", constant(hostile)),)))[1]


def test_what_has_no_value_is_left_out_and_the_refusal_goes_out() -> None:
    failing = Value(Origin.EXPRESSION, expression=Failing())
    answer = Answer(status=303, fields=((b"X-A", failing), (b"X-B", Value(Origin.FIELD, field=b"x-b"))), body=failing)
    status, fields, body = said(EXPIRED, any=answer)
    assert status == 303
    assert fields.keys().isdisjoint({"X-A", "X-B"})
    assert body == usual(EXPIRED)[2]


def test_a_limit_with_words_of_its_own_is_answered_with_them() -> None:
    error = RateRefused("rate_limit_exceeded", retry_after_seconds=9)
    answers = {"rate_limit_exceeded": Answer(status=420)}
    limit = RateLimit(1, 60, answer=Answer(status=503, body=constant({"slow": "down"})))
    consumer = Consumer("ann", "1", rate_limit=limit)

    def status(route: Route, caller: Consumer | None, error: Refusal = error) -> int:
        return of_route(error, Known(route, REQUEST, Principal({}, caller), 0), "0001")[0]

    plain, worded = Route("a", NOWHERE, answers=answers), Route("a", NOWHERE, answers=answers, rate_limit=limit)
    assert status(plain, None) == 420
    assert status(worded, None) == status(plain, consumer) == 503
    assert status(worded, Consumer("ann", "1", rate_limit=RateLimit(1, 60))) == 420
    assert status(worded, consumer, EXPIRED) == 401


def gate(**changes: Any) -> Gate:
    plan = a_plan()
    orders, other = plan.routes
    route, router = replace(orders, **changes), Router()
    router.add(route, "/orders/*", methods=(), hosts=())
    return Gate(a_generation(replace(plan, routes=(route, other), router=router)))


def test_the_gateway_answers_as_the_route_says_and_logs_what_happened() -> None:
    login = Answer(status=303, fields=((b"Location", constant("/login")),), challenge=False)
    asked = gate(answers={"credential_missing": login})
    got = asked.send(a_request(start=b"GET /orders/1")).transport.take()
    assert (status_of(got), head_of(got)[1][b"location"]) == (303, b"/login")
    assert asked.outcomes == [(303, "credential_missing")]
    assert status_of(asked.send(an_order(token=a_token(exp=1))).transport.take()) == 401


def test_what_is_refused_before_it_is_decided_is_answered_so_too() -> None:
    asked = gate(answers={"*": Answer(status=418, fields=((b"X-Path", PATH),))})
    got = asked.send(an_order(b"Content-Length: 99999999", start=b"PUT /orders/1")).transport.take()
    assert (status_of(got), head_of(got)[1][b"x-path"]) == (418, b"/orders/1")


def test_the_log_has_what_the_route_says_of_each_request_remembered_or_not() -> None:
    seen = Value(Origin.CLAIM, slot="access", path=("sub",))
    asked = gate(log=(("subject", seen), ("absent", Value(Origin.CLAIM, slot="access", path=("no",)))))
    asked.idle()
    for _ in range(2):
        asked.send(an_order()).answer(OK)
    assert asked.desk.counters.remembered_hits == 1
    assert [line["log"] for line in logged(asked)] == [{"subject": "alice"}] * 2


def test_a_missing_permission_stands_in_the_log_and_not_in_the_answer() -> None:
    asked = gate()
    asked.send(an_order())
    exchange = asked.client._exchange
    assert exchange is not None
    exchange.refuse(AccessRefused("permission_missing", permission='orders:"write"\n', granted=("a",)))
    got = asked.transport.take()
    assert status_of(got) == 403
    assert b"www-authenticate" not in head_of(got)[1]
    assert b"orders:" not in got
    (line,) = logged(asked)
    assert line["detail"] == {"permission": 'orders:"write"\n'}
    assert json.loads(got.partition(b"\r\n\r\n")[2])["error"] == "permission_missing"


def refused(error: Refusal | Fault) -> tuple[bytes, dict[str, Any]]:
    """What the client gets of this error, and what the log has."""
    asked = gate()
    asked.send(an_order())
    exchange = asked.client._exchange
    assert exchange is not None
    exchange.refuse(error)
    (line,) = logged(asked)
    return asked.transport.take(), line


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (RequestRefused("minting_refused", cause="claims is no object"), {"cause": "claims is no object"}),
        (
            DependencyFault("introspection_unreachable", issuer="main", cause="left_alone"),
            {"issuer": "main", "cause": "left_alone"},
        ),
        (
            UpstreamFault("upstream_slow", target="10.0.0.9:80", phase="connect"),
            {"target": "10.0.0.9:80", "phase": "connect"},
        ),
    ],
)
def test_the_cause_of_a_refused_request_and_of_a_fault_is_for_the_log_alone(
    error: Refusal | Fault, detail: dict[str, str]
) -> None:
    answer, line = refused(error)
    assert (line["reason"], line["detail"]) == (error.reason, detail)
    assert not [value for value in detail.values() if value.encode() in answer]


@pytest.mark.parametrize(
    "error",
    [
        TokenRefused("claim_wrong", claim="sub", value="alice"),
        ScopeRefused("scope_insufficient", scope=("a",), held="b"),
        DependencyFault("overloaded"),
    ],
)
def test_sec_144_what_quotes_a_token_stands_in_no_log(error: Refusal | Fault) -> None:
    assert "detail" not in refused(error)[1]


def test_sec_144_a_cause_is_escaped_and_bounded() -> None:
    hostile = RequestRefused("field_name_unusual", field='"},\r\n\x1b' + "x" * 5000)
    _, line = refused(hostile)
    assert line["detail"]["field"] == '"},\r\n\x1b' + "x" * 1018


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TokenRefused("time_missing", claim="exp"), ("time_missing", "exp")),
        (TokenRefused("claim_wrong", claim=("realm", "roles")), ("claim_wrong", "roles")),
        (EXPIRED, ("token_expired", "exp")),
        (MISSING, ("credential_missing", None)),
        (TokenRefused("claim_malformed", claim=7), ("claim_malformed", None)),
    ],
)
def test_an_answer_may_say_which_refusal_it_is(error: Refusal, told: tuple[str, str | None]) -> None:
    fields = tuple(
        (name, Value(Origin.REFUSAL, path=(part,))) for name, part in ((b"X-Why", "reason"), (b"X-Claim", "claim"))
    )
    _, found, body = said(error, any=Answer(fields=fields, body=Value(Origin.REFUSAL, path=("request_id",))))
    assert (found["X-Why"], found.get("X-Claim")) == told
    assert body == b"0001"


def test_a_challenge_may_be_made_of_the_request_and_the_refusal() -> None:
    text = "'Bearer realm=\"' + request.host + '\", error=\"' + refusal.reason + '\"'"
    value = Value(Origin.EXPRESSION, expression=compiled_expression(text))
    _, found, _ = said(EXPIRED, any=Answer(fields=((b"WWW-Authenticate", value),), challenge=False))
    assert found["WWW-Authenticate"] == 'Bearer realm="gate.example", error="token_expired"'


def test_a_body_stands_as_it_is_written() -> None:
    answer = Answer(body=constant('{"message":"no"}\n'), content_type="text/plain; charset=utf-8")
    _, found, body = said(EXPIRED, any=answer)
    assert (found["Content-Type"], body) == ("text/plain; charset=utf-8", b'{"message":"no"}\n')


def test_sec_143_a_fault_may_answer_401_and_has_no_challenge_of_its_own() -> None:
    status, fields, _ = said(DependencyFault("introspection_unreachable"), Fault=Answer(status=401))
    assert (status, "WWW-Authenticate" in fields) == (401, False)


def said_by_document(error: Refusal | Fault, route: Route, **answers: Answer) -> tuple[int, dict[str, str]]:
    named = {"*" if name == "any" else name: answer for name, answer in answers.items()}
    status, fields, _ = of_route(error, Known(route, REQUEST, ANONYMOUS, 0), "0001", others=named)
    return status, dict(fields)


def test_the_document_answers_what_the_route_says_nothing_of() -> None:
    route = Route("a", NOWHERE, answers={"CredentialMissing": Answer(status=418)})
    others = {"credential_missing": Answer(status=410), "any": Answer(status=411)}
    assert said_by_document(MISSING, route, **others)[0] == 418
    assert said_by_document(EXPIRED, route, **others)[0] == 411
    assert said_by_document(MISSING, Route("b", NOWHERE), **others)[0] == 410


def test_what_no_route_takes_is_answered_by_the_document() -> None:
    unknown = RouteUnknown("route_unknown")
    status, fields = said_by_document(unknown, NO_ROUTE, route_unknown=Answer(status=410, fields=((b"X-Path", PATH),)))
    assert (status, fields["X-Path"]) == (410, "/a/%C3%BC")
    assert said_by_document(RequestRefused("method_refused"), NO_ROUTE, RouteUnknown=Answer(status=410))[0] != 410
    assert "Allow" not in said_by_document(RequestRefused("method_refused"), NO_ROUTE, any=Answer(status=405))[1]


@pytest.mark.parametrize(
    ("error", "exp", "nbf"),
    [
        (EXPIRED, "token_expired", None),
        (TokenRefused("token_lives_too_long", seconds=7), "token_lives_too_long", None),
        (TokenRefused("token_not_yet_valid", nbf=7), None, "token_not_yet_valid"),
        (TokenRefused("time_malformed", claim=("nbf",)), None, "time_malformed"),
        (TokenRefused("time_malformed", claim="iat"), None, None),
        (
            TokenRefused("token_expired", times={"exp": "token_expired", "nbf": "time_missing"}),
            "token_expired",
            "time_missing",
        ),
        (MISSING, None, None),
    ],
)
def test_an_answer_may_say_which_times_do_not_hold(error: Refusal, exp: str | None, nbf: str | None) -> None:
    fields = tuple((f"X-{part}".encode(), Value(Origin.REFUSAL, path=(part,))) for part in ("exp", "nbf"))
    _, found, _ = said(error, any=Answer(fields=fields))
    assert (found.get("X-exp"), found.get("X-nbf")) == (exp, nbf)


# What is worked out, and what a slot says.


def test_a_status_may_be_told() -> None:
    assert said(EXPIRED, any=Answer(status=told(lambda _: 303)))[0] == 303
    for nothing in (None, NOTHING, "303", 199, 600, True, 303.0):
        assert said(EXPIRED, any=Answer(status=told(lambda _, status=nothing: status)))[0] == 401


@pytest.mark.parametrize(("status", "shown"), [(200, 504), (399, 504), (401, 504), (404, 404), (599, 599)])
def test_a_fault_stays_one_whatever_is_told(status: int, shown: int) -> None:
    late = UpstreamFault("upstream_slow")
    assert said(late, any=Answer(status=told(lambda _: status)))[0] == shown
    allowed = Answer(status=told(lambda _: status), may_fault_with_401=True)
    assert said(late, any=allowed)[0] == (401 if status == 401 else shown)


def test_a_media_type_may_be_told() -> None:
    for value, shown in (("text/html", "text/html"), (None, "application/json"), ("a\r\nb", "application/json")):
        answer = Answer(body=constant("x"), content_type=told(lambda _, value=value: value))
        assert said(EXPIRED, any=answer)[1]["Content-Type"] == shown


@pytest.mark.parametrize("value", [None, NOTHING, "\ud800", float("nan")])
def test_a_body_that_cannot_be_worded_is_ours(value: object) -> None:
    answer = Answer(body=told(lambda _: value), content_type="text/html")
    assert said(EXPIRED, any=answer) == usual(EXPIRED)


def test_a_refusal_goes_out_although_its_words_fail_or_ask() -> None:
    def fails(_: Known) -> object:
        raise ExpressionFailed("no")

    def asks(_: Known) -> object:
        raise Asks(NeedConsumer((), "a"), "a")

    for compute in (fails, asks):
        value = told(compute)
        answer = Answer(status=value, body=value, fields=((b"X-A", value),), log=(("a", value),))
        assert said(EXPIRED, any=answer) == usual(EXPIRED)


def test_what_an_answer_asks_for_is_had_first() -> None:
    def asks(known: Known) -> object:
        if "key" not in known.answers:
            raise Asks(NeedConsumer((), "a"), "key")
        return known.answers["key"]

    value = told(asks)
    answers = {"*": Answer(body=value, asking=(value,))}
    known = Known(Route("a", NOWHERE, answers=answers), REQUEST, ANONYMOUS, 0)
    needed = words_needed(EXPIRED, known, others={})
    assert next(needed) == NeedConsumer((), "a")
    with pytest.raises(StopIteration):
        needed.send("found")
    assert of_route(EXPIRED, known, "0001")[2] == b"found"


def test_an_answer_whose_need_is_not_met_goes_out_without() -> None:
    def asks(_: Known) -> object:
        raise Asks(NeedConsumer((), "a"), "a")

    value = told(asks)
    known = Known(Route("a", NOWHERE, answers={"*": Answer(body=value, asking=(value,))}), REQUEST, ANONYMOUS, 0)
    needed = words_needed(EXPIRED, known, others={})
    next(needed)
    with pytest.raises(StopIteration):
        needed.throw(DependencyFault("signer_unavailable"))
    assert list(words_needed(MISSING, replace(known, route=Route("a", NOWHERE)), others={})) == []


def test_calls_of_an_answer_are_made_before_it_is_worded() -> None:
    call = Call("who", NOWHERE, constant("/"), constant("GET"), for_answers=True)
    answer = Answer(body=told(lambda known: known.called["who"].status), calls=("who",))  # type: ignore[attr-defined]
    known = Known(Route("a", NOWHERE, answers={"*": answer}, calls=(call,)), REQUEST, ANONYMOUS, 0)
    needed = words_needed(EXPIRED, known, others={})
    assert isinstance(next(needed), NeedCall)
    with pytest.raises(StopIteration):
        needed.send(Called(200, {}, b""))
    assert of_route(EXPIRED, known, "0001")[2] == b"200"


def test_a_field_without_a_value_takes_ours_away() -> None:
    fields = ((b"Cache-Control", constant(None)), (b"WWW-Authenticate", told(lambda _: NOTHING)))
    assert {"Cache-Control", "WWW-Authenticate"}.isdisjoint(said(EXPIRED, any=Answer(fields=fields))[1])


def test_what_is_worked_out_for_a_field_stands_as_it_is() -> None:
    fields = ((b"Location", told(lambda _: "/a%20b\r\nX: y")),)
    assert said(EXPIRED, any=Answer(fields=fields))[1]["Location"] == "/a%20b%0D%0AX: y"


def test_each_element_a_language_says_is_a_field_of_its_own() -> None:
    fields = ((b"Set-Cookie", told(lambda _: ["a=1", None, "b=2"])), (b"X-A", constant(["a", "b"])))
    route = Route("a", NOWHERE, answers={"*": Answer(fields=fields)})
    shown = of_route(EXPIRED, Known(route, REQUEST, ANONYMOUS, 0), "0001")[1]
    assert shown[-3:] == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-A", "a,b")]


def in_slot(slot: str, error: Refusal | Fault) -> tuple[int, Known]:
    answers = {"first": {"*": Answer(status=418, log=(("why", told(lambda known: known.error.reason)),))}}  # type: ignore[union-attr]
    route = Route("a", NOWHERE, answers={"token_expired": Answer(status=303)}, slot_answers=answers)
    known = Known(route, REQUEST, ANONYMOUS, 0, slot=slot)
    return of_route(error, known, "0001")[0], known


def test_a_slot_is_answered_before_its_route_and_others_are_not() -> None:
    assert in_slot("first", EXPIRED)[0] == 418
    assert in_slot("second", EXPIRED)[0] == in_slot("", EXPIRED)[0] == 303
    assert in_slot("second", MISSING)[0] == 401


def test_what_an_answer_has_the_log_say_is_known_afterwards() -> None:
    assert in_slot("first", EXPIRED)[1].logged == {"why": "token_expired"}
    assert in_slot("second", EXPIRED)[1].logged == {}
