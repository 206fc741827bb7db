"""The value behind a `Value` of the plan, once the caller is known; and what expressions look at."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote

from jwtgate.errors import AccessRefused, DependencyFault, Fault, Refusal
from jwtgate.jose.encoding import JSON
from jwtgate.policy.calls.call import Called
from jwtgate.policy.expression import Asks, Expression, ExpressionFailed, KnownExpression
from jwtgate.policy.facts import Steps
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.request import RequestView, request_members
from jwtgate.policy.rooms.claims import MISSING, find
from jwtgate.policy.rooms.identify import Principal
from jwtgate.policy.rooms.match import path_parameters

MOST_ASKED = 16
"""How often expressions may ask for something while one thing is worked out."""

Result = TypeVar("Result")


@dataclass(slots=True)
class Known:
    """All that a value may come from. What expressions look at is put together once, when first asked for.

    `principal` is what was proven so far. `refusal` is what may be said of the refusal that is being worded, if one is:
    `error` is that refusal or fault itself, `slot` the slot it happened in. `answers` holds what expressions asked for,
    `called` the answers of the route's calls by their names. `logged` is what an answer has the log say.
    """

    route: Route
    request: RequestView
    principal: Principal
    now: int
    refusal: Mapping[str, str] | None = None
    error: Refusal | Fault | None = None
    slot: str = ""
    answers: dict[Hashable, object] = field(default_factory=dict, repr=False)
    called: dict[str, Called] = field(default_factory=dict, repr=False)
    logged: dict[str, object] = field(default_factory=dict, repr=False)
    _variables: dict[str, object] | None = field(default=None, init=False, repr=False)
    _calls: dict[str, object] = field(default_factory=dict, init=False, repr=False)

    def become(self, principal: Principal) -> None:
        """From now on this is what is known of the caller."""
        self.principal = principal
        self._variables = None

    def note_called(self, name: str, called: Called) -> None:
        """From now on this is known, too: what the route's call of this name was answered with."""
        self.called[name] = called
        if self._variables is not None:  # the others were read already, and may be large
            self._calls[name] = called.members()

    def variables(self) -> Mapping[str, object]:
        """What an expression may name: the variables of the document, `now` being a NumericDate, and `refusal`."""
        if self._variables is None:
            consumer = self.principal.consumer
            self._calls = {name: called.members() for name, called in self.called.items()}
            self._variables = {
                "request": request_members(self.request, path_parameters(self.route.templates, self.request.path)),
                "token": {slot: dict(proven.token.claims) for slot, proven in self.principal.tokens.items()},
                "consumer": consumer.members() if consumer else {},
                "permissions": list(self.principal.permissions),
                "calls": self._calls,
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
    """A JSON value, or `MISSING` where there is nothing. Raises `Asks` for what has to be found out first.

    An expression that fails refuses `condition_not_met`; one of an installed language fails with `expression_failed`.
    """
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
        case Origin.LANGUAGE:
            assert value.language is not None  # noqa: S101 - compiled so
            return said(value.language, known)
    return _of_request(value, request, known)


_PARTS = {
    Origin.METHOD: "method",
    Origin.HOST: "host",
    Origin.PATH: "path",
    Origin.CLIENT: "client",
    Origin.ID: "id",
    Origin.URL: "url",
    Origin.ORIGIN: "origin",
    Origin.QUERY: "query",
}


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
    return getattr(request, _PARTS[value.origin])


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


def said(expression: KnownExpression, known: Known) -> object:
    """What an expression of an installed language says: a JSON value or `MISSING`. Fails with `expression_failed`."""
    try:
        return expression(known)
    except ExpressionFailed as failure:
        raise _failed(expression, str(failure), kind=failure.kind) from None
    except (Asks, Refusal, Fault):
        raise
    except Exception as error:
        # Its text is not ours to log: it may quote a claim.
        raise _failed(expression, type(error).__name__) from None


def _failed(expression: KnownExpression, cause: str, *, kind: str | None = None) -> DependencyFault:
    fault = DependencyFault("expression_failed", expression=expression.text, cause=cause)
    if kind is not None:
        fault.detail["kind"] = kind
    return fault


def asking(known: Known, work: Callable[[], Result]) -> Steps[Result]:
    """What this work gives. It begins anew whenever an expression in it had to ask for something first."""
    for _ in range(MOST_ASKED):
        try:
            return work()
        except Asks as asked:
            known.answers[asked.key] = yield asked.need
    raise DependencyFault("expression_failed", cause="it asks for too much")
