"""A call to verify, step by step: the token is read, its signature verified, and everything asked of it checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeAlias

from jwtgate.integrations.kamailio.claims.sets import NotAdded, Source, claims_to_find
from jwtgate.integrations.kamailio.key_texts import KeyText
from jwtgate.integrations.kamailio.outcome import CLAIM_MISSING, Failed, Finding
from jwtgate.integrations.kamailio.passport import Passport, find_parameters, token_of
from jwtgate.integrations.kamailio.reading.checks import (
    Members,
    find_alg,
    find_claims,
    find_repeated,
    find_times,
    find_times_leniently,
)
from jwtgate.integrations.kamailio.reading.lenient import read_leniently
from jwtgate.integrations.kamailio.reading.strict import read_strictly, undecoded
from jwtgate.integrations.kamailio.settings import Settings

Text: TypeAlias = "str | bytes"


def verify(
    key: KeyText, alg: str, claims: Source | Passport, token: Text | None, *, needed: Sequence[str], settings: Settings
) -> Members:
    """The claims of a token that holds. `Failed` with a status once its signature was good, and without before."""
    if isinstance(claims, Passport):
        return _verify_passport(key, alg, claims, token, settings=settings)
    try:
        wanted = claims_to_find(claims, settings)
    except ValueError as error:
        raise Failed("claims-malformed", f"failed to parse claims: {error}") from None
    except NotAdded as error:
        raise Failed("claims-malformed", f"failed to add {error.name} valid grant") from None
    if token is None:
        raise undecoded("token-missing")
    header, carried = read_leniently(token, key) if settings.compat else read_strictly(token, alg, key.verifying)
    missing = (Finding(CLAIM_MISSING, "claim-missing", name) for name in needed if name not in carried)
    times = find_times_leniently if settings.compat else find_times
    _refuse(
        chain(
            find_alg(header, alg),
            times(carried, now=_now(settings), leeway=settings.leeway_sec),
            find_repeated(header, carried),
            missing,
            find_claims(carried, wanted),
        )
    )
    return carried


def _verify_passport(key: KeyText, alg: str, passport: Passport, token: Text | None, *, settings: Settings) -> Members:
    if token is None:
        raise undecoded("token-missing")
    try:
        passport.check_alg(alg)
        text, parameters = token_of(token if isinstance(token, str) else token.decode("utf-8", "surrogateescape"))
        header, carried = read_strictly(text, alg, key.attesting)
        found = passport.find(header, carried, variables=settings.variables, now=_now(settings))
        times = find_times(carried, now=_now(settings), leeway=settings.leeway_sec)
        _refuse(chain(found, times, find_parameters(header, parameters)))
    except ValueError as error:
        raise Failed("claims-malformed", f"failed to parse claims: {error}") from None
    return carried


def _refuse(findings: Iterable[Finding]) -> None:
    found = list(findings)
    if not found:
        return
    status = 0
    for finding in found:
        status |= finding.bit
    told = ", ".join(f"{each.reason} {each.name}".rstrip() for each in found)
    raise Failed(found[0].reason, f"failed to validate jwt: {status:08x} ({told})", status)


def _now(settings: Settings) -> float:
    # Whole seconds, as the reference has them: a token is good until the second it names has begun.
    return int(settings.clock())
