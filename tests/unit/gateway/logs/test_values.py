"""Values of the document in the access log: of routes, of answers, and of refusals."""

from __future__ import annotations

from tests.unit.gateway.logs.test_access_log import logged
from tests.unit.gateway.parts import OK, Gate, a_generation, a_plan, a_route, an_order

from jwtgate.config.expressions import compiled_expression
from jwtgate.errors import RouteUnknown, UpstreamFault
from jwtgate.gateway.logs.values import logged_refusal, logged_route
from jwtgate.policy.plan import LogShape, Route
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.traffic.upstreams import NOWHERE
from jwtgate.policy.value import Known

REQUEST = RequestView("GET", "https", "gate.example", "/a", query="", fields=())


def constant(value: object) -> Value:
    return Value(Origin.CONSTANT, constant=value)  # type: ignore[arg-type] # JSON, as tests write it


def known(**log: Value) -> Known:
    return Known(Route("a", NOWHERE, log=tuple(log.items())), REQUEST, ANONYMOUS, 0)


def test_a_route_says_what_there_is() -> None:
    fails = Value(Origin.EXPRESSION, expression=compiled_expression("request.headers.absent"))
    held = known(n=constant(7), absent=Value(Origin.CLAIM, slot="a", path=("sub",)), none=constant(None), fails=fails)
    assert logged_route(held, None) == ',"log":{"n":7}'
    assert logged_route(known(), None) == ""


def test_what_an_answer_says_is_merged_into_it_under_the_name_the_document_gives() -> None:
    held = known(m=constant({"a": 1, "b": 2}))
    held.logged = {"m": {"b": 3}, "h": "x"}
    shape = LogShape('{"a":1', custom="custom")
    assert logged_route(held, shape) == ',"custom":{"m":{"a":1,"b":3},"h":"x"}'


def test_a_refusal_is_told_with_its_own_members() -> None:
    shape = LogShape('{"a":1', refused=(("message", constant("no")), ("kind", constant(None))))
    error = UpstreamFault("upstream_slow", call="one")
    assert logged_refusal(error, known(), shape) == ',"detail":{"call":"one"},"message":"no"'
    assert logged_refusal(RouteUnknown("route_unknown"), known(), None) == ""


def test_lines_of_refusals_have_members_of_their_own_and_no_others_do() -> None:
    shape = {
        "members": {"status": "status"},
        "refused": {"level": "error", "path": {"request": "path"}},
        "custom": "mine",
    }
    gate = Gate(a_generation(a_plan(access_log=shape, routes=a_route(log={"n": 1, "sub": {"claim": "sub"}}))))
    gate.send(an_order()).answer(OK)
    gate.send(an_order(token="nonsense"))
    gate.send(an_order(start=b"GET /elsewhere"))
    assert logged(gate) == [
        {"status": 200, "mine": {"n": 1, "sub": "alice"}},
        {"status": 401, "mine": {"n": 1}, "level": "error", "path": "/orders/1"},
        {"status": 404, "level": "error", "path": "/elsewhere"},
    ]
