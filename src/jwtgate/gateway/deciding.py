"""What becomes of a request: its route, and the outcome, remembered or decided.

The usual path is a few plain calls. A walk that has to wait comes back to where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from jwtgate.errors import AccessRefused, DependencyFault, Fault, Refusal, RequestRefused
from jwtgate.gateway.logs.members import logged_name
from jwtgate.gateway.logs.values import logged_route
from jwtgate.gateway.memory import FOR_EVER, Key, Remembered, memory_key
from jwtgate.gateway.mint import (
    MOST_BODY_BYTES,
    Asked,
    Minted,
    NeedMinted,
    asked_by_query,
    asked_for,
    bare_answer,
    minted_answer,
    minting,
    note_minted,
)
from jwtgate.gateway.respond import limit_fields
from jwtgate.gateway.saying_no import has_words, words_needed
from jwtgate.policy.decide import decide
from jwtgate.policy.facts import Need
from jwtgate.policy.outcome import Allowed, Failed, Outcome, Refused, Trail
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.rooms.limits import limit_of
from jwtgate.policy.rooms.match import route_for
from jwtgate.policy.rooms.rewrite import fold
from jwtgate.policy.value import Known

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange
    from jwtgate.policy.plan import Plan, Route
    from jwtgate.policy.traffic.forwarding import Respond

Result = TypeVar("Result")
Walk = Generator[Need | NeedMinted, Any, Result]

_JSON = b"application/json"
_CACHE = "cache-control"
_KEPT_BY_NOBODY = frozenset({"private", "no-store"})
NEED_SECONDS = 15.0
"""The longest a request waits for a fact or a signature; what it waits for has shorter limits of its own."""


def find_route(exchange: Exchange) -> None:
    """Find the route of this request and have it forwarded, refused or decided. Refuses as `route_for` does."""
    generation, head = exchange.generation, exchange.head
    if head.routed is not None:
        exchange.route, known_by = head.routed
        if not _recall(exchange, known_by):
            _decide(exchange, known_by)
        return
    route = exchange.route = route_for(generation.plan, head.method, head.host, head.path, exchange.view)
    if head.length is not None and head.length > route.body_limit_bytes:
        raise RequestRefused("request_too_large", limit_bytes=route.body_limit_bytes)
    if route.upgrade_origins is not None and head.asks_for_websocket:
        head.check_origin(route.upgrade_origins)
    if route.body_first_bytes is not None:
        _decide_with_body(exchange, route.body_first_bytes)
        return
    key = memory_key(route, generation.places[route.name], head)
    # A head with a line of its own may come again whole. Nothing else took part, unless the router looked at it all.
    if key is not None and head.line and exchange.seen is None:
        head.routed = (route, key)
    if key is None or not _recall(exchange, key):
        _decide(exchange, key)


def _recall(exchange: Exchange, key: Key) -> bool:
    """Whether the outcome was remembered, and the request has been forwarded by it."""
    remembered = exchange.generation.memory.recall(key)
    if remembered is None or time.time() >= remembered.until:
        return False
    route, head = exchange.route, exchange.head
    assert route is not None  # noqa: S101
    exchange.worker.counters.remembered_hits += 1
    exchange.issuer, exchange.consumer = remembered.issuer, remembered.consumer
    exchange.detail, exchange.token_until = remembered.detail, remembered.token_until
    exchange.principal = remembered.principal
    sent = None if route.rewriting is None else route.rewriting.sent(head.method, head.path)
    exchange.forward(remembered.lines, remembered.answer_lines, sent=sent)
    return True


def _decide_with_body(exchange: Exchange, most_bytes: int) -> None:
    """Decide once the whole body is there; it goes on as it came. Refuses `request_too_large`."""
    length, upload = exchange.head.length, exchange.upload
    if length is not None and length > most_bytes:
        raise RequestRefused("request_too_large", limit_bytes=most_bytes)

    def decide_now(body: bytes) -> None:
        exchange.note_body(body)
        _decide(exchange, None)

    if upload is None:
        decide_now(b"")
    else:
        upload.collect(most_bytes, decide_now)


def _decide(exchange: Exchange, key: Key | None) -> None:
    generation = exchange.generation
    walk = decide(generation.plan, exchange.view(), generation.facts, int(time.time()), route=exchange.route)
    drive(exchange, walk, partial(_carry_out, exchange, key, generation.epoch))


def drive(exchange: Exchange, walk: Walk[Result], ended: Callable[[Result], None]) -> None:
    """Take a walk to its end, and give `ended` what it returns. A refusal or a fault that leaves it is answered."""
    _walk_on(exchange, walk, ended, step=partial(next, walk))


def _walk_on(
    exchange: Exchange, walk: Walk[Result], ended: Callable[[Result], None], *, step: Callable[[], Need | NeedMinted]
) -> None:
    """Take the walk a step further, and on as far as it goes without waiting."""
    try:
        need = step()
        while (answer := _answer_now(exchange, need)) is not None:
            need = walk.throw(answer) if isinstance(answer, DependencyFault) else walk.send(answer)
    except StopIteration as end:
        ended(end.value)
        return
    except (Refusal, Fault) as error:
        exchange.refuse(error)
        return
    exchange.deadline = time.monotonic() + NEED_SECONDS

    def go_on(answer: object) -> None:
        if exchange.finished:
            return
        step = partial(walk.throw if isinstance(answer, Fault) else walk.send, answer)
        _walk_on(exchange, walk, ended, step=step)

    exchange.worker.meet(exchange, need, go_on)


def _answer_now(exchange: Exchange, need: Need | NeedMinted) -> object | None:
    """The answer to a need, or the fault in its place; None when it has to be waited for."""
    try:
        return exchange.generation.answer_now(need, time.time())
    except DependencyFault as fault:
        return fault


def _carry_out(exchange: Exchange, key: Key | None, epoch: int, outcome: Outcome) -> None:
    exchange.known = outcome.trail.known
    _note(exchange, outcome.trail)
    if not isinstance(outcome, Allowed):
        _refuse(exchange, outcome)
        return
    exchange.issuer = ",".join([proven.issuer.name for proven in outcome.trail.proven.values()])
    proven_until = outcome.trail.principal.good_until
    exchange.token_until = FOR_EVER if proven_until is None else proven_until
    if outcome.route.mint is not None:
        _mint(exchange, outcome.trail)
        return
    if outcome.rewrite.respond is not None:
        _respond(exchange, outcome.route, outcome.rewrite.respond, outcome.rewrite.answer_fields)
        return
    lines, answer_lines = _lines(outcome.rewrite.fields), _lines(outcome.rewrite.answer_fields)
    # What holds for this request alone, or was decided with facts that have changed meanwhile, is not remembered.
    if key is not None and outcome.good_until != 0 and epoch == exchange.generation.epoch:
        until = outcome.good_until if outcome.good_until is not None else FOR_EVER
        remembered = Remembered(
            lines,
            until,
            exchange.issuer,
            exchange.consumer,
            exchange.detail,
            token_until=exchange.token_until,
            answer_lines=answer_lines,
            principal=outcome.trail.principal if has_words(outcome.route, exchange.generation.plan) else ANONYMOUS,
        )
        exchange.generation.memory.remember(key, remembered)
    exchange.forward(lines, answer_lines, sent=outcome.rewrite.sent)


def _refuse(exchange: Exchange, outcome: Refused | Failed) -> None:
    """Answer no, once all is at hand that the answer says."""
    error, known = outcome.refusal if isinstance(outcome, Refused) else outcome.fault, outcome.trail.known
    others = exchange.generation.plan.answers
    if known is None or not (others or known.route.has_answers):
        exchange.refuse(error)
        return
    drive(exchange, words_needed(error, known, others=others), lambda _: exchange.refuse(error))


def _respond(exchange: Exchange, route: Route, said: Respond, fields: tuple[tuple[bytes, bytes], ...]) -> None:
    """Give the answer of the route, with these fields."""
    told = list(_told_by_call(said.fields, route, exchange.generation.plan))
    told += [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
    if said.media_type is not None:
        told.append(("Content-Type", said.media_type))
    # As any answer to a proven caller.
    if route.private_responses and route.slots and not any(map(_is_private, told)):
        told.append(("Cache-Control", "private"))
    exchange.answer(said.status, [*told, exchange.id_field], said.body)


def _told_by_call(fields: Iterable[tuple[str, str]], route: Route, plan: Plan) -> Iterator[tuple[str, str]]:
    """The fields of a call's answer that are for a client: none that tells what we tell upstreams of the caller."""
    removed = route.answer_removed | {plan.request_id_field.lower().encode()}
    for name, value in fields:
        encoded = name.encode("latin-1")
        if encoded not in removed and fold(encoded) not in plan.identity_names:
            yield name, value


