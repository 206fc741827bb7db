"""A call to generate, step by step, and the token as the reference writes it: to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from jwtgate.integrations.kamailio.claims.sets import NotAdded, Source, claims_to_write
from jwtgate.integrations.kamailio.key_texts import KeyText
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.passport import Passport
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.encoding import JSON, base64url_encode

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_ESCAPE = re.compile(r"\\(?:u00[0-9a-f]{2}|.)")


def generate(key: KeyText, alg: str, claims: Source | Passport, headers: Source, *, settings: Settings) -> str:
    """The token with these claims and the time. `Failed` for a list, a claim or a key that will not do."""
    now = int(settings.clock())
    if isinstance(claims, Passport):
        header, payload = _passport(claims, alg, settings, now)
    else:
        header, payload = {}, _added("claims", claims, settings, {"iat": now})
    header |= _added("headers", headers, settings, {})
    if not isinstance(header.get("typ"), str):
        header["typ"] = "JWT"
    header["alg"] = alg
    if alg == "none":
        raise Failed("alg-unknown", "failed to set algorithm and key")
    return _signed(header, payload, key, compat=settings.compat)


def written(members: Mapping[str, JSON]) -> bytes:
    """The JSON text of a header or of claims: no spaces, names sorted, nothing escaped that need not be."""
    text = _ENCODER.encode(members)
    if "\\u00" in text:
        text = _ESCAPE.sub(lambda found: found[0][:2] + found[0][2:].upper(), text)
    return text.encode("utf-8")


def _signed(header: Mapping[str, JSON], claims: Mapping[str, JSON], key: KeyText, *, compat: bool) -> str:
    alg, kid = str(header["alg"]), header.get("kid")
    first = _plain_header(alg) if len(header) == 2 and header["typ"] == "JWT" else base64url_encode(written(header))
    text = f"{first}.{base64url_encode(written(claims))}"
    data = text.encode("ascii")
    if compat and is_mac(alg):
        return f"{text}.{base64url_encode(key.mac(alg, data))}"
    signer = key.signing(alg, kid if isinstance(kid, str) else None)
    return f"{text}.{base64url_encode(ALGORITHMS[alg].sign(signer, data))}"


@lru_cache(maxsize=16)
def _plain_header(alg: str) -> str:
    return base64url_encode(written({"alg": alg, "typ": "JWT"}))


def _added(kind: str, source: Source, settings: Settings, beside: Mapping[str, JSON]) -> dict[str, JSON]:
    try:
        return claims_to_write(source, settings, beside=beside) if source else dict(beside)
    except ValueError as error:
        raise Failed(f"{kind}-malformed", f"failed to parse {kind}: {error}") from None
    except NotAdded as error:
        word = "grant" if kind == "claims" else "header"
        raise Failed(f"{kind}-malformed", f"failed to add {error.name} {word}") from None


def _passport(passport: Passport, alg: str, settings: Settings, now: int) -> tuple[dict[str, JSON], dict[str, JSON]]:
    try:
        passport.check_alg(alg)
        return passport.header(), passport.claims(settings.variables, now)
    except ValueError as error:
        raise Failed("claims-malformed", f"failed to parse claims: {error}") from None
