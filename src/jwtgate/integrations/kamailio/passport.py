"""PASSporTs: who calls whom, signed (RFC 8225), and how sure the signer is of it (SHAKEN, RFC 8588).

A `Passport` stands in the place of the claims of a call. The certificate behind `x5u` is not fetched, and no chain is
verified: which key a caller's provider has, the script must know.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jwtgate.integrations.kamailio.claims.templates import Template
from jwtgate.integrations.kamailio.outcome import (
    CLAIM_DIFFERS,
    CLAIM_MISSING,
    EXPIRED,
    GENERAL,
    NOT_YET_VALID,
    Finding,
)
from jwtgate.integrations.kamailio.reading.checks import find_claims
from jwtgate.integrations.kamailio.settings import Variables
from jwtgate.jose.encoding import JSON, base64url_decode, parse_json_object

ALG = "ES256"

Text = str | Template
Members = Mapping[str, JSON]

_NUMBER = re.compile(r"\+?[0-9*#() .\-]+")
_SEPARATORS = str.maketrans("", "", "+() .-")
_ADDRESS = re.compile(r"https://[\x21-\x7e]+")
_PARAMETER = re.compile(r'\s*;\s*([a-z0-9]+)\s*=\s*(?:"([^"<>]*)"|<([^">]*)>|([^\s;"<>]+))')


@dataclass(frozen=True, slots=True)
class Passport:
    """What a PASSporT says, or what is asked of one. Texts may be templates: `Passport(pv("$fU"), pv("$rU"))`.

    `orig` is who calls, `dest` who is called: telephone numbers, or addresses with a scheme such as `sip:`. To write
    one needs `x5u`, the address of the certificate; with `attest` (A, B or C) it is one of SHAKEN, whose `origid` is
    made up unless given. To verify one, `attest` and `origid` are asked for where given, `dest` must be among those
    called, and `iat` no further away than `most_seconds`.
    """

    orig: Text
    dest: Text | Sequence[Text]
    x5u: str | None = None
    attest: str | None = None
    origid: str | None = None
    most_seconds: int = 60

    def check_alg(self, alg: str) -> None:
        """Refuse with a `ValueError` all but the one algorithm everybody must speak (RFC 8225 section 8.3)."""
        if alg != ALG:
            raise ValueError(f"a PASSporT is signed with {ALG}")

    def header(self) -> dict[str, JSON]:
        """The members of the header beside `alg`; `ValueError` without an address of a certificate."""
        if self.x5u is None or not _ADDRESS.fullmatch(self.x5u):
            raise ValueError("x5u: the https address of the certificate is needed")
        header: dict[str, JSON] = {"typ": "passport", "x5u": self.x5u}
        return header if self.attest is None else {**header, "ppt": "shaken"}

    def claims(self, variables: Variables, now: int) -> dict[str, JSON]:
        """The claims to write; `ValueError` where somebody is neither a number nor an address."""
        called = [_identity(text, variables) for text in _several(self.dest)]
        if not called:
            raise ValueError("dest: nobody is called")
        kind, caller = _identity(self.orig, variables)
        dest: dict[str, JSON] = {name: [value for each, value in called if each == name] for name, _ in called}
        claims: dict[str, JSON] = {"dest": dest, "iat": now, "orig": {kind: caller}}
        if self.attest is None:
            return claims
        if self.attest not in ("A", "B", "C"):
            raise ValueError("attest: A, B or C")
        return {**claims, "attest": self.attest, "origid": self.origid or str(uuid.uuid4())}

    def find(self, header: Members, claims: Members, *, variables: Variables, now: float) -> Iterator[Finding]:
        """What does not hold of a token that was read; `ValueError` as `claims`."""
        if header.get("typ") != "passport" or not isinstance(header.get("x5u"), str):
            yield Finding(GENERAL, "passport-malformed")
        yield from self._find_extension(header, claims)
        yield from self._find_time(claims, now)
        kind, caller = _identity(self.orig, variables)
        yield from find_claims(_canonical(claims), {"orig": {kind: caller}})
        for kind, called in (_identity(text, variables) for text in _several(self.dest)):
            dest = claims.get("dest")
            if not isinstance(dest, dict):
                yield Finding(CLAIM_MISSING, "claim-missing", "dest")
                continue
            found = dest.get(kind)
            if not isinstance(found, list) or called not in [_bare(kind, each) for each in found]:
                yield Finding(CLAIM_DIFFERS, "claim-mismatch", "dest")

    def _find_extension(self, header: Members, claims: Members) -> Iterator[Finding]:
        """An extension we do not know may change what the token means, so it is refused (RFC 8225 section 8.1)."""
        shaken = header.get("ppt") == "shaken"
        if ("ppt" in header and not shaken) or (self.attest is not None and not shaken):
            yield Finding(GENERAL, "extension-unknown")
        if not shaken:
            return
        if claims.get("attest") not in ("A", "B", "C") or not isinstance(claims.get("origid"), str):
            yield Finding(CLAIM_MISSING, "claim-missing", "attest")
        asked = {"attest": self.attest, "origid": self.origid}
        yield from find_claims(claims, {name: value for name, value in asked.items() if value is not None})

    def _find_time(self, claims: Members, now: float) -> Iterator[Finding]:
        iat = claims.get("iat")
        if isinstance(iat, bool) or not isinstance(iat, int | float):
            yield Finding(CLAIM_MISSING, "claim-missing", "iat")
        elif now - iat > self.most_seconds:
            yield Finding(EXPIRED, "expired")
        elif iat - now > self.most_seconds:
            yield Finding(NOT_YET_VALID, "not-yet-valid")


def identity(token: str) -> str:
    """The value of the `Identity` header field that carries a PASSporT of ours (RFC 8224 section 4)."""
    header = parse_json_object(base64url_decode(token.partition(".")[0]), limit_bytes=8_192)
    ppt = f";ppt={header['ppt']}" if "ppt" in header else ""
    return f"{token};info=<{header['x5u']}>;alg={header['alg']}{ppt}"


def token_of(value: str) -> tuple[str, dict[str, str]]:
    """The token of an `Identity` header field and its parameters; `ValueError` when it cannot be read."""
    token, semicolon, rest = value.partition(";")
    parameters: dict[str, str] = {}
    rest, place = semicolon + rest, 0
    while found := _PARAMETER.match(rest, place):
        if found[1] in parameters:
            raise ValueError("a parameter stands there twice")
        parameters[found[1]] = found[2] or found[3] or found[4] or ""
        place = found.end()
    if rest[place:].strip():
        raise ValueError("its parameters cannot be read")
    return token.strip(), parameters


def find_parameters(header: Members, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Which parameters of the header field say something else than the token (RFC 8224 section 6.2)."""
    for name, member in (("info", "x5u"), ("alg", "alg"), ("ppt", "ppt")):
        if name in parameters and parameters[name] != header.get(member):
            yield Finding(GENERAL, "identity-mismatch", name)


def _several(dest: Text | Sequence[Text]) -> Sequence[Text]:
    return (dest,) if isinstance(dest, str | Template) else dest


def _identity(text: Text, variables: Variables) -> tuple[str, str]:
    value = text.value(variables) if isinstance(text, Template) else text
    if value is None or value == "":
        raise ValueError("who calls or is called is not known")
    value = str(value)
    if _NUMBER.fullmatch(value) and _bare("tn", value):
        return "tn", _bare("tn", value)
    if ":" not in value:
        raise ValueError("who calls or is called is neither a number nor an address")
    return "uri", value


def _canonical(claims: Members) -> Members:
    orig = claims.get("orig")
    if not isinstance(orig, dict):
        return {name: value for name, value in claims.items() if name != "orig"}
    return {"orig": {kind: _bare(kind, value) for kind, value in orig.items()}}


def _bare(kind: str, value: JSON) -> str:
    """A number as RFC 8224 section 8.3 compares it: digits, `*` and `#` alone."""
    text = value if isinstance(value, str) else ""
    return text.translate(_SEPARATORS) if kind == "tn" else text