def _is_private(field: tuple[str, str]) -> bool:
    name, value = field
    return name.lower() == _CACHE and not _KEPT_BY_NOBODY.isdisjoint(word.strip().lower() for word in value.split(","))


def _lines(fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def _note(exchange: Exchange, trail: Trail) -> None:
    """Keep what the log will say of the caller."""
    caller, route = trail.principal.consumer, trail.route
    exchange.consumer = "" if caller is None else logged_name(caller.name)
    if route is not None and trail.allowance is not None:
        limit = limit_of(route, trail.principal)
        assert limit is not None  # noqa: S101 - nothing else was asked for
        exchange.answer_fields = limit_fields(limit, trail.allowance)
    if route is not None and route.log and trail.known is not None:
        exchange.detail = logged_route(trail.known, exchange.generation.plan.access_log)


def _mint(exchange: Exchange, trail: Trail) -> None:
    """Answer with a token of ours, as the request asks for it."""
    route, request = exchange.route, trail.request
    assert route is not None  # noqa: S101
    assert route.mint is not None  # noqa: S101
    mint, known = route.mint, Known(route, request, trail.principal, trail.now)
    by_query = mint.by_query
    if request.method != ("GET" if by_query is not None else "POST"):
        exchange.refuse(AccessRefused("method_not_permitted", method=request.method))
    elif by_query is not None:
        _give(exchange, known, lambda: asked_by_query(request.query, by_query, mint=mint))
    # A page of another origin may send plain text without asking first, and never this.
    elif [value.partition(b";")[0].strip().lower() for value in request.field_values(b"content-type")] != [_JSON]:
        exchange.refuse(RequestRefused("minting_refused", cause="Content-Type is not application/json"))
    elif exchange.upload is None:
        _give(exchange, known, lambda: asked_for(b"", mint))
    else:
        exchange.upload.collect(MOST_BODY_BYTES, lambda body: _give(exchange, known, lambda: asked_for(body, mint)))


def _give(exchange: Exchange, known: Known, ask: Callable[[], Asked]) -> None:
    """Make the token that is asked for, and answer with it."""
    try:
        asked = ask()
    except RequestRefused as refusal:
        exchange.refuse(refusal)
        return

    def answer(minted: Minted) -> None:
        note_minted(asked, minted, known=known, request_id=exchange.request_id)
        if known.route.mint is not None and known.route.mint.by_query is not None:
            exchange.answer(200, *bare_answer(minted))
            return
        accept = b",".join(known.request.field_values(b"accept")).decode("latin-1")
        exchange.answer(200, *minted_answer(minted, accept))

    drive(exchange, minting(exchange.generation.plan, known, asked), answer)
