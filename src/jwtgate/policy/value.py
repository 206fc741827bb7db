"""The value behind a `Value` of the plan, once the caller is known; and what expressions look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from jwtgate.errors import AccessRefused
from jwtgate.jose.encoding import JSON
from jwtgate.policy.expression import Expression, ExpressionFailed
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.request import RequestView, request_members
from jwtgate.policy.rooms.claims import MISSING, find
from jwtgate.policy.rooms.identify import Principal
from jwtgate.policy.rooms.match import path_parameters


@dataclass(slots=True)
class Known:
    """All that a value may come from. What expressions look at is put together once, when first asked for.

    `refusal` is what may be said of the refusal that is being worded, if one is.
    """

    route: Route
    request: RequestView
    principal: Principal
    now: int
    refusal: Mapping[str, str] | None = None
    _variables: dict[str, object] | None = field(default=None, init=False, repr=False)

    def variables(self) -> Mapping[str, object]:
        """What an expression may name: the variables of the document, `now` being a NumericDate, and `refusal`."""
        if self._variables is None:
            consumer = self.principal.consumer
            self._variables = {
                "request": request_members(self.request, path_parameters(self.route.templates, self.request.path)),
                "token": {slot: dict(proven.token.claims) for slot, proven in self.principal.tokens.items()},
                "consumer": consumer.members() if consumer else {},
                "permissions": list(self.principal.permissions),
                "now": self.now,
            }
            if self.refusal is not None:
                self._variables["refusal"] = dict(self.refusal)
        return self._variables

    def parameter(self, name: str) -> object:
        """What stands in the path for this parameter of the route's template, decoded; or `MISSING`."""
        held = path_parameters(self.route.templates, self.request.path).get(name)
        return MISSING if held is None else unquote(held)


def value_of(value: Value, known: Known) -> object:
    """A JSON value, or `MISSING` where there is nothing. Refuses `condition_not_met` for an expression that fails."""
    request, principal = known.request, known.principal
    match value.origin:
        case Origin.CONSTANT:
            return value.constant
        case Origin.CLAIM:
            proven = principal.tokens.get(value.slot)
            return find(proven.token.claims, value.path) if proven else MISSING
        case Origin.CLAIMS:
            proven = principal.tokens.get(value.slot)
            return dict(proven.token.claims) if proven else MISSING
        case Origin.CONSUMER:
            return _of_consumer(value, principal)
        case Origin.PERMISSIONS:
            return list(principal.permissions) if principal.permissions else MISSING
        case Origin.REFUSAL:
            return find(known.refusal or {}, value.path) or MISSING
        case Origin.EXPRESSION:
            assert value.expression is not None  # noqa: S101 - compiled so
            return evaluated(value.expression, known)
    return _of_request(value, request, known)


def _of_consumer(value: Value, principal: Principal) -> object:
    if principal.consumer is None:
        return MISSING
    if value.path == ("credential",):
        return principal.credential if principal.credential is not None else MISSING
    if value.path[0] == "credential_labels":
        return find(principal.credential_labels, value.path[1:])
    found = find(principal.consumer.members(), value.path)
    return MISSING if found is None else found


def _of_request(value: Value, request: RequestView, known: Known) -> object:
    match value.origin:
        case Origin.FIELD:
            values = request.field_values(value.field)
            return values[0].decode("latin-1") if len(values) == 1 else MISSING
        case Origin.PARAMETER:
            return known.parameter(value.parameter)
        case Origin.METHOD:
            return request.method
        case Origin.HOST:
            return request.host
        case Origin.PATH:
            return request.path
    return request.client


def evaluated(expression: Expression, known: Known) -> JSON:
    """The value of an expression. Refuses `condition_not_met` when it has none (SEC-50)."""
    try:
        return expression(known.variables())  # type: ignore[return-value] # JSON, as its protocol says
    except ExpressionFailed as failure:
        raise AccessRefused("condition_not_met", expression=expression.text, cause=str(failure)) from None


def holds(expression: Expression, known: Known) -> bool:
    """Whether an expression is true. Anything but true or false is refused: `condition_not_met`."""
    value = evaluated(expression, known)
    if not isinstance(value, bool):
        raise AccessRefused("condition_not_met", expression=expression.text, cause="neither true nor false")
    return value
