"""How a request was decided, room by room, as `explain` shows it.

Names of claims, codes and key ids are shown; values only to those who ask for them, and a whole token only to
those who ask for that (SEC-35, SEC-148).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jwtgate.cli.answer import Answer, bold, dim, green, json_text, red, token_name, visible, yellow
from jwtgate.cli.explaining import Explained
from jwtgate.cli.toolkit.inspection import unverified_parts
from jwtgate.errors import Fault, Refusal, ScopeRefused
from jwtgate.policy.expression import Asks
from jwtgate.policy.outcome import Allowed, Outcome, Refused, Trail
from jwtgate.policy.requirements import Place, Slot, Source
from jwtgate.policy.rooms.extract import extract
from jwtgate.policy.rooms.identify import Proven

Told = dict[str, Any]

_HEADER_SHOWN = ("alg", "kid", "typ")
_VALUES_IN_DETAIL = frozenset({"granted", "got", "expected"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown besides names: values of claims and fields, whole tokens."""

    claims: bool = False
    tokens: bool = False


def report(explained: Explained, shown: Shown) -> Answer:
    """The way of the request and its end; `good` when it is allowed."""
    told = _tell(explained, shown)
    return Answer("\n".join(_lines(told)), told, good=told["outcome"] in ("allowed", "answered by the gateway"))


def _tell(explained: Explained, shown: Shown) -> Told:
    outcome, asked = explained.outcome, explained.asked
    trail = outcome.trail
    origin = f"{asked.scheme}://{trail.request.host}" if trail.request.host else ""
    told: Told = {
        "request": f"{asked.method} {origin}{trail.request.path}",
        "notes": list(asked.notes),
    }
    if explained.own is not None:
        return {**told, "outcome": "answered by the gateway", "own": explained.own}
    if trail.route is not None:
        told["route"] = trail.route.name
        told["slots"] = list(_slots(trail, shown))
        told |= _caller(trail, shown)
    return {**told, **_ending(outcome, shown)}


def _caller(trail: Trail, shown: Shown) -> Told:
    """Who the request turned out to be, as far as it got."""
    principal, told = trail.principal, Told()
    if trail.forgiven is not None:
        told["forgiven"] = trail.forgiven.reason
    if principal.consumer is not None:
        told["consumer"] = principal.consumer.name
    if principal.permissions:
        told["permissions"] = list(principal.permissions) if shown.claims else "(--show-claims)"
    return told


def _ending(outcome: Outcome, shown: Shown) -> Told:
    if isinstance(outcome, Allowed):
        route = outcome.route
        return {
            "outcome": "allowed",
            "sets": list(_sets(outcome, shown)),
            "removes": sorted(name.decode("latin-1") for name in route.removed_fields),
            "upstream": route.upstream.name,
            **_sent(outcome, shown),
            "mints": route.mint is not None,
            **({} if outcome.rewrite.respond is None else {"responds": outcome.rewrite.respond.status}),
        }
    error: Refusal | Fault = outcome.refusal if isinstance(outcome, Refused) else outcome.fault
    wanted = {"wanted": " ".join(error.scope)} if isinstance(error, ScopeRefused) else {}
    return {
        "outcome": "refused" if isinstance(outcome, Refused) else "failed",
        "room": outcome.trail.room,
        "slot": outcome.trail.slot,
        "status": error.status,
        "reason": error.reason,
        "sentence": error.sentence,
        "detail": wanted
        | {
            name: _plain(value) if shown.claims or name not in _VALUES_IN_DETAIL else "(--show-claims)"
            for name, value in error.detail.items()
        },
    }


