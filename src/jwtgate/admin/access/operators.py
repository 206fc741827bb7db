"""Who may use the Admin API: a bearer token, known by its SHA-256, or the subject of a client certificate."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jwtgate.policy.sources import Operator

# RFC 4514 section 3; what has no short name there keeps its long one.
_SHORT = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}
_SPECIAL = re.compile(r'[",+;<>\\=]|^[ #]| $')


class Operators:
    """All operators."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        self._by_token = [(bytes.fromhex(each.token_sha256), each) for each in operators if each.token_sha256]
        self._by_subject = {each.certificate_subject: each for each in operators if each.certificate_subject}

    def by_token(self, token: bytes) -> Operator | None:
        """The operator with this token. Every digest is compared, each in constant time."""
        digest = hashlib.sha256(token).digest()
        found = [each for held, each in self._by_token if hmac.compare_digest(held, digest)]
        return found[0] if found else None

    def by_certificate(self, certificate: Mapping[str, Any]) -> Operator | None:
        """The operator named by a verified certificate, given as `ssl.SSLSocket.getpeercert` does."""
        return self._by_subject.get(subject_text(certificate.get("subject", ())))


def subject_text(subject: Sequence[Sequence[tuple[str, str]]]) -> str:
    """The subject as one text, most specific name first (RFC 4514 section 2)."""
    return ",".join(
        "+".join(f"{_SHORT.get(kind, kind)}={_SPECIAL.sub(_escaped, value)}" for kind, value in parts)
        for parts in reversed(subject)
    )


def _escaped(character: re.Match[str]) -> str:
    return f"\\{character[0]}"


def bearer_token(authorization: Sequence[bytes]) -> bytes | None:
    """The token of the only `Authorization` field of a request, of the scheme Bearer (RFC 6750 section 2.1)."""
    if len(authorization) != 1:
        return None
    found = re.fullmatch(rb"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)", authorization[0])
    return found[1] if found else None
