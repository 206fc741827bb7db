"""Asking an issuer about a token, and what its answer means (RFC 7662, RFC 9701).

An answer is read strictly, and only `active` being the boolean true means that the token is good (SEC-68). Where
signed answers are wanted nothing but a signed one is read (SEC-69).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeGuard

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON, parse_json
from jwtgate.jose.key import Key
from jwtgate.jose.token import UnverifiedToken, type_matches

JSON_MEDIA_TYPE = "application/json"
SIGNED_MEDIA_TYPE = "application/token-introspection+jwt"
MOST_ANSWER_BYTES = 64 * 1024
MOST_SIGNED_AGE_SECONDS = 300
CLOCK_SKEW_SECONDS = 60

_MAX_AGE = re.compile(r'max-age="?([0-9]{1,9})"?').fullmatch


@dataclass(frozen=True, slots=True)
class Answer:
    """What an issuer says of a token. `members` are those beside `active`; `understood`: it had the shape it must."""

    active: bool
    members: Mapping[str, JSON] = field(repr=False)
    understood: bool = True


class AnswerRefused(Exception):
    """An answer that tells nothing. `cause` is a stable slug; `detail` quotes nothing of it."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail


def request_form(
    token: str, hint: str | None, *, hint_parameter: str, extra: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The parameters of a request about `token` (RFC 7662 section 2.1): ours first, then `extra` as they are."""
    hinted = () if hint is None else ((hint_parameter, hint),)
    return (("token", token), *hinted, *extra)


def parse_answer(body: bytes) -> Answer:
    """The plain answer in `body` (RFC 7662 section 2.2). `AnswerRefused("json")` for what is not strict JSON."""
    try:
        return _answer(parse_json(body, limit_bytes=MOST_ANSWER_BYTES))
    except ValueError as error:
        raise AnswerRefused("json", str(error)) from None


def parse_signed_answer(body: bytes) -> UnverifiedToken:
    """The signed answer in `body` (RFC 9701 section 5), unverified; its `alg` and `kid` lead to the key.

    `AnswerRefused`: `not_signed` for what is no JWS, `signed_type` for a JWT of another kind.
    """
    try:
        token = UnverifiedToken.parse(body, limit_bytes=MOST_ANSWER_BYTES)
    except TokenRefused as refusal:
        raise AnswerRefused("not_signed", refusal.reason) from None
    # Before any key is looked for: an access token or an ID token of the same issuer is no answer.
    if not type_matches(token.typ, (SIGNED_MEDIA_TYPE,)):
        raise AnswerRefused("signed_type")
    return token


def verify_signed_answer(
    token: UnverifiedToken, keys: Sequence[Key], *, algorithms: Collection[str], iss: str, client_id: str, now: int
) -> Answer:
    """The answer, once one of `keys` is found to have signed it, for us, just now. `now` is a NumericDate.

    `AnswerRefused`: `signature`, `signed_issuer`, `signed_audience`, `signed_time`.
    """
    try:
        claims = token.verify(keys, algorithms).claims
    except TokenRefused as refusal:
        raise AnswerRefused("signature", refusal.reason) from None
    if claims.get("iss") != iss:
        raise AnswerRefused("signed_issuer")
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise AnswerRefused("signed_audience")
    if not _is_fresh(claims, now):
        raise AnswerRefused("signed_time")
    return _answer(claims.get("token_introspection"))


def lifetime_seconds(cache_control: str) -> float:
    """How long a Cache-Control field lets its answer be kept (RFC 9111 section 5.2.2); infinity if it does not say.

    Of several ages the least counts, and one that cannot be read counts as none.
    """
    directives = [directive.strip().lower() for directive in cache_control.split(",")]
    names = {directive.partition("=")[0].strip() for directive in directives}
    if names & {"no-store", "no-cache"}:
        return 0
    ages = [_MAX_AGE(directive) for directive in directives if directive.startswith("max-age")]
    return min((float(age[1]) if age else 0.0 for age in ages), default=float("inf"))


def _answer(value: JSON) -> Answer:
    active = value.get("active") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(active, bool):
        return Answer(False, MappingProxyType({}), understood=False)
    members = {name: member for name, member in value.items() if name != "active"}
    return Answer(active, MappingProxyType(members if active else {}))


def _is_fresh(claims: Mapping[str, JSON], now: int) -> bool:
    iat, exp = claims.get("iat"), claims.get("exp", now + 1)
    if not _is_date(iat) or not _is_date(exp):
        return False
    return now - MOST_SIGNED_AGE_SECONDS < iat <= now + CLOCK_SKEW_SECONDS and now - CLOCK_SKEW_SECONDS < exp


def _is_date(value: JSON) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
