"""Plans, requests and tokens for the tests of the decision: each is good as it comes, and one change makes it bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from jwtgate.errors import Fault, Refusal
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken, VerifiedToken, sign_token
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import IssuedToken, Need, Steps
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Issue, Origin, Value
from jwtgate.policy.request import RequestView
from jwtgate.policy.requirements import ConsumerName, Issuer, Place, Slot, Source
from jwtgate.policy.revocations import Revocation, Revocations
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal, Proven
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.upstreams import Target, Upstream
from jwtgate.policy.value import Known

NOON = 1_800_000_000
ISS, AUDIENCE = "https://idp.example", "orders"
KEY, OTHER_KEY = generate_key("ES256", kid="k1"), generate_key("ES256", kid="k1")
GOOD = {"iss": ISS, "aud": AUDIENCE, "sub": "alice", "exp": NOON + 300}

ISSUER = Issuer("main", ISS, frozenset({"ES256"}), frozenset({AUDIENCE}))
BEARER = Source(Place.AUTHORIZATION)
SLOT = Slot("access", required=True, sources=(BEARER,), issuers={ISS: ISSUER})
UPSTREAM = Upstream("echo", (Target("127.0.0.1", 9000, tls=False, authority="127.0.0.1:9000"),))
ROUTE = Route("orders", UPSTREAM, slots=(SLOT,))
ISSUE = Issue("orders/0", "access", "default", "https://gate.example", ("internal",))
ISSUED = IssuedToken("a.b.c", NOON + 200)


class Held:
    """Facts that hold these key sets by issuer, these credentials, these consumers by each of their names."""

    def __init__(
        self,
        key_sets: Mapping[str, KeySet],
        *,
        credentials: Iterable[Credential] = (),
        consumers: Iterable[Consumer] = (),
        revocations: Iterable[Revocation] = (),
        store_away: bool = False,
    ) -> None:
        self._key_sets = key_sets
        self._credentials = {credential.name: credential for credential in credentials}
        self._consumers = tuple(consumers)
        self.revocations = Revocations(revocations)
        self.store_away = store_away

    def key_set(self, issuer: str) -> KeySet | None:
        return self._key_sets.get(issuer)

    def credential(self, name: str) -> Credential | None:
        return self._credentials.get(name)

    def consumer(self, by: tuple[ConsumerName, ...], value: str) -> Consumer | None:
        found = (each for kind in by for each in self._consumers if getattr(each, kind.value) == value)
        return next(found, None)


NOTHING = Held({})
KEYS = KeySet([KEY.public()])
HELD = Held({"main": KEYS})
ACME = Consumer("acme", "c-1", "ext-1", groups=("gold", "eu"), labels={"tier": "1"}, attributes={"plan": {"rate": 9}})


class Expr:
    """An expression that is a Python function of the variables."""

    def __init__(self, compute: Callable[[Any], object], text: str = "an expression") -> None:
        self.text = text
        self._compute = compute

    def __call__(self, variables: Mapping[str, object]) -> object:
        try:
            return self._compute(variables)
        except (KeyError, TypeError) as error:
            raise ExpressionFailed(str(error)) from None


def plan(route: Route = ROUTE, path: str = "/orders", **changes: Any) -> Plan:
    router = Router()
    router.add(route, path, methods=(), hosts=())
    return replace(Plan(router, (route,), {"main": ISSUER}, {}, {}, ()), **changes)


def request(
    *fields: tuple[bytes, bytes], bearer: str | None = None, path: str = "/orders", **changes: Any
) -> RequestView:
    shown = () if bearer is None else ((b"authorization", f"Bearer {bearer}".encode()),)
    view = RequestView("GET", "https", "api.example", path, "", (*shown, *fields), "192.0.2.7")
    return replace(view, **changes)


def a_token(*, key: Key = KEY, typ: str | None = "JWT", header: Any = None, **changes: JSON) -> str:
    """A good token with these claims changed; None takes a claim away."""
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return sign_token(claims, key, alg="ES256", typ=typ, header=header)


def verified(**changes: JSON) -> VerifiedToken:
    return UnverifiedToken.parse(a_token(**changes)).verify([KEY], {"ES256"})


def proven(*, good_until: int | None = NOON + 330, issuer: Issuer = ISSUER, **changes: JSON) -> Proven:
    lives_until = None if good_until is None else good_until - issuer.times.leeway_seconds
    return Proven(issuer, verified(**changes), good_until, lives_until)


def principal(**slots: Proven) -> Principal:
    return Principal(MappingProxyType(slots))


def known(
    who: Principal = ANONYMOUS, *, route: Route = ROUTE, view: RequestView | None = None, now: int = NOON
) -> Known:
    """All a value may come from, for this caller."""
    return Known(route, request() if view is None else view, who, now)


def finish(walk: Steps[Any], answers: Iterable[object] = ()) -> Any:
    """What the walk returns. The first answer goes to the need it already stands at, if it was begun."""
    try:
        for answer in answers:
            walk.send(answer)
        need = next(walk)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"the walk asks for more: {need}")


def refusal(call: Callable[[], object]) -> Refusal | Fault:
    with pytest.raises((Refusal, Fault)) as caught:
        call()
    assert isinstance(caught.value, Refusal | Fault)
    return caught.value


def reason(call: Callable[[], object]) -> str:
    return refusal(call).reason


class Tongue:
    """An expression of an installed language that is a Python function of what is known."""

    def __init__(self, compute: Callable[[Known], object], *, of_request: bool = True) -> None:
        self.text = "a text"
        self.of_request = of_request
        self._compute = compute

    def __call__(self, known: Known) -> object:
        return self._compute(known)


def told(compute: Callable[[Known], object], *, of_request: bool = True) -> Value:
    """The value of such an expression."""
    return Value(Origin.LANGUAGE, language=Tongue(compute, of_request=of_request))


def asks_for(need: Need) -> Callable[[Known], object]:
    """What gives the answer to a need, once it is there."""

    def compute(known: Known) -> object:
        if need not in known.answers:
            raise Asks(need, need)
        return known.answers[need]

    return compute
