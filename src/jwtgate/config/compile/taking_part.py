"""What of a request takes part in what becomes of it, besides its credentials: told by the values of its route."""

from __future__ import annotations

from collections.abc import Iterator

from jwtgate.config.compile.answers import of_answers
from jwtgate.config.compile.rate_limits import of_rate_limit
from jwtgate.config.compile.slots import slot_values
from jwtgate.config.expressions import CelExpression
from jwtgate.policy.expression import Expression
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, PermissionNeed, Value
from jwtgate.policy.traffic.forwarding import RespondAsCalled, RespondWorded
from jwtgate.policy.traffic.upstreams import NOWHERE


def may_be_remembered(route: Route) -> bool:
    """Whether two requests with the same credentials end in the same way here."""
    if route.upstream is NOWHERE or route.rate_limit or route.calls or route.body_first_bytes is not None:
        return False
    if any(slot.dpop is not None for slot in route.slots) or not all(issue.reuse for issue in route.issue):
        return False
    if any(map(_looks_further, _expressions(route))) or any(_of_rewriting(route)):
        return False
    if any(issue.tells_request for issue in route.issue):
        return False
    by_method = route.permission is not None and _asks_method(route.permission)
    return not by_method and not any(map(_is_of_request, _deciding(route)))


def asks_for_path(route: Route) -> bool:
    """Whether a value may look at what stands in the path for the parameters of its template."""
    by_path = (Origin.EXPRESSION, Origin.LANGUAGE, Origin.PARAMETER)
    return any(_expressions(route)) or any(value.origin in by_path for value in _values(route))


def may_ask(route: Route) -> bool:
    """Whether an expression takes part that may have to ask for something first: one of an installed language."""
    return any(value.origin is Origin.LANGUAGE for value in _values(route))


def _expressions(route: Route) -> Iterator[Expression]:
    yield from route.conditions
    yield from (issue.when for issue in route.issue if issue.when is not None)


def _looks_further(expression: Expression) -> bool:
    """Whether an expression looks at more than the caller: at the request, or at the clock."""
    paths = expression.paths if isinstance(expression, CelExpression) else (("request",),)
    return any(path[0] in ("request", "now") for path in paths)


def _is_of_request(value: Value) -> bool:
    return value.of_request if value.expression is None else _looks_further(value.expression)


def _values(route: Route) -> Iterator[Value]:
    yield from _deciding(route)
    yield from _besides(route)


def _deciding(route: Route) -> Iterator[Value]:
    """The values behind a decision and behind what is sent on."""
    for slot in route.slots:
        yield from slot_values(slot)
    yield from (value for issue in route.issue for _, value in (*issue.add, *issue.set))
    yield from (told.value for issue in route.issue for told in issue.told)
    yield from (field.value for field in (*route.identity, *route.sent_fields, *route.answer_fields))
    yield from _of_permission(route.permission)
    yield from (value for _, value in route.log)


def _besides(route: Route) -> Iterator[Value]:
    """All other values: of what is worked out each time, and of answers of our own."""
    yield from (value for call in route.calls for value in call.values)
    for answers in (route.answers, *route.slot_answers.values()):
        yield from of_answers(answers)
    yield from of_rate_limit(route.rate_limit)
    yield from _of_rewriting(route)
    if isinstance(route.respond, RespondWorded):
        yield from (route.respond.status, route.respond.body, route.respond.media_type)
    if isinstance(route.respond, RespondAsCalled):
        yield from route.respond.values


def _of_rewriting(route: Route) -> Iterator[Value]:
    rewriting = route.rewriting
    if rewriting is not None:
        yield from (value for value in (rewriting.path_value, rewriting.query_value) if value is not None)


def _asks_method(need: PermissionNeed) -> bool:
    # What an installed language says may be an object by method, whatever it looks at.
    return bool(need.by_method) or (need.otherwise is not None and need.otherwise.origin is Origin.LANGUAGE)


def _of_permission(need: PermissionNeed | None) -> Iterator[Value]:
    if need is not None:
        yield from (value for _, value in need.by_method)
        if need.otherwise is not None:
            yield need.otherwise
