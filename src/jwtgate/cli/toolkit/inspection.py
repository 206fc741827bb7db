"""What a token says, without believing any of it: header, claims, times in words, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from jwtgate.cli.answer import Answer, bold, json_text, red, yellow
from jwtgate.errors import TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import JSON, base64url_decode, parse_json_object
from jwtgate.jose.signature import MOST_TOKEN_BYTES
from jwtgate.policy.requirements import Times
from jwtgate.policy.rooms.claims import check_times

_TIMES = {"iat": "issued", "nbf": "good from", "exp": "expires", "auth_time": "signed in"}
_ADDRESSES = ("jku", "x5u", "jwk", "x5c")
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_LAST_SECOND = 253402300799  # the end of the year 9999


def inspect(text: str, now: int) -> Answer:
    """The parts of a compact token, marked as not verified; no `good` answer when it cannot be read at all."""
    try:
        header, claims = unverified_parts(text)
    except ValueError as error:
        return Answer(f"{red('not a token:')} {error}", {"readable": False, "cause": str(error)}, good=False)
    warnings = list(_warnings(header, claims, now))
    lines = [
        f"{yellow('NOT verified:')} anybody can write this; `jwtgate verify` tells whether it is true.",
        bold("header"),
        json_text(header),
        bold("claims"),
        json_text(claims) if claims is not None else "  encrypted, or not a JSON object",
        *told_times(claims or {}, now),
        *(f"{yellow('warning:')} {warning}" for warning in warnings),
    ]
    value = {"verified": False, "readable": True, "header": header, "claims": claims, "warnings": warnings}
    return Answer("\n".join(lines), value)


def unverified_parts(text: str) -> tuple[dict[str, JSON], dict[str, JSON] | None]:
    """The header and the claims of a compact token, None for claims nobody can read. `ValueError` tells why not."""
    if len(text) > MOST_TOKEN_BYTES:
        raise ValueError(f"longer than {MOST_TOKEN_BYTES} bytes")
    segments = text.split(".")
    if len(segments) not in (3, 5):
        raise ValueError(
            f"a token has three parts between dots, or five when it is encrypted; this has {len(segments)}"
        )
    try:
        header = parse_json_object(base64url_decode(segments[0]), limit_bytes=MOST_TOKEN_BYTES)
    except ValueError as error:
        raise ValueError(f"the header is {error}") from None
    if len(segments) == 5:
        return header, None
    try:
        return header, parse_json_object(base64url_decode(segments[1]), limit_bytes=MOST_TOKEN_BYTES)
    except ValueError:
        return header, None


def told_times(claims: Mapping[str, JSON], now: int) -> list[str]:
    """The times among the claims as dates, with how far from `now` they are."""
    lines = []
    for name, verb in _TIMES.items():
        value = claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
            continue
        moment = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        verb = "expired" if name == "exp" and value <= now else verb
        lines.append(f"{name:<9} {verb} {moment}, {_distance(int(value) - now)}")
    return lines


def _distance(seconds: int) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "second"))
    count = abs(seconds) // size
    amount = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"


def _warnings(header: Mapping[str, JSON], claims: Mapping[str, JSON] | None, now: int) -> Iterator[str]:
    alg = header.get("alg")
    if isinstance(alg, str) and alg.lower() == "none":
        yield "alg is none: the token has no signature, and anybody could have made it"
    elif claims is not None and alg not in ALGORITHMS:
        yield "alg names no signature algorithm we know"
    for name in _ADDRESSES:
        if name in header:
            yield f"the header brings its own key ({name}), which is never used"
    if "crit" in header:
        yield "crit asks for extensions; such a token is refused"
    if claims is None:
        return
    if "exp" not in claims:
        yield "there is no exp: the token never expires"
    if "aud" not in claims:
        yield "there is no aud: the token is meant for nobody in particular"
    try:
        check_times(Times(leeway_seconds=0, exp_required=False), claims, now)
    except TokenRefused as refusal:
        yield f"{refusal.reason}: {refusal.sentence}"
