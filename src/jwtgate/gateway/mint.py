"""Tokens made on request (a sign endpoint): what a request asks for, and the walk that makes it (SEC-147).

Who may ask was decided before, as for any route. A request chooses a profile or a credential out of those its route
names, claims out of those its route permits, and a life no longer than its route's.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from jwtgate.errors import RequestRefused
from jwtgate.jose.encoding import JSON, json_bytes, parse_json_object
from jwtgate.policy.facts import Need, NeedIssuedToken, find_claims, find_issued_token
from jwtgate.policy.provisions import CredentialsOffered, Mint, MintedForm, QueryNames
from jwtgate.policy.rooms.issue import OURS, describe, told_of_caller

if TYPE_CHECKING:
    from jwtgate.policy.plan import Plan
    from jwtgate.policy.value import Known

MOST_BODY_BYTES = 64 * 1024
_MEMBERS = frozenset({"profile", "credential", "claims", "ttl_seconds"})
# Claims that say who made a token and for whom are never a caller's to choose.
_NEVER_ASKED_FOR = OURS | {"aud", "cnf"}
# A token of a consumer is the consumer's to word; the route has to say that this is known.
_ASKED_FOR_BY_NAME = frozenset({"iss", "aud"})
_journal = logging.getLogger("jwtgate.process")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: a token of a profile or of a consumer's credential, one of the two."""

    profile: str | None
    credential: str | None
    claims: Mapping[str, JSON] = field(repr=False)
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class NeedMinted:
    """A token made with a consumer's credential, as its consumer would make it. Answered by a `Minted`, or None.

    `consumer` is whose it has to be; None: anybody's. It lives as long as its credential says, and no longer than
    `most_ttl_seconds`. `form` is what it looks like.
    """

    credential: str
    consumer: str | None
    claims: Mapping[str, JSON] = field(repr=False)
    most_ttl_seconds: int
    form: MintedForm = MintedForm.FULL


@dataclass(frozen=True, slots=True)
class Minted:
    """A token in compact form, and how long it lives."""

    text: str = field(repr=False)
    expires_in: int


Minting = Generator[Need | NeedMinted, Any, Minted]


