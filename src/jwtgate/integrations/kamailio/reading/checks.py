"""What is checked of a token whose signature holds, and the bits of the status for what does not hold.

All of it is looked at, so that the status has every bit, as in the reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from jwtgate.integrations.kamailio.outcome import (
    ALG_DIFFERS,
    AUD_DIFFERS,
    CLAIM_DIFFERS,
    CLAIM_MISSING,
    EXPIRED,
    ISS_DIFFERS,
    NOT_YET_VALID,
    SUB_DIFFERS,
    Finding,
)
from jwtgate.jose.encoding import JSON

Members = Mapping[str, JSON]

_REPEATED = {"iss": ISS_DIFFERS, "sub": SUB_DIFFERS, "aud": AUD_DIFFERS}


def find_alg(header: Members, alg: str) -> Iterator[Finding]:
    """Whether the token says another algorithm than the caller."""
    if header["alg"] != alg:
        yield Finding(ALG_DIFFERS, "alg-mismatch")


def find_times(claims: Members, *, now: float, leeway: int) -> Iterator[Finding]:
    """What is wrong with `exp` and `nbf`. Fractions count; what is no number at all is never good."""
    for name, bit in (("exp", EXPIRED), ("nbf", NOT_YET_VALID)):
        if name not in claims:
            continue
        time = claims[name]
        if isinstance(time, bool) or not isinstance(time, int | float):
            yield Finding(bit, "time-malformed", name)
        elif name == "exp" and now >= time + leeway:
            yield Finding(EXPIRED, "expired")
        elif name == "nbf" and now + leeway < time:
            yield Finding(NOT_YET_VALID, "not-yet-valid")


def find_times_leniently(claims: Members, *, now: float, leeway: int) -> Iterator[Finding]:
    """As the reference: only whole numbers are times, and -1 is none."""
    times = {name: claims[name] for name in ("exp", "nbf") if type(claims.get(name)) is int and claims[name] != -1}
    yield from find_times(times, now=now, leeway=leeway)


def find_repeated(header: Members, claims: Members) -> Iterator[Finding]:
    """Whether a claim that is repeated in the header says something else there (RFC 7519 section 5.3)."""
    for name, bit in _REPEATED.items():
        if name in header and name in claims and not same(header[name], claims[name]):
            yield Finding(bit, "header-mismatch", name)


def find_claims(claims: Members, wanted: Members) -> Iterator[Finding]:
    """Which claims are missing, and which have another value or another type."""
    for name, value in wanted.items():
        if name not in claims:
            yield Finding(CLAIM_MISSING, "claim-missing", name)
        elif not same(claims[name], value):
            yield Finding(CLAIM_DIFFERS, "claim-mismatch", name)


def same(one: JSON, other: JSON) -> bool:
    """Whether two values are the same in JSON: 100, "100", 100.0 and true are four."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict | list):
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    return one == other