def _sent(outcome: Allowed, shown: Shown) -> Told:
    """What the upstream is asked for, where that is not what the client asked for."""
    rewriting, sent = outcome.route.rewriting, outcome.rewrite.sent
    if rewriting is None or sent is None:
        return {}
    method, target = sent
    worked_out = rewriting.path_value is not None or rewriting.query_value is not None
    return {"sends": f"{method} {'(--show-claims)' if worked_out and not shown.claims else target}"}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _slots(trail: Trail, shown: Shown) -> Iterator[Told]:
    route = trail.route
    for slot in route.slots if route is not None else ():
        told: Told = {"slot": slot.name, "required": slot.required}
        credential = _presented(slot, trail)
        if credential is not None:
            told["found_in"] = [_place(source) for source in slot.sources if _stands(slot, source, trail)]
            told["token"] = credential if shown.tokens else token_name(credential)
            told["header"] = _header(credential)
        proven = trail.proven.get(slot.name)
        if proven is not None:
            told["issuer"] = proven.issuer.name
            told["key"] = (proven.token.key.kid or "") if proven.token.key else None
            told["proof"] = _proof(proven)
            told["claims"] = dict(proven.token.claims) if shown.claims else sorted(proven.token.claims)
            told["good_until"] = proven.good_until
            told["checks"] = list(_checks(slot, trail))
        yield told
        if slot.name == trail.slot:
            return


def _proof(proven: Proven) -> str:
    """What shows that the token is its issuer's."""
    key, issuer = proven.token.key, proven.issuer
    if issuer.takes_api_keys:
        return f"API key of credential {proven.credential}"
    if key is None and issuer.signature_unverified and proven.token.header:
        return "its signature is not looked at"
    if key is None:
        return "its issuer vouches for it"
    of = f" of credential {proven.credential}" if proven.credential is not None else ""
    return f"signature holds with key {key.kid or 'without kid'}{of}"


def _presented(slot: Slot, trail: Trail) -> str | None:
    """The one credential in this slot's places, if there is one that can be read."""
    try:
        return extract(replace(slot, required=False), trail.request, known=trail.known)
    except (Refusal, Fault, Asks):
        return None


def _stands(slot: Slot, source: Source, trail: Trail) -> bool:
    """Whether the credential stands in this one of the slot's places."""
    return _presented(replace(slot, sources=(source,)), trail) is not None


def _place(source: Source) -> str:
    if source.place is Place.AUTHORIZATION:
        return f"Authorization: {(source.scheme or b'Bearer').decode().capitalize()}"
    if source.place is Place.VALUE:
        return "a value of the document"
    if source.place is Place.DPOP:
        return "Authorization: DPoP"
    return f"{source.place.value} {source.name}"


def _header(credential: str) -> Told:
    try:
        header, _ = unverified_parts(credential)
    except ValueError:
        return {}
    return {name: header[name] for name in _HEADER_SHOWN if name in header}


def _checks(slot: Slot, trail: Trail) -> Iterator[str]:
    """What held of a token, in the order it was looked at."""
    proven = trail.proven[slot.name]
    issuer, slot = proven.issuer, proven.asked or slot
    if issuer.takes_api_keys:
        return
    if issuer.iss is not None:
        yield f"iss is {issuer.iss}"
    yield f"times hold at {trail.now}, with {issuer.times.leeway_seconds} s of leeway"
    audiences = slot.audiences if slot.audiences is not None else issuer.audiences
    yield "any audience will do" if audiences is None else f"aud names {' or '.join(sorted(audiences))}"
    if slot.dpop is not None:
        yield "a proof for this request, made with the key the token is bound to"
    for rule in (*issuer.rules, *slot.rules):
        yield f"{'.'.join(map(str, rule.path))} {rule.comparison.value.replace('_', ' ')}"
    if slot.claims_equal is not None:
        yield "its claims equal what this request expects"
    if slot.scope is not None and trail.room not in ("identify", "permissions", "extract", "verify", "claims", "proof"):
        yield f"scope {' '.join(sorted(slot.scope.all_of.union(*slot.scope.any_of)))}"