def asked_by_query(query: str, names: QueryNames, *, mint: Mint) -> Asked:
    """What the query of a GET asks for. Refuses `minting_credential_missing` and its like."""
    given = [(unquote_plus(name), value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
    credentials = [unquote_plus(value) for name, value in given if name == names.credential]
    if not credentials:
        raise RequestRefused("minting_credential_missing")
    if len(credentials) > 1:
        raise RequestRefused("minting_credential_unknown", cause="several are named")
    texts = [value for name, value in given if name == names.claims]
    if len(texts) > 1:
        raise _claims_refused("several objects of claims")
    claims = _decoded_claims(texts[0]) if texts else {}
    return Asked(
        None,
        credentials[0],
        _permitted(claims, mint, never=_never_asked_for(credentials[0], mint)),
        mint.most_ttl_seconds,
    )


def _decoded_claims(value: str) -> JSON:
    """The object in this value of a query, which some clients encode twice."""
    text = unquote_plus(value)
    for each in (text, unquote(text)):
        with suppress(ValueError):
            return parse_json_object(each.encode(), limit_bytes=MOST_BODY_BYTES)
    raise _claims_refused("claims is no JSON object")


def asked_for(body: bytes, mint: Mint) -> Asked:
    """What this body asks for. Refuses `minting_refused` and its like for what the route does not offer."""
    try:
        members = parse_json_object(body, limit_bytes=MOST_BODY_BYTES)
    except ValueError:
        raise _refused("the body is no JSON object") from None
    if not members.keys() <= _MEMBERS:
        raise _refused("a member that is not known")
    profile, credential = _text(members, "profile"), _text(members, "credential")
    if (profile is None) == (credential is None):
        raise _refused("exactly one of profile and credential is needed")
    if profile is not None and profile not in mint.profiles:
        raise _refused("the profile is not offered here")
    if credential is not None and mint.credentials is None:
        raise _refused("credentials are not offered here")
    claims = _permitted(members.get("claims", {}), mint, never=_never_asked_for(credential, mint))
    return Asked(profile, credential, claims, _seconds(members.get("ttl_seconds"), mint))


def _text(members: Mapping[str, JSON], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise _refused(f"{name} is no text")
    return value


def _never_asked_for(credential: str | None, mint: Mint) -> frozenset[str]:
    if credential is not None and mint.form is not MintedForm.FULL:
        return frozenset()  # what such a token has of ours stands over what was asked for
    if credential is None or mint.claims is None:
        return _NEVER_ASKED_FOR
    return _NEVER_ASKED_FOR - (_ASKED_FOR_BY_NAME & mint.claims)


def _permitted(claims: JSON, mint: Mint, *, never: frozenset[str]) -> Mapping[str, JSON]:
    if not isinstance(claims, dict):
        raise _claims_refused("claims is no object")
    if not never.isdisjoint(claims) or (mint.claims is not None and not claims.keys() <= mint.claims):
        raise _claims_refused("a claim that may not be chosen")
    if len(json_bytes(claims)) > mint.most_claims_bytes:
        raise _claims_refused("the claims are too large")
    return claims


def _seconds(asked: JSON, mint: Mint) -> int:
    if asked is None:
        return mint.most_ttl_seconds
    if not isinstance(asked, int) or isinstance(asked, bool) or asked < 1:
        raise _refused("ttl_seconds is no number of seconds")
    return min(asked, mint.most_ttl_seconds)


def minting(plan: Plan, known: Known, asked: Asked) -> Minting:
    """The token that was asked for."""
    if asked.profile is None:
        whose = _whose(known)
        form = known.route.mint.form if known.route.mint is not None else MintedForm.FULL
        minted = yield NeedMinted(asked.credential or "", whose, asked.claims, asked.ttl_seconds, form)
        if minted is None:
            raise RequestRefused("minting_credential_unknown")
        assert isinstance(minted, Minted)  # noqa: S101 - a driver that answers otherwise is a bug
        return minted
    profile = plan.profiles[asked.profile]
    ttl_seconds = min(profile.ttl_seconds, asked.ttl_seconds)
    generated: Mapping[str, JSON] = {}
    if profile.generator is not None:
        generated = yield from find_claims(profile.generator, told_of_caller(profile, known, {}))
    # What the profile says stands before what the request asks for, also where it says that there is nothing.
    said = {name for name, _ in (*profile.add, *profile.set)} | profile.remove | profile.omitted
    chosen = {name: value for name, value in asked.claims.items() if name not in said}
    claims = {**chosen, **describe(profile, known, incoming={}, generated=generated)}
    token = yield from find_issued_token(NeedIssuedToken(profile, claims, known.now + ttl_seconds))
    return Minted(token.text, ttl_seconds)


def _whose(known: Known) -> str | None:
    """The consumer a credential must belong to; None: any."""
    mint, consumer = known.route.mint, known.principal.consumer
    if mint is not None and mint.credentials is CredentialsOffered.ANY:
        return None
    if consumer is None:
        raise _refused("the caller is no consumer")
    return consumer.name


def note_minted(asked: Asked, minted: Minted, *, known: Known, request_id: str) -> None:
    """Write down who was given what, and for how long."""
    consumer = known.principal.consumer
    who = {
        "route": known.route.name,
        "consumer": consumer.name if consumer else None,
        "subjects": [proven.token.claims.get("sub") for proven in known.principal.tokens.values()],
        "client": known.request.client,
        "id": request_id,
    }
    what = {"profile": asked.profile, "credential": asked.credential, "ttl_seconds": minted.expires_in}
    _journal.info("token_minted", extra={"fields": {**who, **what}})


def minted_answer(minted: Minted, accept: str) -> tuple[list[tuple[str, str]], bytes]:
    """The fields and the body of the answer: JSON, or the bare token for whoever accepts nothing but plain text."""
    if accept.strip().lower() == "text/plain":
        return bare_answer(minted)
    body = json_bytes({"token": minted.text, "expires_in": minted.expires_in})
    return [("Content-Type", "application/json"), ("Cache-Control", "no-store")], body


def bare_answer(minted: Minted) -> tuple[list[tuple[str, str]], bytes]:
    """The fields and the body of an answer that is the token and nothing else."""
    return [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")], minted.text.encode()


def _claims_refused(cause: str) -> RequestRefused:
    return RequestRefused("minting_claims_refused", cause=cause)


def _refused(cause: str) -> RequestRefused:
    return RequestRefused("minting_refused", cause=cause)