def _sets(outcome: Allowed, shown: Shown) -> Iterator[Told]:
    issued = {issue.field: issue for issue in outcome.route.issue}
    passed_on = {slot.original_field for slot in outcome.route.slots}
    for name, value in outcome.rewrite.fields:
        told: Told = {"field": name.decode("latin-1")}
        issue = issued.get(name)
        if name in passed_on:
            credential = value.decode("latin-1")
            yield {**told, "token": credential if shown.tokens else token_name(credential)}
            continue
        if issue is None:
            yield {**told, "value": value.decode("latin-1") if shown.claims else "(--show-claims)"}
            continue
        token = value.decode("ascii").removeprefix(issue.prefix)
        header, claims = _parts(token)
        yield {
            **told,
            "token": token if shown.tokens else token_name(token),
            "header": {key: header[key] for key in ("alg", "typ") if key in header},
            "claims": claims if shown.claims else sorted(claims),
        }


def _parts(token: str) -> tuple[Told, Told]:
    """Header and claims of a token of ours; nothing of one in an encoding only its upstream reads."""
    try:
        header, claims = unverified_parts(token)
    except ValueError:
        return {}, {}
    return dict(header), dict(claims or {})


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield _line("request", told["request"])
    for note in told["notes"]:
        yield _line("", yellow("note: ") + visible(note))
    if "route" in told:
        yield _line("route", told["route"])
    for slot in told.get("slots", ()):
        yield from _slot_lines(slot)
    if "forgiven" in told:
        way = "by another slot" if any("issuer" in slot for slot in told["slots"]) else "as nobody"
        yield _line("", f"goes on {way} after {told['forgiven']}")
    if "consumer" in told:
        yield _line("consumer", told["consumer"])
    if "permissions" in told:
        granted = told["permissions"]
        yield _line("may", granted if isinstance(granted, str) else ", ".join(granted))
    for entry in told.get("sets", ()):
        yield _line("sets", f"{entry['field']}: {entry.get('token') or entry['value']}")
        if "claims" in entry:
            yield _line("", f"claims {_claims(entry['claims'])}")
    if told.get("removes"):
        yield _line("removes", ", ".join(told["removes"]))
    if "sends" in told:
        yield _line("sends", told["sends"])
    yield ""
    yield from _verdict(told)


def _line(head: str, text: str) -> str:
    return f"{bold(head.ljust(9))} {text if text.startswith(chr(27)) else visible(text)}"


def _slot_lines(slot: Mapping[str, Any]) -> Iterator[str]:
    name = f"{slot['slot']} ({'required' if slot['required'] else 'optional'})"
    if "token" not in slot:
        yield _line("slot", f"{name}: no credential")
        return
    yield _line("slot", f"{name}: {slot['token']}")
    yield _line("", f"found in {', '.join(slot['found_in'])}")
    header = ", ".join(f"{key} {value}" for key, value in slot["header"].items())
    yield _line("", f"header {header or 'unreadable'}" + ("" if "issuer" in slot else " (not verified)"))
    if "issuer" in slot:
        yield _line("", f"issuer {slot['issuer']}, {slot['proof']}")
        yield _line("", f"claims {_claims(slot['claims'])}")
        for check in slot["checks"]:
            yield _line("", f"holds: {check}")


def _claims(claims: object) -> str:
    if isinstance(claims, dict):
        return " ".join(json_text(claims).split())
    return ", ".join(claims) if isinstance(claims, list) else ""


def _verdict(told: Mapping[str, Any]) -> Iterator[str]:
    if told["outcome"] == "allowed" and told["mints"]:
        yield f"{green('allowed')}   answered with a token of ours"
        return
    if told["outcome"] == "allowed" and "responds" in told:
        yield f"{green('allowed')}   answered {told['responds']} by the route itself"
        return
    if told["outcome"] == "allowed":
        yield f"{green('allowed')}   forwarded to upstream {told['upstream']}"
        return
    if told["outcome"] == "answered by the gateway":
        yield f"{green('answered')}  by the gateway itself ({told['own']}); no route takes part"
        return
    slot = f", slot {told['slot']}" if told["slot"] else ""
    yield f"{red(told['outcome'])} {told['status']} {told['reason']} in room {told['room']}{slot}"
    yield _line("says", told["sentence"])
    for name, value in told["detail"].items():
        yield _line("", f"{dim(name)} {visible(str(value))}")
